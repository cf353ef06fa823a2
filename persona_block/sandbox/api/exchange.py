"""A request as the server hands it to the protocol, and the reply that it gets back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from ...spec.inflection import INFLECTIONS, inflect
from ..messages.errors import Refusal, bad_request
from .operations import Operation
from .versions import LATEST, answered_version

VERSION = "persona-version"
"""The header that asks for a version of the API, in lower case."""

ANSWERED_VERSION = "Persona-Sandbox-Answered-Version"
"""The header, of this sandbox alone, that tells which version a reply follows."""

JSON = "application/json"
PDF = "application/pdf"

_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_ENCODE_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


@dataclass(slots=True)
class HttpRequest:
    """A request as it came; `target` is the operation it asks for, or the refusal of one that asks for none.

    `headers` are in lower case. `parts` is a multipart body by part, None for another body; a part without a file has no
    content. `malformed` says what is wrong with a multipart body that cannot be read. `fails` is the side on which Persona is
    to fail: before or after the request is processed, None for neither.
    """

    method: str
    path: str
    query: str
    target: Operation | Refusal
    ids: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    parts: dict[str, bytes | None] | None = None
    malformed: str | None = None
    fails: Literal["before", "after"] | None = None

    @property
    def api_key(self) -> str:
        """The bearer token, or "" without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    @property
    def idempotency_key(self) -> str | None:
        """The idempotency key, which only a POST has."""
        return self.headers.get("idempotency-key") or None if self.method == "POST" else None


@dataclass(frozen=True)
class Dialect:
    """How a request is to be answered: the version of the API, and the spelling of keys."""

    version: str = LATEST
    inflection: str = "kebab"


@dataclass(slots=True)
class HttpReply:
    """A response: its status, its bytes, the version that they follow, and its headers besides the content type."""

    status: int
    body: bytes
    media_type: str = JSON
    version: str = LATEST
    headers: dict[str, str] = field(default_factory=dict)


def read_dialect(headers: dict[str, str]) -> Dialect:
    """Read how the headers of a request ask for it to be answered. Raises a 400 for an unknown inflection, or no date."""
    return _dialect(headers.get(VERSION), headers.get("key-inflection", "kebab"))


@lru_cache(maxsize=64)
def _dialect(asked_version: str | None, inflection: str) -> Dialect:
    version = answered_version(asked_version)
    if inflection not in INFLECTIONS:
        raise bad_request(f"Key-Inflection must be one of {', '.join(INFLECTIONS)}")
    return Dialect(version, inflection)


def refusal_reply(error: Refusal, dialect: Dialect | None = None) -> HttpReply:
    """Return a refusal as a reply; None is the usual dialect."""
    dialect = dialect or Dialect()
    body = json_bytes(inflect(error.body, dialect.inflection))
    return HttpReply(error.status, body, version=dialect.version, headers=dict(error.headers))


def json_bytes(value: Any, *, sort: bool = False) -> bytes:
    """Return a value as JSON, with the keys in their order or sorted."""
    return (_ENCODE_SORTED if sort else _ENCODE)(value).encode()
