"""A small authorization server: it lets everybody in as one subject, and signs tokens with a key that it can change."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from mcp.server.auth.provider import AccessToken, AuthorizationCode, AuthorizationParams, RefreshToken, construct_redirect_uri
from mcp.server.auth.routes import create_auth_routes
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RESOURCE = "https://mcp.example.com/mcp"
"""The server that tokens are for, unless they say otherwise."""


class Issuer:
    """The keys of an issuer, its documents and its tokens.

    url: its identifier. subject: whom its flow gives tokens to. readings: how often its keys were read. is_down: whether it
    answers nothing but 503.
    """

    def __init__(self, url: str = "https://issuer.example.com", subject: str = "alice") -> None:
        self.url = url
        self.subject = subject
        self.readings = 0
        self.is_down = False
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the old one is published no longer."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = secrets.token_hex(4)

    def token(self, *, header: dict[str, Any] | None = None, key: Any = None, alg: str = "ES256", **claims: Any) -> str:
        """Return a token; claims and headers given here stand in the place of good ones, and None leaves one out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": RESOURCE, "sub": self.subject, "iat": now, "exp": now + 300, "scope": "persona:read"}
        kept = {name: value for name, value in (good | claims).items() if value is not None}
        headers = {name: value for name, value in ({"kid": self._key_id} | (header or {})).items() if value is not None}
        return jwt.encode(kept, self._key if key is None else key, alg, headers)

    @property
    def jwks(self) -> dict[str, Any]:
        """The published keys."""
        own = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**own, "kid": self._key_id, "use": "sig"}]}

    @property
    def metadata(self) -> dict[str, Any]:
        """What OpenID Connect Discovery finds."""
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def transport(self) -> httpx.MockTransport:
        """Return a network that has this issuer alone."""

        def answer(request: httpx.Request) -> httpx.Response:
            if self.is_down:
                return httpx.Response(503)
            if request.url.path == "/keys":
                self.readings += 1
                return httpx.Response(200, json=self.jwks)
            found = request.url.path == "/.well-known/openid-configuration"
            return httpx.Response(200, json=self.metadata) if found else httpx.Response(404)

        return httpx.MockTransport(answer)

    def app(self) -> Starlette:
        """Return the issuer as an application, where clients register and get tokens with PKCE."""

        async def keys(_: Request) -> Response:
            self.readings += 1
            return JSONResponse(self.jwks)

        async def metadata(_: Request) -> Response:
            return JSONResponse(self.metadata)

        registration = ClientRegistrationOptions(enabled=True, valid_scopes=["persona:read", "persona:write"])
        # The URL stays as it is here, where another model would add a slash.
        settings = AuthSettings.model_validate({"issuer_url": self.url, "resource_server_url": None})
        flow = create_auth_routes(_Flow(self), settings.issuer_url, client_registration_options=registration)
        return Starlette(routes=[*flow, Route("/keys", keys), Route("/.well-known/openid-configuration", metadata)])


class _Flow:
    """The authorization code flow, which asks nobody."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._clients: dict[str, OAuthClientInformationFull] = {}
        self._codes: dict[str, AuthorizationCode] = {}

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return self._clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self._clients[str(client_info.client_id)] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        code = AuthorizationCode(
            code=secrets.token_urlsafe(24),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=str(client.client_id),
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
        )
        self._codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(
        self, _client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self._codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        scope = " ".join(authorization_code.scopes)
        token = self._issuer.token(aud=authorization_code.resource, scope=scope, client_id=client.client_id)
        return OAuthToken(access_token=token, expires_in=300, scope=scope)

    async def load_refresh_token(self, _client: OAuthClientInformationFull, _refresh_token: str) -> RefreshToken | None:
        return None

    async def exchange_refresh_token(
        self, _client: OAuthClientInformationFull, _refresh_token: RefreshToken, _scopes: list[str]
    ) -> OAuthToken:
        raise AssertionError("there are no refresh tokens")

    async def load_access_token(self, _token: str) -> AccessToken | None:
        return None

    async def revoke_token(self, _token: AccessToken | RefreshToken) -> None:
        return None

    async def exchange_identity_assertion(self, _client: OAuthClientInformationFull, _params: Any) -> OAuthToken:
        raise AssertionError("there are no assertions")
