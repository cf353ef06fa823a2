"""The wire over aiohttp, which takes a fraction of httpx's CPU."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import aiohttp
import httpx
import yarl
from aiohttp.http import HttpProcessingError

from ..observe import event_hooks, silent_libraries
from .bodies import Multipart
from .direct import DirectResponse, Origin
from .exchange import CONNECTIONS, ENCODING, Allowance, Lost, Received, Request, Response, Unsent
from .guarded import Beginning, Stale, beginning
from .over_httpx import HttpxResponse, other_loop
from .proxies import HTTP_SCHEMES, Proxies
from .sessions import SharedSession, shared_session

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "ConnectTimeout"),
    (aiohttp.ServerTimeoutError, "ReadTimeout"),
    (aiohttp.ClientHttpProxyError, "ProxyError"),
    (aiohttp.ClientConnectorError, "ConnectError"),
    (aiohttp.InvalidURL, "InvalidURL"),
    (aiohttp.ServerDisconnectedError, "RemoteProtocolError"),
    (aiohttp.ClientResponseError, "RemoteProtocolError"),
    (HttpProcessingError, "RemoteProtocolError"),
    (aiohttp.ClientPayloadError, "RemoteProtocolError"),
    (aiohttp.ClientOSError, "ReadError"),
    (TimeoutError, "ReadTimeout"),
)
"""How httpx names what aiohttp raises; the first that fits."""


class _Headers(Mapping[str, str]):
    """The headers of an answer, in which several of one name are joined by commas."""

    def __init__(self, response: aiohttp.ClientResponse | DirectResponse) -> None:
        self._headers = response.headers

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._headers.getall(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Return a header, or the default where it is absent, which is cheaper than `Mapping.get`."""
        found = self._headers.getall(name, None)
        return default if found is None else ", ".join(found)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._headers))

    def __len__(self) -> int:
        return len(set(self._headers))


