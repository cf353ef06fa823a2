"""HTTP exchanges within bounds of time, size and encoding, that leave no connection and no cookie behind."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import IO, TypeVar

import httpx

from ..errors import PersonaError
from .observe import event_hooks, silent_libraries

Received = TypeVar("Received")

FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
"""What an exchange raises where no whole answer came, beside TimeoutError."""

CONNECTIONS = 100
"""Requests under way at a time; further ones wait here, where they can be cancelled without a trace."""

SLOWEST = 16 * 1024
"""Bytes a second below which a file that comes or goes is taken to stand still, averaged over the whole exchange."""

_ENCODING = "gzip"
"""The one content encoding that is asked for, since what it unpacks to can be counted on the way."""
_GZIP_ONLY = 31
"""zlib's window for gzip with its header."""
_PIECE = 64 * 1024
_LOST_TUNNELS = 10
"""Connections that a pool of 100 may lose before it is replaced."""
_ENDING = 1.0
"""Seconds that abandoned exchanges get when the pool is closed."""


class Unsent(Exception):
    """No request could be sent; the text says in a word why."""


class Oversized(Exception):
    """A body is larger than its reader takes."""


class UnaskedEncoding(Exception):
    """A body is packed in a way that was not asked for."""


class Allowance:
    """Seconds that one exchange may take; a file earns more for each byte that moves.

    What it has earned never lets it stand still for longer than those seconds.
    """

    def __init__(self, seconds: float, *, earns: bool = False) -> None:
        self._seconds = seconds
        self._earns = earns
        self._loop = asyncio.get_running_loop()
        self.ends = self._loop.time() + seconds

    def moved(self, count: int) -> None:
        """Take note that so many bytes of a file came or went over the wire."""
        if self._earns:
            self.ends = max(self.ends, min(self.ends + count / SLOWEST, self._loop.time() + self._seconds))


class Moving:
    """An upload's stream that reports each piece which is read from it."""

    def __init__(self, stream: IO[bytes], allowance: Allowance) -> None:
        self._stream = stream
        self._allowance = allowance

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does."""
        piece = self._stream.read(size)
        self._allowance.moved(len(piece))
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek as the stream does."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position of the stream."""
        return self._stream.tell()


class _Beginning:
    """Whether an exchange has begun to send.

    Until then it must not be cancelled: httpcore keeps a connection whose request goes away before that for good, and once 100
    are lost so, the pool is full. One that is abandoned earlier ends by itself as soon as it would begin to send.
    """

    def __init__(self, has_begun: bool) -> None:
        self.has_begun = has_begun
        self.is_abandoned = False
        self.is_tunnelled = False

    async def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of an event of httpcore (encode.io/httpcore/extensions); a proxy's CONNECT sends nothing of ours."""
        if event == "http11.send_request_headers.started" and getattr(info.get("request"), "method", b"") == b"CONNECT":
            self.is_tunnelled = True
        elif event == "http11.send_request_headers.started":
            if self.is_abandoned:
                raise asyncio.CancelledError
            self.has_begun = True


