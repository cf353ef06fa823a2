"""The shapes of request bodies, and the check that names everything in a body that does not fit.

A shape is a dict of kebab-case names; a name that ends in `!` is required. Its values are nested shapes or one of the
type names below; a `?` after a type name admits null. Source: OpenAPI, the requestBody of each path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...spec.inflection import snake
from .errors import bad_request

Shape = dict[str, "str | Shape"]

MAX_SECONDS = 2**31 - 1
"""The longest interval that a request may ask for, in seconds."""

_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("a boolean", lambda value: isinstance(value, bool)),
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "seconds": (f"an integer from 1 to {MAX_SECONDS}", lambda value: type(value) is int and 0 < value <= MAX_SECONDS),
    "strings": ("an array of strings", lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "array": ("an array", lambda value: isinstance(value, list)),
    "null": ("null", lambda value: value is None),
}

_META_ACCOUNT: Shape = {
    "auto-create-account": "boolean",
    "auto-create-account-type-id": "string",
    "auto-create-account-reference-id": "string",
}

CREATE_INQUIRY: Shape = {
    "data!": {
        "attributes!": {
            "template-id": "string?",
            "inquiry-template-id": "string?",
            "inquiry-template-version-id": "string?",
            "reference-id": "string?",
            "account-id": "string?",
            "creator-email-address": "string?",
            "theme-id": "string?",
            "theme-set-id": "string?",
            "redirect-uri": "string?",
            "note": "string?",
            "fields": "object?",
            "tags": "strings?",
            "initial-step-name": "string?",
        }
    },
    "meta": {
        **_META_ACCOUNT,
        "auto-create-inquiry-session": "boolean",
        "auto-create-one-time-link": "boolean",
        "expiration-after-create-interval-seconds": "seconds?",
        "expiration-after-start-interval-seconds": "seconds?",
        "expiration-after-resume-interval-seconds": "seconds?",
        "one-time-link-expiration-seconds": "seconds?",
    },
}

UPDATE_INQUIRY: Shape = {
    "data": {"attributes": {"note": "string?", "fields": "object?", "tags": "strings", "redirect-uri": "string?"}}
}

DECISION: Shape = {"meta": {"comment": "string"}}
ONE_TIME_LINK: Shape = {"meta": {"expires-in-seconds": "seconds"}}
SIMULATE: Shape = {"meta!": {"simulate-actions!": "array"}}
NOTHING: Shape = {}

_ACCOUNT_ATTRIBUTES: Shape = {
    "reference-id": "string",
    "account-status": "string",
    "tags": "strings?",
    "country-code": "string",
    "social-security-number": "string",
    "fields": "object",
    "birthdate": "string",
    "name-first": "string",
    "name-middle": "string",
    "name-last": "string",
    "phone-number": "string",
    "email-address": "string",
    "address-street-1": "string",
    "address-street-2": "string",
    "address-city": "string",
    "address-subdivision": "string",
    "address-postal-code": "string",
}
_PHOTO: Shape = {"data": "string", "filename": "string"}

CREATE_ACCOUNT: Shape = {
    "data": {"attributes": {**_ACCOUNT_ATTRIBUTES, "account-type-id": "string", "selfie-photo": {"data": _PHOTO}}},
    "meta": {"upsert-by": "string?"},
}
# Here the photo's data may also be null, which removes it; the accounts module reads it.
UPDATE_ACCOUNT: Shape = {"data": {"attributes": {**_ACCOUNT_ATTRIBUTES, "selfie-photo": {"data": "object?"}}}}
ACCOUNT_PHOTO = _PHOTO

IMPORT_ACCOUNTS: Shape = {"data!": {"attributes!": {"file!": {"data": "string", "filename": "string"}}}}

CREATE_REPORT: Shape = {
    "data!": {
        "type": "string",
        "attributes!": {
            "query!": "object",
            "account-id": "string",
            "reference-id": "string",
            "report-template-id": "string",
        },
    },
    "meta": {**_META_ACCOUNT, "processing-mode": "string", "request-flags": "strings"},
}

ACTION: Shape = {"type!": "string", "data": {"verification-template-id!": "string"}}


def check_shape(shape: Shape, value: Any, path: str = "") -> None:
    """Check a body, or what it holds at a dotted path, against a shape. Raises a 400 that lists every problem found."""
    problems = list(_problems(shape, value, path))
    if problems:
        raise bad_request(*problems)


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'request body'} must be an object"
        return
    expected = {name.removesuffix("!"): (inner, name.endswith("!")) for name, inner in shape.items()}
    for name, (_, required) in expected.items():
        if required and name not in value:
            yield f"{_joined(path, name)} is missing"
    for name, item in value.items():
        if name not in expected:
            yield f"{_joined(path, name)} is not allowed"
            continue
        inner = expected[name][0]
        if isinstance(inner, dict):
            yield from _problems(inner, item, _joined(path, name))
        elif not (inner.endswith("?") and item is None):
            description, fits = _TYPES[inner.removesuffix("?")]
            if not fits(item):
                yield f"{_joined(path, name)} must be {description}"


def _joined(path: str, name: str) -> str:
    return f"{path}.{snake(name)}" if path else snake(name)
