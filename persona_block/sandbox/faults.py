"""Faults on real sockets: a server before the sandbox that now and then does what networks and servers do.

Each fault says whether the request reached the sandbox first, so that a test can tell what really happened from what its
caller was told.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11
import httpx

if TYPE_CHECKING:
    from .offline import Sandbox


@dataclass(frozen=True)
class Fault:
    """One way to go wrong; `processed` tells whether the sandbox acts on the request first."""

    name: str
    processed: bool
    means: str


FAULTS: tuple[Fault, ...] = (
    Fault("refuse", False, "The connection is reset before the request is read."),
    Fault("reset-before", False, "The connection is reset after the request is read, before it is processed."),
    Fault("reset-after", True, "The connection is reset after the request is processed."),
    Fault("cut-body", True, "Half of the answer comes, then the connection closes."),
    Fault("stall", True, "The request is processed and the answer never comes."),
    Fault("garbage", True, "The answer is not HTTP."),
    Fault("html-502", False, "A gateway answers 502 with a page."),
    Fault("html-502-after", True, "A gateway answers 502 with a page although the request was processed."),
    Fault("empty-200", True, "The answer is 200 with nothing in it."),
    Fault("wrong-type", True, "The answer is 200 with a page."),
    Fault("gzip-bomb", True, "The answer is small and unpacks to more than anybody should read."),
    Fault("redirect", False, "The answer leads to another host."),
    Fault("rate-limit", False, "The answer is 429."),
    Fault("error-500", False, "The answer is 500."),
    Fault("trickle", True, "The answer comes a few bytes at a time, but it comes."),
)
_BY_NAME = {fault.name: fault for fault in FAULTS}

_STALL = 30.0
_BOMB = 40 * 1024 * 1024
_RESET = struct.pack("ii", 1, 0)
_PAGE = b"<html><body><h1>Bad gateway</h1></body></html>"


class Faults:
    """Which requests go wrong, and how: one in `1 / rate`, of the named kinds, the same for the same seed."""

    def __init__(self, rate: float = 0.2, kinds: Sequence[str] = tuple(_BY_NAME), seed: int = 0) -> None:
        unknown = [kind for kind in kinds if kind not in _BY_NAME]
        if unknown:
            raise ValueError(f"there is no fault called {unknown[0]}; there are {', '.join(_BY_NAME)}")
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, guards nothing
        self._rate = rate
        self._kinds = tuple(kinds)
        self.injected: Counter[str] = Counter()

    def next(self) -> Fault | None:
        """The fault of the next request, or None for a request that goes well."""
        if self._chance.random() >= self._rate:
            return None
        fault = _BY_NAME[self._chance.choice(self._kinds)]
        self.injected[fault.name] += 1
        return fault


@contextlib.asynccontextmanager
async def faulty(sandbox: Sandbox, faults: Faults) -> AsyncIterator[str]:
    """Serve `sandbox` with `faults` on a free loopback port while the context lasts; gives the API's base URL."""
    async with httpx.AsyncClient(transport=sandbox.transport) as inside:
        server = _Server(sandbox, inside, faults)
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}/api/v1"
        finally:
            listening.close()
            await server.close()


class _Server:
    """Takes connections, one request each, and plays the faults."""

    def __init__(self, sandbox: Sandbox, inside: httpx.AsyncClient, faults: Faults) -> None:
        self._origin = sandbox.base_url.removesuffix("/api/v1")
        self._inside = inside
        self._faults = faults
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the caller went away, which is its right, or the server ends
        finally:
            self._tasks.discard(task)
            writer.close()

    async def close(self) -> None:
        """End what is still stalling."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = self._faults.next()
        if fault and fault.name == "refuse":
            _reset(writer)
            return
        request, body = await _read(reader)
        answer = None
        if fault is None or fault.processed:
            headers = [(name, value) for name, value in request.headers if name != b"host"]
            url = self._origin + request.target.decode("ascii")
            answer = await self._inside.request(request.method.decode("ascii"), url, headers=headers, content=body)
        await _write(writer, fault.name if fault else "", answer)


async def _read(reader: asyncio.StreamReader) -> tuple[h11.Request, bytes]:
    connection = h11.Connection(h11.SERVER)
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif request is not None:
            return request, bytes(body)
        else:
            raise ConnectionError("closed before a request came")


async def _write(writer: asyncio.StreamWriter, fault: str, answer: httpx.Response | None) -> None:
    """Write `answer`, or what the fault makes of it, and no more."""
    if fault in ("reset-before", "reset-after"):
        _reset(writer)
    elif fault == "stall":
        await asyncio.sleep(_STALL)
    elif fault == "garbage":
        writer.write(b"\x00\xff nonsense \r\n\r\n")
    elif fault in _REPLACED:
        status, headers, body = _REPLACED[fault]
        writer.write(_packed(status, headers, body))
    else:
        assert answer is not None
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        packed = _packed(answer.status_code, headers, answer.content)
        if fault == "cut-body":
            writer.write(packed[: -max(1, len(answer.content) // 2)])
        elif fault == "trickle":
            step = max(1, len(packed) // 20)
            for start in range(0, len(packed), step):
                writer.write(packed[start : start + step])
                await writer.drain()
                await asyncio.sleep(0.005)
        else:
            writer.write(packed)
    await writer.drain()


def _packed(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the caller sees a reset and not an end."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


_HTML = {"Content-Type": "text/html"}
_REPLACED: dict[str, tuple[int, dict[str, str], bytes]] = {
    "html-502": (502, _HTML, _PAGE),
    "html-502-after": (502, _HTML, _PAGE),
    "empty-200": (200, {"Content-Type": "application/json"}, b""),
    "wrong-type": (200, _HTML, _PAGE),
    "gzip-bomb": (200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, gzip.compress(b" " * _BOMB, 9)),
    "redirect": (302, {"Location": "https://elsewhere.invalid/"}, b""),
    "rate-limit": (
        429,
        {
            "Content-Type": "application/json",
            "RateLimit-Limit": "300",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": "0",
        },
        b'{"errors": [{"title": "Rate limit exceeded"}]}',
    ),
    "error-500": (500, {"Content-Type": "application/json"}, b'{"errors": [{"title": "Internal server error"}]}'),
}