class Wire:
    """One connection pool, used within one event loop.

    It keeps no cookie and follows no redirect. An exchange that is cancelled, or runs out of time, ends in a task of its own,
    since a connection whose closing is cut short stays in the pool for good.

    timeout: seconds for connecting, and for each read and write.
    transport: answers in the place of the network.
    trust_env: whether proxies of the environment are used.
    """

    def __init__(
        self,
        *,
        timeout: httpx.Timeout | float | None,
        transport: httpx.AsyncBaseTransport | None = None,
        headers: Mapping[str, str] | None = None,
        trust_env: bool = True,
    ) -> None:
        self._open = partial(
            httpx.AsyncClient,
            headers={"Accept-Encoding": _ENCODING, **(headers or {})},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            verify=tls_context(),
            trust_env=trust_env,
            cookies=no_cookies(),
            event_hooks=event_hooks.get(),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=20),
        )
        self.http = self._open()
        self._lost_tunnels = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._is_pooled = transport is None or isinstance(transport, httpx.AsyncHTTPTransport)
        self._exchanging: set[asyncio.Task[object]] = set()
        self._ending: set[asyncio.Task[object]] = set()

    async def exchange(
        self,
        request: httpx.Request,
        receive: Callable[[httpx.Response], Awaitable[Received]],
        allowance: Allowance,
        auth: httpx.Auth | None = None,
    ) -> Received:
        """Send a request and return what `receive` makes of its answer.

        Raises TimeoutError where the allowance ran out, one of `FAILURES` where no whole answer came, and what `receive` does.
        """
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise PersonaError("This runner belongs to another event loop; make one there. Nothing was sent.")
        beginning = _Beginning(has_begun=not self._is_pooled)
        if self._is_pooled:
            request.extensions["trace"] = beginning.trace
        try:
            async with asyncio.timeout_at(allowance.ends):
                await self._places.acquire()
        except TimeoutError:
            raise Unsent("none became free") from None
        task = asyncio.create_task(self._exchange(request, receive, auth))
        self._exchanging.add(task)
        task.add_done_callback(self._finished)
        try:
            while not task.done():
                left = allowance.ends - loop.time()
                if left <= 0 and not beginning.has_begun:
                    raise Unsent("not in time")
                if left <= 0:
                    raise TimeoutError
                await asyncio.wait({task}, timeout=left)
        finally:
            if not task.done():
                self._keep(task)
                beginning.is_abandoned = True
                if beginning.has_begun:
                    task.cancel()
        try:
            return task.result()
        except Exception as error:
            await self._note_failure(beginning)
            if self._is_pooled and not beginning.has_begun and isinstance(error, FAILURES):
                raise Unsent(type(error).__name__) from None
            raise

    async def _note_failure(self, beginning: _Beginning) -> None:
        """Open a new pool after some tunnels whose TLS failed: httpcore keeps the connection of each for good."""
        self._lost_tunnels += beginning.is_tunnelled and not beginning.has_begun
        if self._lost_tunnels < _LOST_TUNNELS:
            return
        self._lost_tunnels = 0
        before, self.http = self.http, self._open()
        closing = asyncio.create_task(self._close_later(before))
        self._keep(closing)

    async def _close_later(self, pool: httpx.AsyncClient) -> None:
        """Close a pool once the exchanges that may still use it are over."""
        users = [task for task in self._exchanging if not task.done()]
        if users:
            await asyncio.wait(users)
        await pool.aclose()

    async def _exchange(
        self, request: httpx.Request, receive: Callable[[httpx.Response], Awaitable[Received]], auth: httpx.Auth | None
    ) -> Received:
        with silent_libraries():
            try:
                response = await self.http.send(request, stream=True, auth=auth)
            except RuntimeError:  # httpx raises it where the client was closed meanwhile
                raise Unsent("closed") from None
            try:
                return await receive(response)
            finally:
                if not response.is_closed:  # one that was read to its end is
                    self._keep(closing := asyncio.create_task(response.aclose()))
                    await asyncio.shield(closing)

    def _finished(self, task: asyncio.Task[object]) -> None:
        self._exchanging.discard(task)
        self._places.release()

    def _keep(self, task: asyncio.Task[Received]) -> None:
        """Let a task end in its own time."""
        kept: asyncio.Task[object] = task
        self._ending.add(kept)
        kept.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it any more

    async def aclose(self) -> None:
        """Close every connection."""
        if self._ending:
            await asyncio.wait(self._ending, timeout=_ENDING)
        for task in self._ending:
            task.cancel()
        await self.http.aclose()


async def pieces(response: httpx.Response, limit: int, allowance: Allowance | None = None) -> AsyncIterator[bytes]:
    """Yield a body in unpacked pieces; raises Oversized beyond `limit` bytes and UnaskedEncoding for any other packing.

    allowance: is told of each byte that comes over the wire.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", _ENCODING):
        raise UnaskedEncoding
    size = 0
    async for piece in _unpacked(response, encoding == _ENCODING, allowance):
        size += len(piece)
        if size > limit:
            raise Oversized
        yield piece


async def _unpacked(response: httpx.Response, packed: bool, allowance: Allowance | None) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:  # a transport in the place of the network may bring whole answers
        yield await response.aread()
        return
    if not packed:
        async for piece in _raw(response, allowance):
            yield piece
        return
    unpacking = zlib.decompressobj(_GZIP_ONLY)
    is_empty = True
    try:
        async for packed_piece in _raw(response, allowance):
            is_empty = is_empty and not packed_piece
            rest, unpacked = packed_piece, b"?"
            while rest or (len(unpacked) == _PIECE and not unpacking.eof):
                if unpacking.eof:  # one packed part may follow another (RFC 1952, section 2.2)
                    unpacking = zlib.decompressobj(_GZIP_ONLY)
                unpacked = unpacking.decompress(rest, _PIECE)
                rest = unpacking.unconsumed_tail or unpacking.unused_data
                yield unpacked
    except zlib.error:
        raise httpx.DecodingError("the body is not what its encoding says") from None
    if not (unpacking.eof or is_empty):
        raise httpx.DecodingError("the packed body is cut off")


async def _raw(response: httpx.Response, allowance: Allowance | None) -> AsyncIterator[bytes]:
    async for piece in response.aiter_raw():
        if allowance is not None:
            allowance.moved(len(piece))
        yield piece


def is_sent(error: Exception) -> bool:
    """Return whether something may have been sent before an exchange failed so."""
    unsent = httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.LocalProtocolError
    return not isinstance(error, unsent)


def no_cookies() -> CookieJar:
    """Return a jar that takes no cookie, so that none of one caller's answers is sent with another's requests."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@cache
def tls_context() -> ssl.SSLContext:
    """Return one verifying TLS context for all clients; making one reads every root certificate."""
    return httpx.create_ssl_context()
