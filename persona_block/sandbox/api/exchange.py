"""A request as the server hands it to the protocol, and the reply that it gets back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ...spec.inflection import inflect
from ..messages.errors import Refusal
from .operations import Operation

JSON = "application/json"
PDF = "application/pdf"

_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_ENCODE_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came; `target` is the operation it asks for, or the refusal of one that asks for none.

    `headers` are in lower case. `parts` is a multipart body by part, None for another body; a part without a file has no
    content. `malformed` says what is wrong with a multipart body that cannot be read.
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
class HttpReply:
    """A response: its status, its bytes, and its headers besides the content type."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def refusal_reply(error: Refusal, inflection: str = "kebab") -> HttpReply:
    """Return a refusal as a reply."""
    return HttpReply(error.status, json_bytes(inflect(error.body, inflection)), headers=error.headers)


def json_bytes(value: Any, *, sort: bool = False) -> bytes:
    """Return a value as JSON, with the keys in their order or sorted."""
    return (_ENCODE_SORTED if sort else _ENCODE)(value).encode()
