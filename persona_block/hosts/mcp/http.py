"""The MCP server over streamable HTTP: each request brings its own API key, and a session belongs to the key it began with."""

from __future__ import annotations

from collections.abc import Iterable

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware

from ...credentials import ApiKey
from .callers import BoundedSessions, KeyVerifier, RequireKey
from .server import Options, create_server

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def create_app(
    options: Options, *, api_key: str | ApiKey | None = None, hosts: Iterable[str] = (), stateless: bool = False
) -> Starlette:
    """Return the ASGI application, with the server at `/mcp`.

    api_key: the key that every caller uses, for a simulation; with None each request brings its own, or is answered 401.
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
    # The one added last comes first.
    app.add_middleware(BoundedSessions)
    app.add_middleware(AuthContextMiddleware)
    if api_key is None:
        app.add_middleware(RequireKey)
    app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(KeyVerifier()))
    return app
