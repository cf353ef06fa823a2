"""The versions of Persona's API, and what the answers of older ones hold beside those of the latest simulated one.

Source: the OpenAPI of 2023-01-05, 2025-10-27 and 2025-12-08, compared (github.com/persona-id/persona-openapi).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from ..messages.errors import bad_request
from ..messages.shapes import CREATE_INQUIRY, UPDATE_INQUIRY, Shape
from ..objects.fields import ACCOUNT_PLACES, plain
from ..state.records import Resource

VERSIONS = (
    "2026-09-29",
    "2025-12-08",
    "2025-10-27",
    "2023-01-05",
    "2022-09-01",
    "2021-08-18",
    "2021-07-05",
    "2021-05-14",
    "2021-02-21",
    "2020-05-18",
)
"""The versions that Persona's documentation names, latest first (docs.withpersona.com/versioning; OpenAPI: api-version)."""

SIMULATED = ("2025-12-08", "2025-10-27", "2023-01-05")
"""The versions whose answers the simulation knows, latest first."""

LATEST = SIMULATED[0]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

# From this version on, an inquiry's fields stand in `fields` alone, nothing is included unasked, and attributes that an
# inquiry has not are refused.
_STRICT_SINCE = "2025-10-27"

# From this version on, screening reports tell their earlier runs no more.
_NO_RUNS_SINCE = "2025-12-08"

_INCLUDED_UNASKED = {
    "inquiry": ["reports", "verifications", "sessions", "documents", "inquiry-template"],
    "report": ["report-template"],
    "case": ["accounts", "inquiries", "reports", "verifications", "case-comments"],
}

_FLAT_INQUIRY_FIELDS = (
    "birthdate",
    "name-first",
    "name-middle",
    "name-last",
    "phone-number",
    "email-address",
    "address-street-1",
    "address-street-2",
    "address-city",
    "address-subdivision",
    "address-postal-code",
    "identification-number",
)
_FLAT_ACCOUNT_FIELDS = tuple(name for name in ACCOUNT_PLACES if name != "address-country-code")

_WITH_RUNS = frozenset({"report/watchlist", "report/politically-exposed-person"})


def answered_version(asked: str | None) -> str:
    """Return the version whose answers a request gets: the latest simulated one that is not after the one it asks for.

    None asks for the latest. A version before all of them gets the oldest. Raises a 400 for a text that is no date.
    """
    if asked is None or asked == LATEST:
        return LATEST
    try:
        if not _DATE.fullmatch(asked):
            raise ValueError(asked)
        date.fromisoformat(asked)
    except ValueError:
        raise bad_request(f"Persona-Version must be a date, such as {LATEST}") from None
    return next((version for version in SIMULATED if version <= asked), SIMULATED[-1])


def included_unasked(kind: str, version: str) -> list[str] | None:
    """Return the include paths of an answer about one object whose request names none, or None."""
    return _INCLUDED_UNASKED.get(kind) if version < _STRICT_SINCE else None


def accepted_body(body: Any, shape: Shape, version: str) -> Any:
    """Return a body without the attributes that older versions allowed an inquiry to be sent with, and ignored."""
    if version >= _STRICT_SINCE or shape not in (CREATE_INQUIRY, UPDATE_INQUIRY) or not _holds_attributes(body):
        return body
    attributes = body["data"]["attributes"]
    known = _attribute_names(shape)
    return body | {"data": body["data"] | {"attributes": {name: attributes[name] for name in attributes if name in known}}}


def older_attributes(resource: Resource, version: str) -> dict[str, Any]:
    """Return the attributes of a resource that only versions before the latest show."""
    older: dict[str, Any] = {}
    if version < _NO_RUNS_SINCE and resource.type in _WITH_RUNS:
        older["run-history"] = []
    if version < _STRICT_SINCE and resource.kind == "inquiry":
        fields = resource.attributes["fields"]
        older |= {name: plain(fields[name]) for name in _FLAT_INQUIRY_FIELDS}
        older |= {
            "social-security-number": None,
            "address-subdivision-abbr": None,
            "address-postal-code-abbr": older["address-postal-code"],
        }
    if version < _STRICT_SINCE and resource.kind == "account":
        values = plain(resource.attributes["fields"])
        older |= {name: _at(values, ACCOUNT_PLACES[name]) for name in _FLAT_ACCOUNT_FIELDS}
        older |= {"social-security-number": None, "identification-numbers": _by_class(values["identification_numbers"])}
    return older


def _at(values: dict[str, Any], place: tuple[str, ...]) -> Any:
    for name in place:
        values = values[name]
    return values


def _by_class(numbers: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return an account's identification numbers by their class."""
    names = ("issuing_country", "identification_class", "identification_number")
    by_class: dict[str, list[dict[str, Any]]] = {}
    for number in numbers:
        shown = {name.replace("_", "-"): number[name] for name in names if name in number}
        by_class.setdefault(str(number.get("identification_class")), []).append(shown)
    return by_class


def _holds_attributes(body: Any) -> bool:
    data = body.get("data") if isinstance(body, dict) else None
    return isinstance(data, dict) and isinstance(data.get("attributes"), dict)


def _attribute_names(shape: Shape) -> set[str]:
    """Return the names of the attributes in the shape of a body."""
    for name in ("data", "attributes"):
        inner = shape.get(name, shape.get(f"{name}!"))
        assert isinstance(inner, dict)
        shape = inner
    return set(shape)
