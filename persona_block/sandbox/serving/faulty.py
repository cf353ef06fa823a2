"""Faults on real sockets: a server of the sandbox's application that makes calls of the API go wrong.

It speaks HTTP/1.1 itself, one request a connection, because no common server can break connections in these ways.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable

import h11
import httpx

from .app import BASE_PATH
from .faults import Fault, Faults, extensions, replacement

_STALL = 30.0  # real seconds
_RESET = struct.pack("ii", 1, 0)

# Headers that belong to a connection, not to the request that it carries
_CONNECTION_HEADERS = frozenset({b"connection", b"content-length", b"transfer-encoding", b"expect"})


@contextlib.asynccontextmanager
async def serving_faults(
    application: httpx.AsyncBaseTransport, faults: Callable[[], Faults | None], listening: socket.socket, origin: str
) -> AsyncIterator[None]:
    """Serve an application on a listening socket, with the present faults, while the context lasts."""
    server = _FaultyServer(application, faults, origin)
    accepting = await asyncio.start_server(server.handle, sock=listening)
    try:
        yield
    finally:
        accepting.close()
        await server.close()


class _FaultyServer:
    """A server of one request a connection, which plays the faults and keeps nothing from one request to the next."""

    def __init__(self, application: httpx.AsyncBaseTransport, faults: Callable[[], Faults | None], origin: str) -> None:
        self._application = application
        self._faults = faults
        self._origin = origin
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
            pass  # the caller has gone, or the server ends
        finally:
            self._tasks.discard(task)
            writer.close()

    async def close(self) -> None:
        """End the connections that still stall."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request_reader = _RequestReader(reader)
        request = await request_reader.head()
        fault = self._fault(request)
        if fault and fault.name == "refuse":
            _reset(writer)
            return
        if continue_bytes := request_reader.continue_bytes():
            writer.write(continue_bytes)
        body = await request_reader.body()
        answer = None
        if fault is None or fault.processed or fault.stored:
            headers = [(name, value) for name, value in request.headers if name not in _CONNECTION_HEADERS]
            url = self._origin + request.target.decode("ascii")
            passed_on = httpx.Request(
                request.method.decode("ascii"),
                url,
                headers=headers,
                content=body,
                extensions=extensions(fault) if fault else None,
            )
            answer = await self._application.handle_async_request(passed_on)
            await answer.aread()
        await _write(writer, fault.name if fault else "", answer)

    def _fault(self, request: h11.Request) -> Fault | None:
        faults = self._faults()
        return faults.next() if faults and request.target.startswith(f"{BASE_PATH}/".encode()) else None


class _RequestReader:
    """The reader of one request."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._connection = h11.Connection(h11.SERVER)

    async def head(self) -> h11.Request:
        event = await self._event()
        if not isinstance(event, h11.Request):
            raise ConnectionError("closed before a request came")
        return event

    def continue_bytes(self) -> bytes | None:
        """Return the answer to a caller that waits before it sends its body (`Expect: 100-continue`), or None."""
        if not self._connection.they_are_waiting_for_100_continue:
            return None
        return self._connection.send(h11.InformationalResponse(status_code=100, headers=[]))

    async def body(self) -> bytes:
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        return bytes(body)

    async def _event(self) -> object:
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            self._connection.receive_data(await self._reader.read(65_536))
        return event


async def _write(writer: asyncio.StreamWriter, fault: str, answer: httpx.Response | None) -> None:
    """Write `answer`, or what the fault makes of it."""
    if fault in ("reset-before", "reset-after"):
        _reset(writer)
    elif fault == "stall":
        await asyncio.sleep(_STALL)
    elif fault == "garbage":
        writer.write(b"\x00\xff nonsense \r\n\r\n")
    elif replaced := replacement(fault):
        writer.write(_response_bytes(*replaced))
    else:
        assert answer is not None
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        content = _response_bytes(answer.status_code, headers, answer.content)
        if fault == "cut-body":
            writer.write(content[: -max(1, len(answer.content) // 2)])
        elif fault == "trickle":
            step = max(1, len(content) // 20)
            for start in range(0, len(content), step):
                writer.write(content[start : start + step])
                await writer.drain()
                await asyncio.sleep(0.005)
        else:
            writer.write(content)
    await writer.drain()


def _response_bytes(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the caller sees a reset and not an end."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
