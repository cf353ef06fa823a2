"""JSON that came from outside, read within bounds: as every language reads it, and as text that can be sent on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

VALUES_LIMIT = 1_000_000
"""Values that one body may hold at most; a page of 100 inquiries holds some ten thousand."""
DEEPEST = 100
"""Levels that a value may be nested, on its way in and on its way out."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(body: bytes | bytearray) -> Any:
    """Return what a body in UTF-8 holds; raises ValueError for what is no JSON or holds too much, RecursionError likewise.

    NaN and Infinity are no JSON (RFC 8259). Half of a surrogate pair, which is what is left of a character that was cut in the
    middle, becomes U+FFFD, since no text can carry it.
    """
    check_count(body)
    escapes_surrogates = _ESCAPED_SURROGATE.search(body) is not None
    if not escapes_surrogates and (fast := _fast_reader()):
        try:
            return fast(body)
        except ValueError:
            pass  # It reads less than Python's own does: nothing nested deeper than 200 levels, and no byte order mark.
    value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    return _without_surrogates(value) if escapes_surrogates else value


def check_count(body: bytes | bytearray) -> None:
    """Raise ValueError where a body holds more values than are read."""
    # There is no value without a byte of its own.
    if len(body) > VALUES_LIMIT and body.count(b",") + body.count(b"{") + body.count(b"[") > VALUES_LIMIT:
        raise ValueError("it holds too many values")


@cache
def _fast_reader() -> Callable[[bytes | bytearray], Any] | None:
    """Return pydantic's reader of JSON, or None where its version misreads what is not ASCII, as that of pydantic 2.7 does."""
    from pydantic_core import from_json

    def read(body: bytes | bytearray) -> Any:
        return from_json(body, allow_inf_nan=False)

    trial = ('{"\xe9\\u00e9\u4e2d":"\\u4e2d\xe9"}', '{"\\u00e9":"\xe9"}', '["\\u2028","\U0001f600"]')
    return read if all(read(text.encode()) == json.loads(text) for text in trial) else None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(entry) for entry in value]
    return value


def is_too_deep(value: Any, deepest: int = DEEPEST) -> bool:
    """Return whether a JSON value is nested deeper than so many levels."""
    level = [value]
    for _ in range(deepest + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, Mapping | list)
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
        ]
        if not level:
            return False
    return True
