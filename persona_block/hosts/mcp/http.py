"""The MCP server over streamable HTTP: each request brings its own key or token, and sessions have owners."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware

from ...credentials import ApiKey
from .callers import BoundedSessions, KeyVerifier, RequireKey
from .health import health_routes
from .oauth import OAuth, RequireScope, TokenVerifier
from .server import Options, create_server

PATH = "/mcp"
"""Where the server is."""
NO_ACCESS_TEXT = "Send a token of the authorization server with each request, as the header Authorization: Bearer."
"""What a request without a good token is answered, where an authorization server gives them out."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def create_app(
    options: Options,
    *,
    api_key: str | ApiKey | None = None,
    oauth: OAuth | None = None,
    hosts: Iterable[str] = (),
    stateless: bool = False,
) -> Starlette:
    """Return the ASGI application, with the server at `/mcp`, and `/healthz` and `/readyz`.

    api_key: the key that every caller uses, for a simulation; with None each request brings its own, or is answered 401.
    oauth: takes tokens of an authorization server in the place of API keys.
    hosts: the names that it is reached by beside loopback, such as `mcp.example.com`; requests for any other host are refused,
        which keeps web pages from reaching it under a name of their own.
    stateless: keep no sessions; clients of the handshake era then cannot be asked for consent.
    """
    server = create_server(options, api_key=api_key, identify=oauth.identify if oauth else None)
    names = [*_LOOPBACK, *hosts, *([urlsplit(oauth.resource).hostname or ""] if oauth else [])]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[pattern for name in names for pattern in (name, f"{name}:*")],
        allowed_origins=[f"{scheme}://{name}{port}" for name in names for scheme in ("http", "https") for port in ("", ":*")],
    )
    routes = [*health_routes(oauth.signing_keys.is_ready if oauth else _is_ready), *(oauth.routes() if oauth else ())]
    app = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=stateless, transport_security=security, custom_starlette_routes=routes
    )
    open_paths = [route.path for route in routes]
    # The one added last comes first.
    app.add_middleware(BoundedSessions)
    app.add_middleware(AuthContextMiddleware)
    if oauth:
        app.add_middleware(RequireScope, oauth=oauth, open_paths=open_paths)
        app.add_middleware(RequireKey, text=NO_ACCESS_TEXT, challenge=oauth.challenge, open_paths=open_paths)
        app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(TokenVerifier(oauth)))
        return app
    if api_key is None:
        app.add_middleware(RequireKey, open_paths=open_paths)
    app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(KeyVerifier()))
    return app


async def _is_ready() -> bool:
    """Return that there is nothing to wait for, where tokens are API keys."""
    return True
