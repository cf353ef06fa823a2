"""The guard before the page of flows: its token, the host it is asked for, and where forms come from."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from ...credentials import Secret

COOKIE = "persona_flows"
LIFETIME = 12 * 3600
"""Seconds that somebody stays signed in."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Who may see the page: those who know the token, in a browser that was asked for it by a name of this server.

    A session is a time and its signature with the token, and so ends for everybody where the token is replaced.
    """

    def __init__(self, token: Secret, public_host: str | None, *, is_secure: bool) -> None:
        self._token = token
        self._public_host = public_host
        self._is_secure = is_secure

    def knows(self, host: str) -> bool:
        """Return whether a Host header names this server; that of another site which leads here does not."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name in ("localhost", self._public_host) or ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def is_token(self, given: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(given.encode(), self._token.reveal().encode())

    def sign_in(self, response: Response) -> None:
        """Have a browser stay signed in."""
        ends = str(int(time.time()) + LIFETIME)
        response.set_cookie(
            COOKIE,
            f"{ends}.{self._signed('session', ends)}",
            LIFETIME,
            httponly=True,
            samesite="strict",
            secure=self._is_secure,
        )

    def is_signed_in(self, request: Request) -> bool:
        """Return whether a request comes from somebody who gave the token not long ago."""
        ends, _, signature = request.cookies.get(COOKIE, "").partition(".")
        is_signed = hmac.compare_digest(signature.encode(), self._signed("session", ends).encode())
        return is_signed and ends.isdecimal() and int(ends) > time.time()

    def form_key(self, request: Request) -> str:
        """Return what a form of this page holds, which no other site can know."""
        return self._signed("form", request.cookies.get(COOKIE, ""))

    def is_own_form(self, request: Request, form_key: str) -> bool:
        """Return whether a form comes from a page of this server."""
        return self.is_same_site(request) and hmac.compare_digest(form_key.encode(), self.form_key(request).encode())

    def is_same_site(self, request: Request) -> bool:
        """Return whether a browser says that a request comes from this server itself, or no browser sent it."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")

    def _signed(self, purpose: str, text: str) -> str:
        return hmac.new(self._token.reveal().encode(), f"{purpose}\x00{text}".encode(), hashlib.sha256).hexdigest()
