"""`--debug`: requests and answers on stderr, with keys and personal values masked."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from ..call.observe import EventHooks
from .masking import MASKED, masked_json, masked_url, shown_headers
from .terminal import print_error

_LIMIT = 1024 * 1024
"""Bytes of an answer that are kept to be shown; of a larger one only its size is."""
_GZIP_OR_ZLIB = 47


def debug_hooks() -> EventHooks:
    """Return the hooks that print each exchange of an HTTP client."""
    return {"request": [_print_request], "response": [_print_answer]}


async def _print_request(request: httpx.Request) -> None:
    request.extensions["debug_started"] = time.monotonic()
    print_error(f"> {request.method} {masked_url(str(request.url))}", *_header_lines(request.headers))
    if request.headers.get("Content-Type", "").startswith("multipart/"):
        print_error("  a file")
    elif body := request.content:
        print_error(*_body_lines(body))


async def _print_answer(response: httpx.Response) -> None:
    took = (time.monotonic() - response.request.extensions["debug_started"]) * 1000
    print_error(f"< {response.status_code}, {took:.0f} ms", *_header_lines(response.headers))
    if response.is_stream_consumed:
        print_error(*_body_lines(response.content))
    elif isinstance(response.stream, httpx.AsyncByteStream):
        is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
        response.stream = _Shown(response.stream, is_packed)


class _Shown(httpx.AsyncByteStream):
    """An answer's stream that is printed once it was read to its end, or closed."""

    def __init__(self, stream: httpx.AsyncByteStream, is_packed: bool) -> None:
        self._stream = stream
        self._is_packed = is_packed
        self._kept = bytearray()
        self._size = 0
        self._is_shown = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._size += len(piece)
            self._kept += piece[: max(0, _LIMIT - len(self._kept))]
            yield piece

    async def aclose(self) -> None:
        """Close the stream, and print what was read."""
        await self._stream.aclose()
        if not self._is_shown:
            self._is_shown = True
            print_error(*self._lines())

    def _lines(self) -> list[str]:
        if self._size > _LIMIT:
            return [f"  {self._size} bytes"]
        body = bytes(self._kept)
        if self._is_packed:
            try:
                body = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, _LIMIT)
            except zlib.error:
                return [f"  {self._size} packed bytes"]
        return _body_lines(body)


def _header_lines(headers: httpx.Headers) -> list[str]:
    return [f"  {name}: {value}" for name, value in shown_headers(headers)]


def _body_lines(body: bytes) -> list[str]:
    """Return a body as it is shown: JSON masked, of anything else the size."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return [f"  {len(body)} bytes"] if body else []
    text = json.dumps(masked_json(document), ensure_ascii=False, indent=1).replace(f'"{MASKED}"', MASKED)
    return [f"  {line}" for line in text.split("\n")]
