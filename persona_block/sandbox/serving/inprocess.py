"""The sandbox as an httpx transport: its application called in this process, with the faults that a network would add."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from .app import BASE_PATH
from .faults import Fault, Faults, replacement


class InProcess(httpx.AsyncBaseTransport):
    """Answers from an application; what is asked of the host of files goes to the application's path for them."""

    def __init__(self, app: Any, files_url: str) -> None:
        self._inner = httpx.ASGITransport(app)
        self._files_url = files_url

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(f"{self._files_url}/"):
            url = request.url.copy_with(raw_path=b"/files" + request.url.raw_path)
            request = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        return await self._inner.handle_async_request(request)


class Faulty(httpx.AsyncBaseTransport):
    """Lets calls of the API go wrong as the faults of the moment say. Nothing waits: what never comes is a timeout at once."""

    def __init__(self, inner: httpx.AsyncBaseTransport, faults: Callable[[], Faults | None]) -> None:
        self._inner = inner
        self._faults = faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        faults = self._faults()
        fault = faults.next() if faults and request.url.path.startswith(f"{BASE_PATH}/") else None
        if fault is None:
            return await self._inner.handle_async_request(request)
        answer = await self._inner.handle_async_request(request) if fault.processed else None
        return await _played(fault, request, answer)


async def _played(fault: Fault, request: httpx.Request, answer: httpx.Response | None) -> httpx.Response:
    """Make of an answer what the fault makes of it."""
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
    stream = _Cut if fault.name == "cut-body" else _Trickle
    return httpx.Response(answer.status_code, headers=answer.headers, stream=stream(await answer.aread()))


class _Cut(httpx.AsyncByteStream):
    """The first half, and then the end of the connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise httpx.RemoteProtocolError("the connection was closed within the answer")


class _Trickle(httpx.AsyncByteStream):
    """All of it, a few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        step = max(1, len(self._content) // 20)
        for start in range(0, len(self._content), step):
            yield self._content[start : start + step]
            await asyncio.sleep(0)
