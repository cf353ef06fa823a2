"""Who makes a request: whose API key it uses, whose files and questions are theirs, and what they may be offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mcp.server import ServerRequestContext

from ...credentials import KEY_VARIABLE, ApiKey
from ...errors import InputError, Problem, printable
from ..selection import Selection

HEADERS = {
    "toolsets": "x-mcp-toolsets",
    "tools": "x-mcp-tools",
    "exclude": "x-mcp-exclude-tools",
    "read_only": "x-mcp-readonly",
}
"""The HTTP headers by which a caller narrows what is offered."""

NO = ("", "0", "false", "no", "off")
"""The words that switch nothing on."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    api_key: what their calls are made with; it may be absent. name: stands for them and tells nothing of the key or of them.
    read_only: whether they are offered only what changes nothing.
    """

    api_key: ApiKey
    name: str
    read_only: bool = False


Identify: TypeAlias = Callable[[ServerRequestContext[Any, Any]], Caller]
"""Tells who makes a request."""


def holder_of(api_key: ApiKey | None) -> Identify:
    """Return what takes everybody for the holder of a key, or with None for the holder of the key that the request brings."""

    def identify(ctx: ServerRequestContext[Any, Any]) -> Caller:
        used_key = api_key
        if used_key is None and ctx.request is not None:
            used_key = bearer_key(str(ctx.request.headers.get("authorization", "")))
        used_key = used_key or ApiKey(None)
        return Caller(used_key, used_key.digest())

    return identify


def bearer_key(authorization: str) -> ApiKey:
    """Return the key of an Authorization header, absent where it holds none."""
    scheme, _, token = authorization.partition(" ")
    return ApiKey(token.strip() if scheme.lower() == "bearer" else None)


def require_key(name: str, api_key: ApiKey, *, over_http: bool) -> None:
    """Raise InputError for a call of a tool by whom there is no key for."""
    if api_key.is_absent:
        hint = "send it with each request as the header Authorization: Bearer" if over_http else f"set {KEY_VARIABLE}"
        raise InputError(
            printable(name), [Problem("host", f"there is no Persona API key; whoever runs this client has to {hint}")]
        )


def narrowing(ctx: ServerRequestContext[Any, Any], *, read_only: bool) -> Selection | None:
    """Return what a request narrows the offer to, by its headers or because its caller may only read; None for nothing.

    A word that is not clearly a no means read-only. Raises InputError for a header that names nothing.
    """
    # A header may come more than once: a gateway adds its own to what the client sent, and all of them count.
    headers: Mapping[str, list[str]] = (
        {option: ctx.request.headers.getlist(header) for option, header in HEADERS.items()} if ctx.request is not None else {}
    )
    if not read_only and not any(headers.values()):
        return None
    values = {option: ",".join(headers.get(option, ())).split(",") for option in HEADERS}
    is_read_only = read_only or any(word.strip().lower() not in NO for word in values["read_only"])
    return Selection.of(toolsets=values["toolsets"], tools=values["tools"], exclude=values["exclude"], read_only=is_read_only)
