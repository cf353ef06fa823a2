"""Fields: plain values as requests send them, `{type, value}` at every depth as answers hold them.

Inquiry fields are flat with kebab-case keys, account fields nested with snake_case keys (OpenAPI: components/schemas/
inquiry, account and their examples).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from ..messages.errors import unprocessable

Typed = dict[str, Any]

COUNTRY = re.compile(r"[A-Z]{2}")

INQUIRY_FIELDS = {
    "name-first": "string",
    "name-middle": "string",
    "name-last": "string",
    "address-street-1": "string",
    "address-street-2": "string",
    "address-city": "string",
    "address-subdivision": "string",
    "address-postal-code": "string",
    "address-country-code": "string",
    "birthdate": "date",
    "email-address": "string",
    "phone-number": "string",
    "identification-number": "string",
}

_FIELDS = "/data/attributes/fields/"

_NAME = ("first", "middle", "last")
_ADDRESS = ("street_1", "street_2", "subdivision", "city", "postal_code", "country_code")
_NUMBER = ("identification_class", "identification_number", "issuing_country", "hashed_identification_number")
_PARTS = {"name": _NAME, "address": _ADDRESS}

# Where a flat attribute of an account request, or an inquiry's field, belongs among an account's fields.
ACCOUNT_PLACES: dict[str, tuple[str, ...]] = {
    "name-first": ("name", "first"),
    "name-middle": ("name", "middle"),
    "name-last": ("name", "last"),
    "address-street-1": ("address", "street_1"),
    "address-street-2": ("address", "street_2"),
    "address-city": ("address", "city"),
    "address-subdivision": ("address", "subdivision"),
    "address-postal-code": ("address", "postal_code"),
    "address-country-code": ("address", "country_code"),
    "country-code": ("address", "country_code"),
    "birthdate": ("birthdate",),
    "phone-number": ("phone_number",),
    "email-address": ("email_address",),
}


def typed(value: Any, type_: str | None = None) -> Typed:
    """Wrap a plain value, and what it holds, with their types; an already typed value stays as it is."""
    value = plain(value)
    if isinstance(value, dict):
        return {"type": "hash", "value": {key: typed(inner) for key, inner in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "value": [typed(inner) for inner in value]}
    return {"type": type_ or _type_of(value), "value": value}


def plain(value: Any) -> Any:
    """Take the types off a value, at every depth."""
    if isinstance(value, dict):
        if value.keys() == {"type", "value"} and isinstance(value["type"], str):
            return plain(value["value"])
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def redacted(field: Typed) -> Typed:
    """Empty a field and keep its type."""
    value = field["value"]
    if isinstance(value, dict) and field["type"] == "hash":
        return {"type": "hash", "value": {key: redacted(inner) for key, inner in value.items()}}
    return {"type": field["type"], "value": [] if isinstance(value, list) else None}


def is_date(value: Any) -> bool:
    """Whether a value is a real calendar date written YYYY-MM-DD."""
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def inquiry_fields(given: dict[str, Any], schema: dict[str, str], *, strict: bool) -> dict[str, Typed]:
    """Type the fields of a request by the template's schema. Raises a 422 for a value that does not fit its field."""
    result = {}
    for key, value in given.items():
        value = plain(value)
        type_ = schema.get(key)
        where = _FIELDS + _escaped(key)
        if type_ is None and strict:
            raise _misfit(where, "is not a field of the inquiry's template")
        if type_ is not None:
            _require(type_, value, where)
        if value is not None and key == "address-country-code" and not COUNTRY.fullmatch(value):
            raise _misfit(where, "must be two capital letters")
        result[key] = typed(value, type_)
    return result


def empty_account_fields() -> dict[str, Typed]:
    """Give the fields that every account of the default type has, all empty."""
    nothing = {"type": "string", "value": None}
    return {
        "name": {"type": "hash", "value": {part: dict(nothing) for part in _NAME}},
        "address": {"type": "hash", "value": {part: dict(nothing) for part in _ADDRESS}},
        "identification_numbers": {"type": "array", "value": []},
        "birthdate": {"type": "date", "value": None},
        "phone_number": dict(nothing),
        "email_address": dict(nothing),
        "selfie_photo": {"type": "file", "value": None},
    }


def set_account_fields(fields: dict[str, Typed], given: dict[str, Any], pointer: str = _FIELDS) -> None:
    """Write the given values over an account's fields, part by part.

    Raises a 422 for a value that does not fit; `pointer` is where the request held the values.
    """
    for key, value in given.items():
        value = plain(value)
        place = ACCOUNT_PLACES.get(key.replace("_", "-"), (key,))
        where = pointer + _escaped(key)
        if place[0] in _PARTS:
            parts = {place[1]: value} if len(place) == 2 else value or dict.fromkeys(_PARTS[key])
            _set_parts(fields[place[0]]["value"], where, parts, _PARTS[place[0]], flat=len(place) == 2)
        elif place[0] == "identification_numbers":
            fields[place[0]] = {"type": "array", "value": [_number(where, item) for item in _list(where, value)]}
        elif place[0] in ("birthdate", "phone_number", "email_address"):
            type_ = fields[place[0]]["type"]
            _require(type_, value, where)
            fields[place[0]] = {"type": type_, "value": value}
        elif place[0] != "selfie_photo":  # files go by an attribute of their own
            fields[key] = typed(value)


def _set_parts(target: dict[str, Typed], where: str, parts: Any, known: tuple[str, ...], *, flat: bool) -> None:
    if not isinstance(parts, dict):
        raise _misfit(where, "must be an object")
    for part, value in parts.items():
        place = where if flat else f"{where}/{_escaped(part)}"
        if part not in known:
            raise _misfit(place, f"must be one of {', '.join(known)}")
        _require("string", value, place)
        if value is not None and part == "country_code" and not COUNTRY.fullmatch(value):
            raise _misfit(place, "must be two capital letters")
        target[part] = {"type": "string", "value": value}


def _number(where: str, item: Any) -> Typed:
    if not isinstance(item, dict) or not item.keys() <= set(_NUMBER):
        raise _misfit(where, f"must hold objects of {', '.join(_NUMBER)}")
    for part, value in item.items():
        if not isinstance(value, str) and not (value is None and part == "hashed_identification_number"):
            raise _misfit(f"{where}/{part}", "must be a string")
    return typed(item)


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list | None):
        raise _misfit(where, "must be an array")
    return value or []


# What a value of each type is; none is made out of another.
_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "date": ("a date, YYYY-MM-DD", is_date),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
}


def _require(type_: str, value: Any, where: str) -> None:
    name, fits = _TYPES[type_]
    if value is not None and not fits(value):
        raise _misfit(where, f"must be {name}")


def _type_of(value: Any) -> str:
    # bool before int, which it is a kind of
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return name
    return "string"


def _escaped(key: str) -> str:
    """Write a key as a step of a JSON Pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _misfit(pointer: str, problem: str) -> Exception:
    name = pointer.removeprefix("/data/attributes/").replace("/", ".")
    return unprocessable(f"{name} {problem}", pointer)
