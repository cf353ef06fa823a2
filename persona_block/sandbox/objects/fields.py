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
"""A value with its type: `{"type", "value"}`."""

COUNTRY = re.compile(r"[A-Z]{2}")
"""A country code: two capital letters."""

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
"""The type of each field that every inquiry has."""

_FIELDS = "/data/attributes/fields/"

_NAME = ("first", "middle", "last")
_ADDRESS = ("street_1", "street_2", "subdivision", "city", "postal_code", "country_code")
_IDENTIFICATION_NUMBER = ("identification_class", "identification_number", "issuing_country", "hashed_identification_number")
_PARTS = {"name": _NAME, "address": _ADDRESS}

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
"""The path among an account's fields of each flat attribute of an account request, and of each inquiry field."""


def typed(value: Any, type_: str | None = None) -> Typed:
    """Return a value with its type, at every depth; types that it has already are replaced."""
    value = plain(value)
    if isinstance(value, dict):
        return {"type": "hash", "value": {name: typed(inner) for name, inner in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "value": [typed(inner) for inner in value]}
    return {"type": type_ or _type_of(value), "value": value}


def plain(value: Any) -> Any:
    """Return a value without its types, at every depth."""
    if isinstance(value, dict):
        if value.keys() == {"type", "value"} and isinstance(value["type"], str):
            return plain(value["value"])
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def redacted(field: Typed) -> Typed:
    """Return an empty field of the same type."""
    value = field["value"]
    if isinstance(value, dict) and field["type"] == "hash":
        return {"type": "hash", "value": {name: redacted(inner) for name, inner in value.items()}}
    return {"type": field["type"], "value": [] if isinstance(value, list) else None}


def is_date(value: Any) -> bool:
    """Return whether a value is a calendar date, written YYYY-MM-DD."""
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def inquiry_fields(values: dict[str, Any], types: dict[str, str], *, strict: bool) -> dict[str, Typed]:
    """Return a request's field values with the template's types. Raises a 422 for a value that does not fit its field.

    A field that the template does not have takes the type of its value, or raises a 422 if `strict`.
    """
    fields = {}
    for name, value in values.items():
        value = plain(value)
        type_ = types.get(name)
        pointer = _FIELDS + _escaped(name)
        if type_ is None and strict:
            raise _misfit(pointer, "is not a field of the inquiry's template")
        if type_ is not None:
            _require(type_, value, pointer)
        if value is not None and name == "address-country-code" and not COUNTRY.fullmatch(value):
            raise _misfit(pointer, "must be two capital letters")
        fields[name] = typed(value, type_)
    return fields


def empty_account_fields() -> dict[str, Typed]:
    """Return the fields of a new account, all empty."""
    empty = {"type": "string", "value": None}
    return {
        "name": {"type": "hash", "value": {part: dict(empty) for part in _NAME}},
        "address": {"type": "hash", "value": {part: dict(empty) for part in _ADDRESS}},
        "identification_numbers": {"type": "array", "value": []},
        "birthdate": {"type": "date", "value": None},
        "phone_number": dict(empty),
        "email_address": dict(empty),
        "selfie_photo": {"type": "file", "value": None},
    }


def set_account_fields(fields: dict[str, Typed], values: dict[str, Any], pointer: str = _FIELDS) -> None:
    """Write values over an account's fields, part by part. Raises a 422 for a value that does not fit.

    `pointer` is the JSON Pointer of the values in the request, with a slash at its end.
    """
    for name, value in values.items():
        value = plain(value)
        place = ACCOUNT_PLACES.get(name.replace("_", "-"), (name,))
        where = pointer + _escaped(name)
        if place[0] in _PARTS:
            parts = {place[1]: value} if len(place) == 2 else value or dict.fromkeys(_PARTS[name])
            _set_parts(fields[place[0]]["value"], where, parts, _PARTS[place[0]], flat=len(place) == 2)
        elif place[0] == "identification_numbers":
            numbers = [_identification_number(where, item) for item in _list(where, value)]
            fields[place[0]] = {"type": "array", "value": numbers}
        elif place[0] in ("birthdate", "phone_number", "email_address"):
            type_ = fields[place[0]]["type"]
            _require(type_, value, where)
            fields[place[0]] = {"type": type_, "value": value}
        elif place[0] != "selfie_photo":  # files have an attribute of their own
            fields[name] = typed(value)


def _set_parts(target: dict[str, Typed], pointer: str, parts: Any, known: tuple[str, ...], *, flat: bool) -> None:
    if not isinstance(parts, dict):
        raise _misfit(pointer, "must be an object")
    for part, value in parts.items():
        part_pointer = pointer if flat else f"{pointer}/{_escaped(part)}"
        if part not in known:
            raise _misfit(part_pointer, f"must be one of {', '.join(known)}")
        _require("string", value, part_pointer)
        if value is not None and part == "country_code" and not COUNTRY.fullmatch(value):
            raise _misfit(part_pointer, "must be two capital letters")
        target[part] = {"type": "string", "value": value}


def _identification_number(pointer: str, item: Any) -> Typed:
    if not isinstance(item, dict) or not item.keys() <= set(_IDENTIFICATION_NUMBER):
        raise _misfit(pointer, f"must hold objects of {', '.join(_IDENTIFICATION_NUMBER)}")
    for part, value in item.items():
        if not isinstance(value, str) and not (value is None and part == "hashed_identification_number"):
            raise _misfit(f"{pointer}/{part}", "must be a string")
    return typed(item)


def _list(pointer: str, value: Any) -> list[Any]:
    if not isinstance(value, list | None):
        raise _misfit(pointer, "must be an array")
    return value or []


# A value is never converted from one type to another.
_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "date": ("a date, YYYY-MM-DD", is_date),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
}


def _require(type_: str, value: Any, pointer: str) -> None:
    description, fits = _TYPES[type_]
    if value is not None and not fits(value):
        raise _misfit(pointer, f"must be {description}")


def _type_of(value: Any) -> str:
    # bool comes before int, because True is an int too
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return name
    return "string"


def _escaped(name: str) -> str:
    """Return a name as a step of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _misfit(pointer: str, problem: str) -> Exception:
    name = pointer.removeprefix("/data/attributes/").replace("/", ".")
    return unprocessable(f"{name} {problem}", pointer)