class AiohttpResponse:
    """An answer of aiohttp."""

    def __init__(self, response: aiohttp.ClientResponse | DirectResponse) -> None:
        self._response = response
        self.headers: Mapping[str, str] = _Headers(response)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def encoding(self) -> str:
        """How the pieces are packed."""
        return self.headers.get("Content-Encoding", "")

    async def read(self) -> bytes:
        """Return the next bytes as they came, or none at the end; raises Lost."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            word = _word(error)
        raise Lost(word)


class AiohttpWire:
    """The connections of the event loop's session, with settings of its own.

    timeout: seconds for connecting, and for each read and write.
    headers: sent with each request.
    trust_env: whether proxies of the environment are used.
    """

    def __init__(
        self, *, timeout: httpx.Timeout | float | None, headers: Mapping[str, str] | None = None, trust_env: bool = True
    ) -> None:
        seconds = httpx.Timeout(timeout)
        self._timeout = aiohttp.ClientTimeout(connect=seconds.connect, sock_connect=seconds.connect, sock_read=seconds.read)
        self._write_seconds = seconds.write
        agent = f"python-aiohttp/{aiohttp.__version__}"
        self._headers = {"Accept-Encoding": ENCODING, "User-Agent": agent, **(headers or {})}
        self._hooks = event_hooks.get()
        proxies = Proxies() if trust_env else None
        self._proxies = proxies if proxies is not None and proxies.is_any else None
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shared: SharedSession | None = None
        self._origin: Origin | None = None
        self._bounds: set[asyncio.Timeout] = set()
        self._is_closed = False

    async def exchange(
        self, request: Request, receive: Callable[[Response], Awaitable[Received]], allowance: Allowance
    ) -> Received:
        """Send a request and return what `receive` makes of its answer; see `Wire`."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None:
                raise other_loop()
            self._loop = loop
        if self._is_closed:
            raise Unsent("closed")
        begun = Beginning()
        token = beginning.set(begun)
        failure: Exception
        try:
            async with asyncio.timeout_at(allowance.ends) as bound:
                self._bounds.add(bound)
                allowance.bind(bound, self._write_seconds if request.upload is not None else None)
                try:
                    async with self._places:
                        begun.waits_for = "not in time"
                        with silent_libraries():
                            return await self._sent(request, receive, allowance)
                finally:
                    allowance.bind(None)
                    self._bounds.discard(bound)
        except TimeoutError:
            failure = TimeoutError() if begun.has_begun else Unsent("closed" if self._is_closed else begun.waits_for)
        except asyncio.CancelledError as error:
            # The frames of aiohttp hold the request's headers, and those the API key.
            error.__context__ = None
            raise error.with_traceback(None) from None
        finally:
            beginning.reset(token)
            begun.end()
        raise failure

    async def _sent(
        self, request: Request, receive: Callable[[Response], Awaitable[Received]], allowance: Allowance
    ) -> Received:
        """Send a request within the time that runs, and return what `receive` makes of its answer."""
        body = Multipart(request.upload, allowance) if request.upload is not None else None
        seen = await self._seen_request(request, body)
        failure: Exception
        response: aiohttp.ClientResponse | DirectResponse | None = None
        try:
            while response is None:
                with contextlib.suppress(Stale):
                    response = await self._asked(request, body)
        except (Lost, Unsent) as error:
            failure = type(error)(*error.args)
        except (aiohttp.ClientError, HttpProcessingError, OSError, RuntimeError, ValueError) as error:
            is_sent = beginning.get().has_begun
            failure = (Lost if is_sent else Unsent)("closed" if isinstance(error, RuntimeError) else _word(error))
            if body is not None and body.failure is not None:
                failure = body.failure
        else:
            try:
                return await receive(AiohttpResponse(response) if seen is None else await self._seen_response(response, seen))
            finally:
                response.close()  # which does nothing where it was read to its end, and the request is sent
        raise failure

    async def _asked(self, request: Request, body: Multipart | None) -> aiohttp.ClientResponse | DirectResponse:
        """Send a request and return the beginning of its answer, directly where nothing but that is to be done."""
        url = yarl.URL(request.url, encoded=True)
        if self._is_closed:
            raise Unsent("closed")
        if self._shared is None:
            self._shared = shared_session()
        origin = None if body is not None or self._proxies is not None else self._origin_of(self._shared, url)
        if origin is not None:
            return await origin.ask(request, url, self._headers)
        response = await self._shared.session.request(
            request.method,
            url,
            data=request.content if body is None else body,
            allow_redirects=False,
            timeout=self._timeout,
            **self._options(request, body),
        )
        if response.status < 200:
            response.close()
            raise Lost("RemoteProtocolError")
        return response

    def _origin_of(self, shared: SharedSession, url: yarl.URL) -> Origin | None:
        """Return the origin that is asked directly, or None for a URL that aiohttp's session has to judge."""
        if self._origin is None or not self._origin.is_of(url):
            if url.scheme not in HTTP_SCHEMES or not url.raw_host:
                return None
            origin = Origin(shared, url, self._timeout)
            if not origin.is_of(url):
                return None
            self._origin = origin
        return self._origin

    def _options(self, request: Request, body: Multipart | None) -> dict[str, Any]:
        """Return the headers, and the proxy where one is asked."""
        headers = {**self._headers, **request.all_headers(), **(body.headers if body is not None else {})}
        if self._proxies is None:
            return {"headers": headers}
        url = httpx.URL(request.url)
        proxy = self._proxies.of(url)
        if proxy is None:
            return {"headers": headers}
        if url.scheme == "http":  # the proxy reads the request itself, where it opens a tunnel for any other
            return {"headers": {**headers, **proxy.headers()}, "proxy": proxy.url}
        return {"headers": headers, "proxy": proxy.url, "proxy_headers": proxy.headers()}

    async def _seen_request(self, request: Request, body: Multipart | None) -> httpx.Request | None:
        """Show a request to the hooks as one of httpx, and return that; None where there are no hooks."""
        if self._hooks is None:
            return None
        headers = self._options(request, body)["headers"]
        seen = httpx.Request(request.method, request.url, headers=headers, content=request.content)
        for hook in self._hooks.get("request", ()):
            await hook(seen)
        return seen

    async def _seen_response(self, response: aiohttp.ClientResponse | DirectResponse, request: httpx.Request) -> HttpxResponse:
        """Show an answer to the hooks as one of httpx, and return that."""
        stream = _Stream(AiohttpResponse(response))
        seen = httpx.Response(response.status, headers=list(response.raw_headers), stream=stream, request=request)
        for hook in self._hooks.get("response", ()) if self._hooks else ():
            await hook(seen)
        return HttpxResponse(seen)

    async def aclose(self) -> None:
        """End the exchanges that are under way, and close the session where nobody else uses it."""
        self._is_closed = True
        for bound in self._bounds:
            if not bound.expired():
                bound.reschedule(0)
        if self._shared is not None:
            shared, self._shared, self._origin = self._shared, None, None
            await shared.leave()


class _Stream(httpx.AsyncByteStream):
    """The body of an answer as httpx streams it."""

    def __init__(self, response: AiohttpResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._response.read():
            yield piece


def _word(error: Exception) -> str:
    """Return what httpx calls such an error."""
    return next((word for kind, word in _WORDS if isinstance(error, kind)), type(error).__name__)
