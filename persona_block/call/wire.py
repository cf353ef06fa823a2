"""HTTP exchanges within bounds of time, size and encoding, that leave no connection and no cookie behind."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import IO, TypeVar

import httpx

from .observe import silent_libraries

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
_ENDING = 1.0
"""Seconds that abandoned exchanges get when the pool is closed."""


class Oversized(Exception):
    """A body is larger than its reader takes."""


class UnaskedEncoding(Exception):
    """A body is packed in a way that was not asked for."""


class Allowance:
    """Seconds that one exchange may take; a file earns more for each byte that moves."""

    def __init__(self, seconds: float, *, earns: bool = False) -> None:
        self._earns = earns
        self.ends = asyncio.get_running_loop().time() + seconds

    def moved(self, count: int) -> None:
        """Take note that so many bytes of a file came or went."""
        if self._earns:
            self.ends += count / SLOWEST


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

    async def trace(self, event: str, _info: Mapping[str, object]) -> None:
        """Take note of an event of httpcore (encode.io/httpcore/extensions, "trace")."""
        if event == "http11.send_request_headers.started":
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
        self.http = httpx.AsyncClient(
            headers={"Accept-Encoding": _ENCODING, **(headers or {})},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            verify=tls_context(),
            trust_env=trust_env,
            cookies=no_cookies(),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=20),
        )
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._is_pooled = transport is None or isinstance(transport, httpx.AsyncHTTPTransport)
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
        beginning = _Beginning(has_begun=not self._is_pooled)
        if self._is_pooled:
            request.extensions["trace"] = beginning.trace
        try:
            async with asyncio.timeout_at(allowance.ends):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no connection became free", request=request) from None
        task = asyncio.create_task(self._exchange(request, receive, auth))
        task.add_done_callback(lambda _: self._places.release())
        try:
            while not task.done():
                left = allowance.ends - loop.time()
                if left <= 0:
                    raise TimeoutError
                await asyncio.wait({task}, timeout=left)
        finally:
            if not task.done():
                self._keep(task)
                beginning.is_abandoned = True
                if beginning.has_begun:
                    task.cancel()
        return task.result()

    async def _exchange(
        self, request: httpx.Request, receive: Callable[[httpx.Response], Awaitable[Received]], auth: httpx.Auth | None
    ) -> Received:
        with silent_libraries():
            response = await self.http.send(request, stream=True, auth=auth)
            try:
                return await receive(response)
            finally:
                closing = asyncio.create_task(response.aclose())
                self._keep(closing)
                await asyncio.shield(closing)

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


async def pieces(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """Yield a body in unpacked pieces; raises Oversized beyond `limit` bytes and UnaskedEncoding for any other packing."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", _ENCODING):
        raise UnaskedEncoding
    size = 0
    async for piece in _unpacked(response, encoding == _ENCODING):
        size += len(piece)
        if size > limit:
            raise Oversized
        yield piece


async def _unpacked(response: httpx.Response, packed: bool) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:  # a transport in the place of the network may bring whole answers
        yield await response.aread()
        return
    if not packed:
        async for piece in response.aiter_raw():
            yield piece
        return
    unpacking = zlib.decompressobj(_GZIP_ONLY)
    is_empty = True
    try:
        async for packed_piece in response.aiter_raw():
            is_empty = is_empty and not packed_piece
            rest, unpacked = packed_piece, b"?"
            while (rest or len(unpacked) == _PIECE) and not unpacking.eof:
                unpacked = unpacking.decompress(rest, _PIECE)
                rest = unpacking.unconsumed_tail
                yield unpacked
    except zlib.error:
        raise httpx.DecodingError("the body is not what its encoding says") from None
    if not (unpacking.eof or is_empty):
        raise httpx.DecodingError("the packed body is cut off")


def no_cookies() -> CookieJar:
    """Return a jar that takes no cookie, so that none of one caller's answers is sent with another's requests."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@cache
def tls_context() -> ssl.SSLContext:
    """Return one verifying TLS context for all clients; making one reads every root certificate."""
    return httpx.create_ssl_context()
