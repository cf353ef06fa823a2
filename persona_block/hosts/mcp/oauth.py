"""Callers that come with a token of an authorization server: the token is checked, and names whose Persona API key is used.

The server is a resource server as RFC 9728 describes it, and takes JWT access tokens (RFC 9068) that were issued for it. A
token is never sent to Persona, and a caller never learns the API key that their calls use.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt.exceptions import PyJWTError
from mcp.server import ServerRequestContext
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from pydantic import AnyHttpUrl, TypeAdapter
from pydantic.config import ConfigDict
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ...credentials import ApiKey
from .callers import refuse
from .identity import Caller
from .secret_names import PersonaKeys
from .signing import IssuerUnavailable, SigningKeys

LEEWAY_SECONDS = 30
"""By how much the clocks of issuer and server may differ."""
TOKEN_CHARACTERS = 16 * 1024
"""The longest token that is looked at."""
TOKEN_TYPES = ("at+jwt", "application/at+jwt", "jwt")
"""What the header `typ` of a token may say, in any case; it may also be missing."""
READ_SCOPE = "persona:read"
"""The scope of whoever may read."""
WRITE_SCOPE = "persona:write"
"""The scope of whoever may also change something."""
METADATA_PATH = "/.well-known/oauth-protected-resource"
"""Where the metadata of the resource is, also under the resource's own path."""

_NAME_CLAIM = "persona_block/key"
"""The claim, beside those of the token, that holds the name of the secret with the caller's API key."""
_URL: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True))
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OAuth:
    """How callers show who they are.

    issuer: the identifier of the authorization server, as tokens name it. resource: the URL by which clients reach `/mcp`; a
    token has to be issued for it. keys: the Persona API keys of the callers. signing_keys: those of the issuer.
    authorization_server: what clients are told to get tokens from; the default is the issuer. read_scope, write_scope: the
    scopes; a token without the second is offered only what changes nothing.
    """

    issuer: str
    resource: str
    keys: PersonaKeys
    signing_keys: SigningKeys = field(repr=False)
    authorization_server: str | None = None
    read_scope: str = READ_SCOPE
    write_scope: str = WRITE_SCOPE

    @property
    def scopes(self) -> list[str]:
        """The scopes that a token may have here."""
        return [self.read_scope, self.write_scope]

    @property
    def challenge(self) -> str:
        """What tells a client where to get a token, for the header WWW-Authenticate."""
        metadata_url = build_resource_metadata_url(_URL.validate_python(self.resource))
        return f'Bearer resource_metadata="{metadata_url}", scope="{" ".join(self.scopes)}"'

    def routes(self) -> list[Route]:
        """Return the routes of the resource's metadata: under its own path, and at the root for clients that look there."""
        (own,) = create_protected_resource_routes(
            resource_url=_URL.validate_python(self.resource),
            authorization_servers=[_URL.validate_python(self.authorization_server or self.issuer)],
            scopes_supported=self.scopes,
            resource_name="Persona",
        )
        return [own, Route(METADATA_PATH, endpoint=own.endpoint, methods=["GET", "OPTIONS"])]

    def identify(self, ctx: ServerRequestContext[Any, Any]) -> Caller:
        """Return who made a request, by the token that was checked before."""
        user = ctx.request.scope.get("user") if ctx.request is not None else None
        if not isinstance(user, AuthenticatedUser):
            return Caller(ApiKey(None), "", read_only=True)
        token = user.access_token
        api_key = self.keys.of_secret((token.claims or {}).get(_NAME_CLAIM)) or ApiKey(None)
        name = hashlib.sha256(f"{token.client_id} {api_key.digest()}".encode()).hexdigest()
        return Caller(api_key, name, read_only=self.write_scope not in token.scopes)


class TokenVerifier:
    """Checks the tokens of an issuer."""

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whose token it is; None for one that is not good here, whatever is wrong with it."""
        try:
            claims = await self._claims(token)
        except IssuerUnavailable:
            _log.error("no token can be checked: the keys of the issuer cannot be read")
            return None
        except (PyJWTError, ValueError, TypeError, RecursionError) as error:
            _log.info("a token was refused: %s", type(error).__name__)
            return None
        subject = str(claims["sub"])
        client = str(claims.get("client_id") or claims.get("azp") or "")
        caller = hashlib.sha256(f"{self._oauth.issuer}\n{subject}\n{client}".encode("utf-8", "backslashreplace")).hexdigest()
        return AccessToken(
            token="",
            client_id=caller,
            scopes=_scopes(claims),
            expires_at=int(claims["exp"]) + LEEWAY_SECONDS,
            claims={_NAME_CLAIM: self._oauth.keys.secret_of(claims)},
        )

    async def _claims(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a good token; raises PyJWTError, ValueError or IssuerUnavailable for another."""
        if len(token) > TOKEN_CHARACTERS:
            raise ValueError
        header = jwt.get_unverified_header(token)
        key_id = header.get("kid")
        is_access_token = str(header.get("typ", "jwt")).lower() in TOKEN_TYPES
        # `crit` names extensions that whoever reads the token has to understand.
        if not is_access_token or "crit" in header or not isinstance(key_id, str | None):
            raise ValueError
        key = await self._oauth.signing_keys.find(key_id)
        if key is None:
            raise ValueError
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=key.algorithms,
            audience=[self._oauth.resource, self._oauth.resource.removesuffix("/"), f"{self._oauth.resource}/"],
            issuer=self._oauth.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return claims


class RequireScope:
    """Answers 403 to a caller whose token gives no scope here, or for whom there is no Persona API key.

    open_paths: the paths that need neither.
    """

    def __init__(self, app: ASGIApp, *, oauth: OAuth, open_paths: Collection[str] = ()) -> None:
        self._app = app
        self._oauth = oauth
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        user = scope.get("user")
        is_open = scope["type"] != "http" or scope["path"] in self._open_paths
        if is_open or not isinstance(user, AuthenticatedUser):
            await self._app(scope, receive, send)
        elif not set(user.scopes) & set(self._oauth.scopes):
            challenge = self._oauth.challenge.replace("Bearer ", 'Bearer error="insufficient_scope", ', 1)
            text = f"The token needs the scope {self._oauth.read_scope}, or {self._oauth.write_scope} to change anything."
            await refuse(send, 403, text, challenge)
        elif (user.access_token.claims or {}).get(_NAME_CLAIM) is None:
            await refuse(send, 403, "There is no Persona API key for this caller; whoever runs the server has to name one.")
        else:
            await self._app(scope, receive, send)


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """Return the scopes of a token, as RFC 9068 writes them or as a list under `scp`."""
    stated = claims.get("scope", claims.get("scp", ""))
    words = stated.split() if isinstance(stated, str) else stated if isinstance(stated, list) else []
    return [word for word in words if isinstance(word, str)]
