"""YAML as a person would write it: a writer for JSON data, since reading YAML is all that a library would be needed for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z]([A-Za-z0-9 .,;()'\"/_%+-]*[A-Za-z0-9.)])?")
"""Text that needs no quotes: it begins with a letter and holds nothing with a meaning of its own."""
_WORDS_WITH_A_MEANING = re.compile(r"y|n|yes|no|on|off|true|false|null", re.IGNORECASE)
"""What YAML 1.1 takes for something else than text."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}


def dump(value: Mapping[str, Any]) -> str:
    """Return an object as YAML in block style, which YAML 1.1 and 1.2 read alike.

    It may hold objects, lists, text, whole numbers, true, false and null; an empty object or list is written `{}` or `[]`.
    """
    return "".join(f"{line}\n" for line in _lines(value)) or "{}\n"


def _lines(value: Any) -> Iterator[str]:
    """Yield the lines of an object or a list that holds something."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _entry(_scalar(name), inner)
        return
    for inner in value:
        if _is_block(inner):
            for number, line in enumerate(_lines(inner)):
                yield f"{'  ' if number else '- '}{line}"
        else:
            yield f"- {_scalar(inner)}"


def _entry(name: str, value: Any) -> Iterator[str]:
    if not _is_block(value):
        yield f"{name}: {_scalar(value)}"
        return
    yield f"{name}:"
    yield from (f"  {line}" for line in _lines(value))


def _is_block(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str) and bool(value)


def _scalar(value: Any) -> str:
    """Return what stands on the line itself: JSON, which is YAML too, or text without quotes."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and not _WORDS_WITH_A_MEANING.fullmatch(value):
        return value
    return f'"{"".join(_escaped(character) for character in value)}"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08x}"
