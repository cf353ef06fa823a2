"""Data written as TypeScript, in the style of Sim's own files."""

from __future__ import annotations

import json
import re
from typing import Any

WIDTH = 100
"""The columns of a line; what does not fit is broken into one entry a line."""

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_KEYWORDS = {True: "true", False: "false", None: "null"}


class Code(str):
    """An expression that stands as it is where data stands otherwise."""

    __slots__ = ()


def literal(value: Any, indent: int = 0, column: int = 0) -> str:
    """Return a JSON value, or one that holds `Code`, as an expression that begins at a column and ends in an indented line."""
    if isinstance(value, Code):
        return value
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (dict, list, tuple)):
        return _collection(value, indent, column)
    return _KEYWORDS[value] if value is None or isinstance(value, bool) else json.dumps(value)


def property_name(name: str) -> str:
    """Return a name as it stands before the colon of a property."""
    return name if _IDENTIFIER.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    double = json.dumps(text, ensure_ascii=False)
    if "'" in text and '"' not in text:
        return double
    return "'" + double[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _collection(value: Any, indent: int, column: int) -> str:
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")

    def entries(inner: int) -> list[str]:
        if isinstance(value, dict):
            names = [f"{property_name(name)}: " for name in value]
            parts = zip(names, value.values(), strict=True)
            return [name + literal(entry, inner, inner + len(name)) for name, entry in parts]
        return [literal(entry, inner, inner) for entry in value]

    flat = entries(indent)
    space = " " if flat and opening == "{" else ""
    line = opening + space + ", ".join(flat) + space + closing
    if "\n" not in line and column + len(line) < WIDTH:
        return line
    inner = " " * (indent + 2)
    body = "".join(f"{inner}{entry},\n" for entry in entries(indent + 2))
    return f"{opening}\n{body}{' ' * indent}{closing}"
