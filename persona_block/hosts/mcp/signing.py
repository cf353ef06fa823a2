"""The keys by which an issuer signs its tokens, read from its JWKS and kept within bounds of time and size."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from ...call.addresses import is_loopback

ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""The signatures that are taken, by the type of key: those of a key pair, so that who checks tokens cannot make one."""
RSA_BITS = 2048
"""The shortest RSA key that is taken."""
FRESH_SECONDS = 300.0
"""How long keys are used without being read anew."""
STALE_SECONDS = 3600.0
"""How long keys are used while the issuer cannot be reached."""
PAUSE_SECONDS = 10.0
"""The least time between two readings, however many tokens name keys that are not known."""
ANSWER_BYTES = 256 * 1024
"""The largest document that is read from an issuer."""
MOST_KEYS = 50
"""How many keys of an issuer are kept."""
TIMEOUT_SECONDS = 5.0
"""How long one document may take."""

_log = logging.getLogger(__name__)


class IssuerUnavailable(Exception):
    """An issuer whose documents cannot be read, or do not say what they have to; its text holds no token."""


@dataclass(frozen=True)
class SigningKey:
    """One public key of an issuer, and the signatures that it may be used for."""

    key_id: str | None
    key: Any
    algorithms: tuple[str, ...]


class SigningKeys:
    """The public keys of an issuer.

    issuer: its identifier, which its metadata has to repeat. jwks_url: where its keys are; None takes what its metadata says.
    transport: carries the requests; the default is the network. clock: tells seconds that only go forward.
    """

    def __init__(
        self,
        issuer: str,
        jwks_url: str | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._given_url = jwks_url
        self._transport = transport
        self._clock = clock
        self._keys: list[SigningKey] = []
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> SigningKey | None:
        """Return the key of an id, or the only one where the token names none; None where there is none.

        A key that is not known is looked for at the issuer, at most every PAUSE_SECONDS: that is how new keys come in. Raises
        IssuerUnavailable where no keys can be had.
        """
        if self._age() > FRESH_SECONDS or (self._chosen(key_id) is None):
            await self._refresh()
        if self._age() > STALE_SECONDS:
            raise IssuerUnavailable("the keys of the issuer cannot be read")
        return self._chosen(key_id)

    async def is_ready(self) -> bool:
        """Return whether there are keys to check tokens with."""
        if self._age() > FRESH_SECONDS:
            await self._refresh()
        return bool(self._keys) and self._age() <= STALE_SECONDS

    def _chosen(self, key_id: str | None) -> SigningKey | None:
        if key_id is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((each for each in self._keys if each.key_id == key_id), None)

    def _age(self) -> float:
        return float("inf") if self._read_at is None else self._clock() - self._read_at

    async def _refresh(self) -> None:
        """Read the keys, unless that was tried a moment ago; those that are known stay where it fails."""
        async with self._lock:
            if self._tried_at is not None and self._clock() - self._tried_at < PAUSE_SECONDS:
                return
            self._tried_at = self._clock()
            try:
                async with (
                    asyncio.timeout(2 * TIMEOUT_SECONDS),
                    httpx.AsyncClient(
                        transport=self._transport, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
                    ) as client,
                ):
                    url = self._given_url or await self._discovered(client)
                    keys = _signing_keys(await _document(client, url))
            except (IssuerUnavailable, httpx.HTTPError, TimeoutError, PyJWTError, ValueError) as error:
                _log.warning("the keys of the issuer could not be read: %s", type(error).__name__)
                return
            self._keys, self._read_at = keys, self._clock()

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        """Return where the issuer's metadata says that its keys are."""
        for url in metadata_urls(self._issuer):
            try:
                metadata = await _document(client, url)
            except (IssuerUnavailable, ValueError):
                continue
            if metadata.get("issuer") == self._issuer and isinstance(metadata.get("jwks_uri"), str):
                return checked_url(metadata["jwks_uri"])
        raise IssuerUnavailable("the issuer has no metadata of its own name")


def metadata_urls(issuer: str) -> list[str]:
    """Return where an issuer's metadata may be: as RFC 8414 says, and as OpenID Connect Discovery does."""
    url = httpx.URL(issuer)
    path = url.path.rstrip("/")
    first = str(url.copy_with(path=f"/.well-known/oauth-authorization-server{path}"))
    return [first, f"{issuer.rstrip('/')}/.well-known/openid-configuration"]


def checked_url(url: str) -> str:
    """Return an address that documents may be read from: https, or http on loopback. Raises ValueError for another."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ValueError("must be a URL") from None
    is_safe = parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(parsed.host))
    if not is_safe or not parsed.host or parsed.userinfo or parsed.fragment:
        raise ValueError("must be an https URL, or an http one on loopback, without a user and a fragment")
    return url


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return the JSON object at an address; raises IssuerUnavailable, ValueError or what httpx raises."""
    async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != 200:
            raise IssuerUnavailable(f"a document of the issuer is answered {response.status_code}")
        content = bytearray()
        async for part in response.aiter_bytes():
            content += part
            if len(content) > ANSWER_BYTES:
                raise IssuerUnavailable("a document of the issuer is too large")
    try:
        document = json.loads(bytes(content))
    except RecursionError:
        raise IssuerUnavailable("a document of the issuer is nested too deeply") from None
    if not isinstance(document, dict):
        raise IssuerUnavailable("a document of the issuer is no object")
    return document


def _signing_keys(document: dict[str, Any]) -> list[SigningKey]:
    """Return the public keys of a JWKS that are for signatures; a shared secret is never one."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise IssuerUnavailable("the issuer has no list of keys")
    keys = [key for entry in entries[:MOST_KEYS] if isinstance(entry, dict) and (key := _signing_key(entry))]
    if not keys:
        raise IssuerUnavailable("the issuer has no key that signatures can be checked with")
    return keys


def _signing_key(entry: dict[str, Any]) -> SigningKey | None:
    """Return a key of a JWKS; None for one that is not for signatures that are taken here, or that cannot be read."""
    family = ALGORITHMS.get(str(entry.get("kty")), ())
    algorithms = tuple(each for each in family if entry.get("alg") in (None, each))
    if not algorithms or entry.get("use", "sig") != "sig":
        return None
    try:
        read = PyJWK(entry)
    except (PyJWTError, ValueError, TypeError):
        return None
    if entry["kty"] == "RSA" and read.key.key_size < RSA_BITS:
        return None
    # The curve of a key says which of its family's signatures it makes.
    return SigningKey(read.key_id, read.key, algorithms if entry["kty"] == "RSA" else (read.algorithm_name,))
