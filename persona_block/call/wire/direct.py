"""Requests written straight to a connection of aiohttp, without what its session does around each.

Connections, TLS, the reading of answers and the time limits are aiohttp's. What its session adds has no use here: redirects,
cookies, authentication, middlewares and traces. Uploads and proxies go through the session all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import aiohttp
import yarl
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDictProxy

from .exchange import PIECE, Lost, Request
from .guarded import GuardedRequest, begin_on
from .sessions import ANSWER_BOUNDS, SharedSession

_UNSAFE_TARGET = re.compile(r"[^!-~]")
_UNSAFE_HEADER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WITHOUT_BODY = ("GET", "HEAD")
"""The methods whose request says nothing of a body where it has none (RFC 9110, section 8.6)."""


class DirectResponse:
    """The answer on a connection, which may go back to the others once its body came whole."""

    __slots__ = ("_connection", "_is_kept", "closed", "content", "headers", "raw_headers", "status")

    def __init__(self, connection: Connection, message: RawResponseMessage, content: StreamReader, *, is_kept: bool) -> None:
        self._connection = connection
        self._is_kept = is_kept
        self.status: int = message.code
        self.headers: CIMultiDictProxy[str] = message.headers
        self.raw_headers = message.raw_headers
        self.content = content
        self.closed = False
        content.on_eof(self._release)

    def _release(self) -> None:
        if not self.closed:
            self.closed = True
            transport = self._connection.transport
            if self._is_kept and transport is not None and not transport.get_write_buffer_size():
                self._connection.release()
            else:
                self._connection.close()

    def close(self) -> None:
        """Close the connection, unless the body came whole."""
        if not self.closed:
            self.closed = True
            self._connection.close()


class Origin:
    """A scheme, host and port, as connections are made to them, each within the same limits of time."""

    def __init__(self, shared: SharedSession, url: yarl.URL, timeout: aiohttp.ClientTimeout) -> None:
        self._timeout = timeout
        self._bounds = {**ANSWER_BOUNDS, "read_until_eof": True, "read_timeout": timeout.sock_read}
        self._connector = shared.connector
        self._template = GuardedRequest(
            "GET", url.origin(), loop=shared.loop, session=shared.session, response_class=aiohttp.ClientResponse
        )
        self._host = self._template.headers["Host"]
        self._place = url.scheme, url.raw_host, url.port

    def is_of(self, url: yarl.URL) -> bool:
        """Return whether a URL has this origin, and nothing that says who asks."""
        return (url.scheme, url.raw_host, url.port) == self._place and url.raw_user is None and url.raw_password is None

    async def ask(self, request: Request, url: yarl.URL, headers: Mapping[str, str]) -> DirectResponse:
        """Send a request and return the beginning of its answer; raises Stale, Unsent, Lost and what aiohttp does.

        headers: sent before those of the request, which win.
        """
        try:
            connection = await self._connector.connect(self._template, [], self._timeout)
        except TimeoutError:
            raise aiohttp.ConnectionTimeoutError from None
        try:
            # Made here, so that no frame that waits for the answer holds it, and with it the API key.
            protocol = begin_on(connection, self._written(request, url, headers), self._bounds)
            while True:
                message, content = await protocol.read()
                if message.code >= 200:
                    # A request may be answered before it is sent. Of a large one over TLS, asyncio does not tell.
                    is_kept = len(request.content or b"") <= PIECE
                    return DirectResponse(connection, message, content, is_kept=is_kept)
                if message.code < 100 or message.code == 101:  # no status, or a protocol that was not asked for
                    raise Lost("RemoteProtocolError")
                # A further answer follows (RFC 9110, section 15.2). This one has stopped the limit of its reading.
                if not protocol.should_close:
                    protocol.start_timeout()
        except BaseException:
            connection.close()
            raise

    def _written(self, request: Request, url: yarl.URL, headers: Mapping[str, str]) -> bytes:
        """Return a request as it goes over the connection; raises ValueError for what cannot stand there."""
        content = request.content
        target = url.raw_path_qs
        if _UNSAFE_TARGET.search(target):
            raise ValueError("the target holds white space or control characters")
        lines = [f"{request.method} {target} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **request.all_headers()}.items()]
        if content is not None or request.method not in _WITHOUT_BODY:
            lines.append(f"Content-Length: {len(content or b'')}")
        if not "".join(lines).isprintable() and any(map(_UNSAFE_HEADER.search, lines)):
            raise ValueError("a header holds control characters")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (content or b"")
