"""The sandbox as httpx transports: its application called in this process, and one with faults around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from .app import BASE_PATH
from .faults import FAILS, Fault, Faults, extensions, replacement


class InProcessTransport(httpx.AsyncBaseTransport):
    """A transport to an application; requests to the host of files go to the application's path for them."""

    def __init__(self, app: Any, files_url: str) -> None:
        self._app = app
        self._application = httpx.ASGITransport(app)
        self._files_url = files_url

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if FAILS in request.extensions:
            return await httpx.ASGITransport(self._failing(request.extensions[FAILS])).handle_async_request(request)
        if str(request.url).startswith(f"{self._files_url}/"):
            url = request.url.copy_with(raw_path=b"/files" + request.url.raw_path)
            request = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        return await self._application.handle_async_request(request)

    def _failing(self, side: str) -> Any:
        """Return the application for a request that is to fail on a side."""

        async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
            await self._app({**scope, FAILS: side}, receive, send)

        return app


class FaultyTransport(httpx.AsyncBaseTransport):
    """A transport with faults around another; an answer that never comes is a timeout at once."""

    def __init__(self, application: httpx.AsyncBaseTransport, faults: Callable[[], Faults | None]) -> None:
        self._application = application
        self._faults = faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        faults = self._faults()
        fault = faults.next() if faults and request.url.path.startswith(f"{BASE_PATH}/") else None
        if fault is None:
            return await self._application.handle_async_request(request)
        if fault.stored:
            request = httpx.Request(
                request.method,
                request.url,
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, **extensions(fault)},
            )
            return await self._application.handle_async_request(request)
        answer = await self._application.handle_async_request(request) if fault.processed else None
        return await _spoiled(fault, request, answer)


async def _spoiled(fault: Fault, request: httpx.Request, answer: httpx.Response | None) -> httpx.Response:
    """Return what a fault makes of an answer, or raise the error that a client sees."""
    if fault.name in ("refuse", "reset-before", "reset-after"):
        raise httpx.ReadError("the connection was reset", request=request)
    if fault.name == "stall":
        raise httpx.ReadTimeout("no answer came", request=request)
    if fault.name == "garbage":
        raise httpx.RemoteProtocolError("the answer is not HTTP", request=request)
    if replaced := replacement(fault.name):
        status, headers, body = replaced
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))
    assert answer is not None
    stream = _CutStream if fault.name == "cut-body" else _TrickleStream
    return httpx.Response(answer.status_code, headers=answer.headers, stream=stream(await answer.aread()))


class _CutStream(httpx.AsyncByteStream):
    """The first half of a body, and then the end of the connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise httpx.RemoteProtocolError("the connection was closed within the answer")


class _TrickleStream(httpx.AsyncByteStream):
    """A whole body, a few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        step = max(1, len(self._content) // 20)
        for start in range(0, len(self._content), step):
            yield self._content[start : start + step]
            await asyncio.sleep(0)
