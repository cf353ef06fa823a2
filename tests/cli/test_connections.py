"""Connections to the MCP server over HTTP that never ask for anything, and those beyond what it takes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from persona_block.cli.connections import HeaderDeadlineProtocol, server_config

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: a\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[bytes], Awaitable[Streams]]


class Application:
    """An application that answers once it is let go."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def served(app: Application, most_connections: int | None = None) -> AsyncIterator[Connect]:
    """A function that connects to an application, which is served while the context lasts, and sends something."""
    writers: list[asyncio.StreamWriter] = []

    async def connect(sent: bytes) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", bound.getsockname()[1])
        writers.append(writer)
        writer.write(sent)
        await writer.drain()
        return reader, writer

    config = server_config(app, "127.0.0.1", 0, most_connections=most_connections)
    with config.bind_socket() as bound:
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            while not server.started:  # noqa: ASYNC110 - a flag is all it tells
                await asyncio.sleep(0.005)
            yield connect
        finally:
            for writer in writers:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()
            server.should_exit = server.force_exit = True
            await task


async def status(streams: Streams) -> int:
    """Return the status of an answer, which is read as far as its body."""
    head = await asyncio.wait_for(streams[0].readuntil(b"\r\n\r\n"), 5)
    await streams[0].read(2)
    return int(head.split()[1])


async def is_dropped(streams: Streams, seconds: float = 5) -> bool:
    """Return whether the server ends a connection in time, without an answer."""
    try:
        return await asyncio.wait_for(streams[0].read(1), seconds) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a header come within 0.3 s."""
    monkeypatch.setattr(HeaderDeadlineProtocol, "header_seconds", 0.3)


async def test_an_answer_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    without_delay: list[int] = []
    receive = HeaderDeadlineProtocol.data_received

    def record(protocol: HeaderDeadlineProtocol, data: bytes) -> None:
        connection = protocol.transport.get_extra_info("socket")
        without_delay.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        receive(protocol, data)

    monkeypatch.setattr(HeaderDeadlineProtocol, "data_received", record)
    async with served(Application()) as connect:
        assert await status(await connect(REQUEST)) == 200
    assert without_delay == [1]


@pytest.mark.slow
@pytest.mark.usefixtures("short_deadline")
@pytest.mark.parametrize("sent", [b"", b"G", HALF])
async def test_a_connection_without_a_whole_header_is_dropped(sent: bytes) -> None:
    async with served(Application()) as connect:
        assert await is_dropped(await connect(sent))


@pytest.mark.slow
@pytest.mark.usefixtures("short_deadline")
async def test_a_header_that_trickles_in_gains_no_time() -> None:
    async with served(Application()) as connect:
        streams = await connect(HALF)
        dropped = asyncio.create_task(is_dropped(streams, 2))
        for number in range(15):
            if dropped.done():
                break
            streams[1].write(b"X-%d: x\r\n" % number)
            await asyncio.sleep(0.1)
        assert dropped.done()
        assert await dropped


@pytest.mark.slow
@pytest.mark.usefixtures("short_deadline")
async def test_the_next_request_of_a_connection_has_a_deadline_too() -> None:
    async with served(Application()) as connect:
        streams = await connect(REQUEST)
        assert await status(streams) == 200
        streams[1].write(HALF)
        assert await is_dropped(streams, 2)


@pytest.mark.slow
@pytest.mark.usefixtures("short_deadline")
async def test_an_answer_may_take_longer_than_a_header() -> None:
    app = Application()
    app.go_on.clear()
    async with served(app) as connect:
        streams = await connect(REQUEST)
        await asyncio.sleep(0.6)
        app.go_on.set()
        assert await status(streams) == 200


async def test_idle_connections_lock_nobody_out() -> None:
    async with served(Application(), most_connections=10) as connect:
        idle = [await connect(HALF) for _ in range(40)]
        assert await status(await connect(REQUEST)) == 200
        assert await is_dropped(idle[0])
        assert not await is_dropped(idle[-1], 0.1)


async def test_a_request_beyond_what_is_taken_is_answered_503() -> None:
    app = Application()
    app.go_on.clear()
    async with served(app, most_connections=4) as connect:
        under_way = [await connect(REQUEST) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await status(await connect(REQUEST)) == 503
        app.go_on.set()
        assert [await status(each) for each in under_way] == [200] * 3


async def test_the_connections_leave_files_for_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for allowed, most in ((300, 150), (1024, 512), (1_048_576, 1000), (resource.RLIM_INFINITY, 1000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, allowed=allowed: (allowed, allowed))
        assert server_config(Application(), "127.0.0.1", 0).limit_concurrency == most
    assert HeaderDeadlineProtocol.header_seconds == 10
