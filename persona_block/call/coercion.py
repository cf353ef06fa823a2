"""One value as a host sent it, made into the type that its param has on the wire.

The manifest's `grammar.coerce` says the same rule by rule, for runtimes in other languages. No phrase holds a value, which may
be a secret or somebody's personal data.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..files.regular import FileBelow
from ..spec import catalog
from ..spec.grammar import Param
from .formats import BY_FORMAT, trimmed
from .json_body import DEEPEST
from .refusal import Refused

LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON takes for what it is (RFC 8259, section 6)."""
_LONGEST = 400
"""Digits of a whole number beyond which it is certain to fit no double, and need not be read exactly."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,16}")


def coerce(param: Param, value: Any) -> Any:
    """Return `value` in the param's own type; raises Refused with what it should be."""
    if param.format == "file":
        return _file(value)
    typed = _BY_TYPE[param.type](value)
    normalise = BY_FORMAT.get(param.format) if param.format else None
    normal = normalise(typed) if normalise else typed
    if param.prefix is not None:
        _check_kind(param.prefix, normal)
    return normal


def _check_kind(prefix: str, ids: str) -> None:
    """Refuse an id, or a list of them, that by its prefix is one of another kind of object.

    A prefix that is not known is none: ids are opaque, and Persona may give them another form.
    """
    kinds = catalog.id_kinds()
    for each in ids.split(","):
        other = each[: each.find("_") + 1]
        if other in kinds and other != prefix:
            raise Refused(
                "other_kind", f"must be the id of {kinds[prefix]} ({prefix}…), but is that of {kinds[other]} ({other}…)"
            )


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime | dt.date):
        value = value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = _number_text(value)
    if not isinstance(value, str):
        raise Refused("not_text", f"must be text, not {_kind(value)}")
    _encodable(value)
    return trimmed(value)


def _number_text(value: float) -> str:
    """Return a number in digits, without an exponent."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("not_text", "must be text, not a number that is none")
    if abs(value) > LARGEST:
        raise Refused("not_text", "must be text, not a number that is too large to be exact")
    return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")


def _integer(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(trimmed(value)):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return value
    what = "" if isinstance(value, str | int | float) and not isinstance(value, bool) else f", not {_kind(value)}"
    raise Refused("not_integer", f"must be a whole number{what}")


def _object(value: Any) -> dict[str, Any]:
    parsed = _from_json(value, 'a JSON object such as {"name": "value"}')
    if not isinstance(parsed, Mapping):
        raise Refused("not_object", f'must be a JSON object such as {{"name": "value"}}, not {_kind(parsed)}')
    return {_name(name): _json_value(item, str(name), 1) for name, item in parsed.items()}


def _array(value: Any) -> list[str]:
    if isinstance(value, str) and not trimmed(value).startswith(("[", "{", '"')):
        value = [trimmed(part) for part in value.split(",")]
        if not all(value):
            raise Refused("empty_entry", "has an empty place between its commas")
    parsed = _from_json(value, 'a JSON list of text such as ["vip"]')
    if not isinstance(parsed, list | tuple):
        raise Refused("not_array", f'must be a JSON list of text such as ["vip"], not {_kind(parsed)}')
    for index, item in enumerate(parsed):
        if not isinstance(item, str) or not trimmed(item):
            raise Refused("not_array", f"must hold only text, but entry {index + 1} is {_kind(item)}")
        _encodable(item)
    return [trimmed(item) for item in parsed]


_BY_TYPE: dict[str, Callable[[Any], Any]] = {"string": _text, "integer": _integer, "object": _object, "array": _array}


def _from_json(value: Any, expected: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_refuse_constant, parse_int=_whole)
    except RecursionError:
        raise Refused("not_carried", "is nested too deeply") from None
    except ValueError:
        raise Refused("not_json", f"must be {expected}, but is text that is not JSON") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _whole(digits: str) -> float:
    """Return a whole number; an infinite one where it is so long that Python would refuse to read it."""
    return int(digits) if len(digits) <= _LONGEST else float(digits)


def _json_value(value: Any, path: str, depth: int) -> Any:
    """Return a copy of a nested value, refused where JSON cannot carry it."""
    if depth > DEEPEST:
        raise Refused("not_carried", "is nested too deeply")
    if value is None or (isinstance(value, int | float) and _fits_double(value)):
        return value
    if isinstance(value, int):
        raise Refused("not_carried", f"holds a number at {path} that is too large")
    if isinstance(value, str):
        _encodable(value)
        return value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_name(name): _json_value(item, f"{path}.{name}", depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    raise Refused("not_carried", f"holds {_kind(value)} at {path}, which JSON cannot carry")


def _fits_double(number: float) -> bool:
    """Return whether a number is finite as a double, which JSON's readers commonly take it for."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _name(name: Any) -> str:
    text = str(name)
    _encodable(text)
    return text


def _encodable(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("not_carried", "holds characters that cannot be written as UTF-8") from None


def _file(value: Any) -> Any:
    """Return what a file param holds, to be opened later by the file store; what can never be a file is refused."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, os.PathLike | bytes | bytearray | memoryview | Mapping | FileBelow):
        return value
    try:
        if hasattr(value, "read") or hasattr(value, "url"):
            return value
    except Exception:  # noqa: S110 - an attribute of somebody's object may raise anything, and then it is no file
        pass
    raise Refused("not_file", f"must be a path, a storage URL or a file, not {_kind(value)}")


_KINDS: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text", bytes: "bytes"}


def _kind(value: Any) -> str:
    """Return what sort of value it is, in words that never hold the value."""
    if value is None:
        return "null"
    if isinstance(value, str) and not trimmed(value):
        return "blank"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return _KINDS.get(type(value), f"a {type(value).__name__}")
