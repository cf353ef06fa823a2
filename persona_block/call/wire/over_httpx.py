"""The wire over httpx, whose connection pool needs care where exchanges are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from ...errors import PersonaError
from ..observe import event_hooks, silent_libraries
from .bodies import Moving
from .exchange import CONNECTIONS, ENCODING, Allowance, Lost, Received, Request, Response, Unsent
from .tls import tls_context

_FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
"""What an exchange raises where no whole answer came."""
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.LocalProtocolError, httpx.InvalidURL)
"""Those among them that are raised before anything is sent."""
_KEPT = 20
"""Idle connections that are kept: with as many as may be under way, httpcore looks through all of them for each request."""
_LOST_TUNNELS = 10
"""Connections that a pool of 100 may lose before it is replaced."""
_ENDING = 1.0
"""Seconds that abandoned exchanges get when the pool is closed."""


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


class HttpxResponse:
    """An answer of httpx."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._raw = response.aiter_raw()
        # A transport in the place of the network may bring whole answers, which are unpacked already.
        self._whole = response.content if response.is_stream_consumed else None

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name, in any case."""
        return self._response.headers

    @property
    def encoding(self) -> str:
        """How the pieces are packed."""
        return self._response.headers.get("Content-Encoding", "") if self._whole is None else ""

    async def read(self) -> bytes:
        """Return the next bytes as they came, or none at the end; raises Lost."""
        if self._whole is not None:
            whole, self._whole = self._whole, b""
            return whole
        try:
            async for piece in self._raw:
                if piece:
                    return piece
        except _FAILURES as error:
            raise Lost(type(error).__name__) from None
        return b""


class HttpxWire:
    """One connection pool of httpx.

    An exchange that is cancelled, or runs out of time, ends in a task of its own, since a connection whose closing is cut
    short stays in the pool for good.

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
            headers={"Accept-Encoding": ENCODING, **(headers or {})},
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            verify=tls_context(),
            trust_env=trust_env,
            cookies=no_cookies(),
            event_hooks=event_hooks.get(),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=_KEPT),
        )
        self._http = self._open()
        self._lost_tunnels = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._is_pooled = transport is None or isinstance(transport, httpx.AsyncHTTPTransport)
        self._exchanging: set[asyncio.Task[object]] = set()
        self._ending: set[asyncio.Task[object]] = set()

    async def exchange(
        self, request: Request, receive: Callable[[Response], Awaitable[Received]], allowance: Allowance
    ) -> Received:
        """Send a request and return what `receive` makes of its answer; see `Wire`."""
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise other_loop()
        beginning = _Beginning(has_begun=not self._is_pooled)
        try:
            async with asyncio.timeout_at(allowance.ends):
                await self._places.acquire()
        except TimeoutError:
            raise Unsent("none became free") from None
        task = asyncio.create_task(self._exchange(request, receive, allowance, beginning))
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
        except Exception:
            await self._note_failure(beginning)
            raise

    async def _note_failure(self, beginning: _Beginning) -> None:
        """Open a new pool after some tunnels whose TLS failed: httpcore keeps the connection of each for good."""
        self._lost_tunnels += beginning.is_tunnelled and not beginning.has_begun
        if self._lost_tunnels < _LOST_TUNNELS:
            return
        self._lost_tunnels = 0
        before, self._http = self._http, self._open()
        closing = asyncio.create_task(self._close_later(before))
        self._keep(closing)

    async def _close_later(self, pool: httpx.AsyncClient) -> None:
        """Close a pool once the exchanges that may still use it are over."""
        users = [task for task in self._exchanging if not task.done()]
        if users:
            await asyncio.wait(users)
        await pool.aclose()

    async def _exchange(
        self,
        request: Request,
        receive: Callable[[Response], Awaitable[Received]],
        allowance: Allowance,
        beginning: _Beginning,
    ) -> Received:
        failure: Exception
        with silent_libraries():
            try:
                response = await self._http.send(self._built(request, allowance, beginning), stream=True)
            except RuntimeError:  # httpx raises it where the client was closed meanwhile
                failure = Unsent("closed")
            except _FAILURES as error:
                is_unsent = isinstance(error, _UNSENT) or (self._is_pooled and not beginning.has_begun)
                failure = (Unsent if is_unsent else Lost)(type(error).__name__)
            else:
                try:
                    return await receive(HttpxResponse(response))
                finally:
                    if not response.is_closed:  # one that was read to its end is
                        self._keep(closing := asyncio.create_task(response.aclose()))
                        await asyncio.shield(closing)
        raise failure

    def _built(self, request: Request, allowance: Allowance, beginning: _Beginning) -> httpx.Request:
        content: dict[str, Any] = {"content": request.content}
        if (upload := request.upload) is not None:
            upload.stream.seek(0)
            content = {"files": {upload.part: (upload.name, Moving(upload.stream, allowance), upload.media_type)}}
        built = self._http.build_request(request.method, request.url, headers=request.all_headers(), **content)
        if self._is_pooled:
            built.extensions["trace"] = beginning.trace
        return built

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
        await self._http.aclose()


def other_loop() -> PersonaError:
    """Return the error for a wire that is used within a second event loop."""
    return PersonaError("This runner belongs to another event loop; make one there. Nothing was sent.")


def no_cookies() -> CookieJar:
    """Return a jar that takes no cookie, so that none of one caller's answers is sent with another's requests."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
