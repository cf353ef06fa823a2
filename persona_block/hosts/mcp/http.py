"""The MCP server over streamable HTTP: each request brings its own API key, and a session belongs to the key it began with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware

from ...credentials import ApiKey
from .server import Options, create_server

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class _KeyVerifier:
    """The verifier of tokens, which are API keys: it tells callers apart, and whether a key is good is for Persona to say."""

    async def verify_token(self, token: str) -> AccessToken:
        caller = hashlib.sha256(token.encode()).hexdigest()
        return AccessToken(token="", client_id=caller, scopes=[])


def create_app(
    options: Options, *, api_key: str | ApiKey | None = None, hosts: Iterable[str] = (), stateless: bool = False
) -> Starlette:
    """Return the ASGI application, with the server at `/mcp`.

    api_key: the key that every caller uses, for a simulation; with None each request brings its own.
    hosts: the names that it is reached by beside loopback, such as `mcp.example.com`; requests for any other host are refused,
        which keeps web pages from reaching it under a name of their own.
    stateless: keep no sessions; clients of the handshake era then cannot be asked for consent.
    """
    server = create_server(options, api_key=api_key)
    names = [*_LOOPBACK, *hosts]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[pattern for name in names for pattern in (name, f"{name}:*")],
        allowed_origins=[f"{scheme}://{name}{port}" for name in names for scheme in ("http", "https") for port in ("", ":*")],
    )
    app = server.streamable_http_app(streamable_http_path=PATH, stateless_http=stateless, transport_security=security)
    app.add_middleware(AuthContextMiddleware)
    app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(_KeyVerifier()))
    return app
