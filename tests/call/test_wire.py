"""Exchanges within bounds: hostile bodies, hostile headers and cancelled callers cost no memory, no time and no connection."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import anyio
import httpx
import pytest

from persona_block import FileRules, FileStore, ResponseError, Runner, TransportError
from persona_block.call.wire import pieces
from persona_block.call.wire.over_httpx import HttpxResponse
from persona_block.spec import catalog
from persona_block.typed import ApproveInquiryParams
from tests.support.budget import budget
from tests.support.case_files import cases

INQUIRY = {"data": {"type": "inquiry", "id": "inq_1"}}
ID: ApproveInquiryParams = {"inquiryId": "inq_1"}
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answering) -> AsyncIterator[str]:
    """Serve on a loopback port, with one call of `answer` for each connection, and give the base URL."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller went away, or the test is over
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def packed(body: bytes, headers: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


@pytest.mark.usefixtures("wire")
@pytest.mark.soak
async def test_nothing_that_is_cancelled_fills_the_pool() -> None:
    chance = random.Random(7)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(chance.random() * 0.01)
            writer.write(packed(json.dumps(INQUIRY).encode()))
            await writer.drain()

    async with serving(answer) as url, Runner(api_key="k", base_url=url) as runner:

        async def impatient(seconds: float) -> bool:
            try:
                await asyncio.wait_for(runner.call("get_inquiry", ID), seconds)
            except TimeoutError:
                return False
            return True

        finished = []
        for longest in (0.01, 0.02, 0.05, 0.1, 0.15) * budget(small=2, full=20):
            finished += await asyncio.gather(*(impatient(chance.random() * longest) for _ in range(100)))
        assert finished.count(False) > 0.2 * len(finished)
        async with asyncio.timeout(20):
            results = await asyncio.gather(*(runner.run("get_inquiry", ID) for _ in range(100)))
        assert all(result.success for result in results)


async def test_a_call_that_is_cancelled_while_it_connects_sends_nothing(monkeypatch: pytest.MonkeyPatch, wire: str) -> None:
    connecting, connected, may_connect = asyncio.Event(), asyncio.Event(), asyncio.Event()
    received = b""
    connecting_module, function = (anyio, "connect_tcp") if wire == "httpx" else (aiohappyeyeballs, "start_connection")
    connect = getattr(connecting_module, function)

    async def slowly(*where: Any, **options: Any) -> Any:
        connecting.set()
        await may_connect.wait()
        return await connect(*where, **options)

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal received
        received += await reader.read()
        connected.set()

    monkeypatch.setattr(connecting_module, function, slowly)
    async with serving(answer) as url, Runner(api_key="k", base_url=url) as runner:
        call = asyncio.create_task(runner.call("approve_inquiry", ID))
        await asyncio.wait_for(connecting.wait(), 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        may_connect.set()
        if wire == "httpx":  # aiohttp gives the connection up
            await asyncio.wait_for(connected.wait(), 5)
    assert received == b""


BOMB = 400
"""Megabytes that a bomb unpacks to."""
_ENCODINGS = ("gzip", "gzip, gzip", "deflate, gzip", "deflate", "br", "zstd")


def _bomb(encoding: str) -> bytes:
    """Return a body that unpacks to far more than is read; it is made without ever holding what it unpacks to."""
    if encoding not in ("gzip", "gzip, gzip", "deflate, gzip", "deflate"):
        return b"\x28\xb5\x2f\xfd" * 16_000  # no library here packs these; whoever unpacked them would fail otherwise
    packer = zlib.compressobj(9, wbits=31 if encoding.startswith("gzip") else 15)
    body = b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(BOMB)) + packer.flush()
    return gzip.compress(body) if ", " in encoding else body


async def _fetch_bomb(encoding: str, folder: str) -> None:
    content = _bomb(encoding)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(packed(content, f"Content-Encoding: {encoding}\r\n"))
            await writer.drain()

    rules = FileRules(limit=16 * 1024 * 1024, hosts=("127.0.0.1",))
    async with serving(answer) as url:
        async with Runner(api_key="k", base_url=url, deadline=30, file_rules=rules, files=FileStore(folder)) as runner:
            with pytest.raises(ResponseError, match=r"is over|not asked for"):
                await runner.call("get_inquiry", ID)
            with pytest.raises(ResponseError, match=r"is over|not asked for"):
                await runner.download(f"{url}/a.png")


def fetch_bombs(folder: str) -> None:
    """Read every bomb, and print how many megabytes the process grew by meanwhile; run in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for encoding in _ENCODINGS:
        asyncio.run(_fetch_bomb(encoding, folder))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)


@pytest.mark.usefixtures("wire")
@pytest.mark.process
def test_bombs_are_refused_within_bounds_of_memory(tmp_path: Path) -> None:
    script = f"from tests.call.test_wire import fetch_bombs; fetch_bombs({str(tmp_path)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    # Up to 32 MB of an answer are read; each bomb holds 400.
    assert int(done.stdout) < 150
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
async def test_a_packed_body_is_unpacked_whole(size: int) -> None:
    body = json.dumps(INQUIRY | {"padding": "x" * size}).encode()
    packed_body = gzip.compress(body)
    for step in (1, 10, 1_000, len(packed_body)):
        if len(packed_body) // step > 5_000:
            continue

        async def stream(step: int = step) -> AsyncIterator[bytes]:
            for start in range(0, len(packed_body), step):
                yield packed_body[start : start + step]

        response = httpx.Response(200, content=stream(), headers={"Content-Encoding": "gzip"})
        assert b"".join([piece async for piece in pieces(HttpxResponse(response), 10_000_000)]) == body


@pytest.mark.parametrize("damage", [lambda body: body[:-4], lambda body: body[: len(body) // 2], lambda _: b"not gzip at all"])
async def test_a_packed_body_that_is_damaged_is_no_answer(damage: Callable[[bytes], bytes]) -> None:
    content = damage(gzip.compress(json.dumps(INQUIRY).encode()))

    async def stream() -> AsyncIterator[bytes]:
        yield content

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=stream(), headers={"Content-Encoding": "gzip"})

    async with Runner(api_key="k", transport=httpx.MockTransport(answer), deadline=0) as runner:
        with pytest.raises(TransportError, match="DecodingError"):
            await runner.call("get_inquiry", ID)


async def test_only_what_can_be_counted_is_asked_for() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Accept-Encoding"])
        return httpx.Response(200, json=INQUIRY)

    async with Runner(api_key="k", transport=httpx.MockTransport(answer)) as runner:
        await runner.call("get_inquiry", ID)
    assert asked == ["gzip"]


async def test_no_cookie_is_kept_or_sent() -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        cookies = [("Set-Cookie", f"caller-{len(seen)}=secret; Path=/; Domain={request.url.host}"), ("Set-Cookie", "plain=1")]
        return httpx.Response(200, json=INQUIRY, headers=cookies)

    rules = FileRules(hosts=("127.0.0.1",))
    async with Runner(transport=httpx.MockTransport(answer), file_rules=rules) as runner:
        for number in range(10):
            await runner.call("get_inquiry", ID | {"apiKey": f"key-{number}"})
            await runner.run("get_inquiry", ID | {"apiKey": "key-0"})
    assert len(seen) == 20
    assert not any("cookie" in headers for headers in seen)


async def test_the_file_host_gets_no_cookie_and_no_key(tmp_path: Path) -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, content=b"x", headers={"Set-Cookie": "a=b"})

    async with Runner(api_key="k", transport=httpx.MockTransport(answer), files=FileStore(tmp_path)) as runner:
        for _ in range(2):
            await runner.download("https://files.withpersona.com/a.png?access_token=t")
    assert not any({"cookie", "authorization"} & set(headers) for headers in seen)


# --- slow answers ----------------------------------------------------------------------------------------------------------


async def _drip_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65_536)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Drip: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _hint_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(65_536)
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _drip_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.read(65_536)
    kind = b"application/pdf" if b"/print" in head else b"application/json"
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nContent-Length: 100000\r\n\r\n%PDF-")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.usefixtures("wire")
@pytest.mark.slow
@pytest.mark.parametrize("answer", [_drip_head, _hint_early, _drip_body])
async def test_a_server_that_drips_holds_no_operation_beyond_its_deadline(answer: Answering, tmp_path: Path) -> None:
    by_operation = {case.operation: case.live_params() for case in cases()}
    assert set(by_operation) == set(catalog.names())
    store = FileStore(tmp_path)
    async with serving(answer) as url, Runner(api_key="k", base_url=url, deadline=0.3, files=store) as runner:
        started = time.monotonic()
        results = await asyncio.gather(*(runner.run(catalog.operation(name), params) for name, params in by_operation.items()))
        assert time.monotonic() - started < 5
    for result in results:
        assert result.error_details is not None
        assert result.error_details["kind"] == "transport_error"


@pytest.mark.usefixtures("wire")
async def test_a_download_that_drips_ends(tmp_path: Path) -> None:
    rules = FileRules(hosts=("127.0.0.1",))
    async with serving(_drip_body) as url:
        async with Runner(api_key="k", deadline=0.3, files=FileStore(tmp_path), file_rules=rules) as runner:
            with pytest.raises(TransportError, match=r"within 0\.3 s"):
                await asyncio.wait_for(runner.download(f"{url}/a.png"), 5)


@pytest.mark.usefixtures("wire")
@pytest.mark.slow
async def test_a_file_that_moves_may_outlast_the_deadline(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nContent-Length: 400000\r\n\r\n%PDF-")
        for _ in range(20):
            await asyncio.sleep(0.05)
            writer.write(b"x" * 20_000)
        await writer.drain()

    async with serving(answer) as url:
        async with Runner(api_key="k", base_url=url, deadline=0.3, files=FileStore(tmp_path)) as runner:
            started = time.monotonic()
            file = (await runner.call("print_inquiry_pdf", ID))["file"]
    assert file["size"] == 400_000
    assert time.monotonic() - started > 0.9
