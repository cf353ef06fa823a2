"""Text with nothing hidden in it: on one line, every character to be seen, and what is shown tells exactly what is sent."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LOOK_EMPTY = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters, marks and symbols that look like nothing: fillers, joiners, variation selectors and the blank pattern of Braille.

Source: Unicode's DerivedCoreProperties, Default_Ignorable_Code_Point, without those that are format characters.
"""
_MARKS_LIMIT = 2
"""How many marks one letter carries; more of them would cover what stands around it."""
_TOLD_LIMIT = 200
"""Characters of a text that words hold."""
_PLAIN = re.compile(r"[\w.@:+/#-]+", re.ASCII)
"""A text that could not be taken for words around it."""


def visible(value: Any) -> str:
    """Return a value as a person is shown it: text in “ ”, anything else as JSON.

    A backslash is doubled. Line breaks and tabs are written `\\n`, `\\r` and `\\t`. Whatever else could not be seen, or could
    pass for something else, is written as its code point, such as `\\u{202e}`: control, format and private characters, spaces
    of other kinds or beside another space, quotes of this form, and marks without a letter.
    """
    if not isinstance(value, str):
        return visible_text(json.dumps(value, ensure_ascii=False, default=str))
    return f"“{visible_text(value)}”"


def told(value: Any) -> str:
    """Return a value as words hold it: one plain word as it is, other text cut to 200 characters and as `visible` shows it.

    So a text of a customer's is never taken for words of the host.
    """
    if not isinstance(value, str):
        return visible(value)
    shown = value if len(value) <= _TOLD_LIMIT else value[: _TOLD_LIMIT - 1] + "…"
    return shown if _PLAIN.fullmatch(shown) else visible(shown)


def visible_text(text: str) -> str:
    """Return a text as `visible` shows it, without the quotes around it."""
    shown = []
    previous, marks = " ", 0
    for position, character in enumerate(text):
        category = unicodedata.category(character)[0]
        marks = marks + 1 if category == "M" else 0
        is_hidden_space = character == " " and (previous == " " or position == len(text) - 1)
        is_loose_mark = category == "M" and (marks > _MARKS_LIMIT or (marks == 1 and not previous.isalnum()))
        if character in _ESCAPES:
            shown.append(_ESCAPES[character])
        elif (
            is_hidden_space
            or is_loose_mark
            or (category in "CZ" and character != " ")
            or character in _LOOK_EMPTY
            or character in "“”"
        ):
            shown.append(f"\\u{{{ord(character):x}}}")
        else:
            shown.append(character)
        previous = character
    return "".join(shown)
