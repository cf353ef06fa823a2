"""httpx and aiohttp as wires: the same requests, one attempt each, the same proxies, and the truth of what was sent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import io
import json
import logging
import os
import re
import socket
import threading
import traceback
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import FileRules, FileStore, InputError, Runner, TransportError
from persona_block.call.observe import event_hooks
from persona_block.call.wire import Allowance, Request, Unsent, Upload, WireName, choosing, chosen, make_wire, tls_context
from persona_block.call.wire.bodies import Multipart
from persona_block.call.wire.over_aiohttp import AiohttpWire
from persona_block.call.wire.over_httpx import HttpxWire
from persona_block.call.wire.proxies import Proxies
from tests.call.test_wire import ID, INQUIRY, packed, serving
from tests.support.loopback import LoopbackServer, server_context, write_authority

OK = packed(json.dumps(INQUIRY).encode())
SECRET = "planted-key"
Replying = Callable[[bytes], bytes | None]
"""What is answered to a request's head and body; None drops the connection."""


@asynccontextmanager
async def replying(reply: Replying, heard: list[bytes] | None = None) -> AsyncIterator[str]:
    """Serve connections that are kept, and keep the requests as they came."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", request, re.IGNORECASE)
            request += await reader.readexactly(int(length[1])) if length else b""
            if heard is not None:
                heard.append(request)
            if (said := reply(request)) is None:
                return
            writer.write(said)
            await writer.drain()

    async with serving(answer) as url:
        yield url


# --- what is sent ----------------------------------------------------------------------------------------------------------


async def test_both_send_the_same() -> None:
    told: dict[str, list[dict[str, Any]]] = {}
    for wire in ("httpx", "aiohttp"):
        heard: list[bytes] = []
        async with replying(lambda _: OK, heard) as url, Runner(api_key=SECRET, base_url=f"{url}/a%20b", wire=wire) as runner:
            await runner.call("get_inquiry", ID)
            await runner.run("list_accounts", {"referenceId": "a/b c+&%é", "pageSize": 3})
            await runner.run("create_account", {"referenceId": "é\u2028"}, idempotency_key="one")
            await runner.run("approve_inquiry", ID, idempotency_key="two")
            await runner.run("import_accounts", {"file": b"reference_id\nc\n"}, idempotency_key="three")
        told[wire] = [_read(each, url) for each in heard]
    assert told["httpx"] == told["aiohttp"]
    assert [each["headers"]["authorization"] for each in told["aiohttp"]] == [f"Bearer {SECRET}"] * 5


def _read(request: bytes, url: str) -> dict[str, Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode("latin-1").replace(url.partition("//")[2], "host").split("\r\n")
    by_name = {name.lower(): value for name, _, value in (each.partition(": ") for each in headers)}
    for own in ("user-agent", "connection"):
        by_name.pop(own, None)
    assert len(by_name) >= len(headers) - 2
    boundary = by_name.get("content-type", "").partition("boundary=")[2]
    parts = {"body": body.decode(), "headers": by_name, "line": line}
    return cast(dict[str, Any], json.loads(json.dumps(parts).replace(boundary, "B") if boundary else json.dumps(parts)))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.binary(max_size=200_000))
def test_a_file_is_packed_as_httpx_packs_it(name: str, content: bytes) -> None:
    files = {"file": (f"{name}.csv", io.BytesIO(content), "text/csv")}
    theirs = httpx.Request("POST", "http://a", files=files, headers={"Content-Type": "multipart/form-data; boundary=b"})

    async def packed_here() -> tuple[bytes, str]:
        body = Multipart(Upload("file", f"{name}.csv", io.BytesIO(content)), Allowance(1), boundary="b")
        return b"".join([piece async for piece in body]), body.headers["Content-Length"]

    assert asyncio.run(packed_here()) == (theirs.read(), theirs.headers["Content-Length"])


# --- an attempt is an attempt ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("operation", ["get_inquiry", "approve_inquiry"])
async def test_a_request_whose_kept_connection_is_dropped_is_not_sent_again(operation: Any) -> None:
    heard: list[bytes] = []
    async with replying(lambda _: OK if len(heard) == 1 else None, heard) as url:
        async with Runner(api_key="k", base_url=url, deadline=0) as runner:
            await runner.call("get_inquiry", ID)
            result = await runner.run(operation, ID)
    assert len(heard) == 2
    assert (result.attempts, result.success) == (1, False)
    assert "no answer (" in (result.error or "") or "got no answer" in (result.error or "")
    took_effect = (result.error_details or {}).get("tookEffect")
    assert took_effect == (None if operation == "get_inquiry" else "unknown")


@pytest.mark.usefixtures("wire")
async def test_what_comes_unasked_is_no_answer() -> None:
    other = packed(b'{"data": {"type": "inquiry", "id": "inq_other"}}')

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(other)

    async with serving(answer) as url, Runner(api_key="k", base_url=url, deadline=5) as runner:
        for _ in range(4):
            assert (await runner.call("get_inquiry", ID))["inquiry"]["id"] == "inq_1"
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("wire")
async def test_what_comes_unasked_and_was_not_read_yet_is_no_answer() -> None:
    """The event loop is held up while it comes, so that the system still holds it."""
    other = packed(b'{"data": {"type": "inquiry", "id": "inq_other"}}')
    listening = socket.create_server(("127.0.0.1", 0))
    may_write, has_written = threading.Event(), threading.Event()

    def serve() -> None:
        for number in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(OK)
                if number == 0:
                    may_write.wait(5)
                    connection.sendall(other)
                    has_written.set()
                    with contextlib.suppress(ConnectionError):
                        connection.recv(65_536)

    seen: list[httpx.Request] = []

    async def see(request: httpx.Request) -> None:
        seen.append(request)

    thread = threading.Thread(target=serve)
    thread.start()
    token = event_hooks.set({"request": [see]})
    try:
        async with Runner(api_key="k", base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", deadline=5) as runner:
            assert (await runner.call("get_inquiry", ID))["inquiry"]["id"] == "inq_1"
            may_write.set()
            assert has_written.wait(5)
            result = await runner.run("get_inquiry", ID)
    finally:
        event_hooks.reset(token)
        thread.join(5)
        listening.close()
    assert result.output["inquiry"]["id"] == "inq_1"
    assert (result.attempts, len(seen)) == (1, 2)


@pytest.mark.usefixtures("wire")
async def test_no_redirect_is_followed_and_no_cookie_kept() -> None:
    heard: list[bytes] = []
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nSet-Cookie: seen=1; Path=/\r\nContent-Length: 0\r\n\r\n"
    async with replying(lambda _: redirect, heard) as url, Runner(api_key="k", base_url=url) as runner:
        for _ in range(2):
            assert not (await runner.run("get_inquiry", ID)).success
    assert len(heard) == 2
    assert not any(b"cookie" in request.lower() or b"elsewhere" in request for request in heard)


@pytest.mark.usefixtures("wire")
async def test_the_file_host_is_followed_where_it_is_trusted(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def reply(request: bytes) -> bytes:
        if request.startswith(b"GET /a.png"):
            return b"HTTP/1.1 302 Found\r\nLocation: b.png?access_token=t%2F\r\nContent-Length: 0\r\n\r\n"
        return packed(b"a picture")

    rules = FileRules(hosts=("127.0.0.1",))
    async with replying(reply, heard) as url:
        async with Runner(api_key=SECRET, files=FileStore(tmp_path), file_rules=rules) as runner:
            assert (await runner.download(f"{url}/a.png#part")).size == 9
    assert [request.split(b" ")[1] for request in heard] == [b"/a.png", b"/b.png?access_token=t%2F"]
    assert not any(SECRET.encode() in request or b"Persona-" in request for request in heard)


# --- what is told of failures ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("wire")
async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with replying(lambda _: OK) as url:
        pass
    async with Runner(api_key="k", base_url=url, deadline=0) as runner:
        with pytest.raises(TransportError, match=r"no connection \(ConnectError\)") as caught:
            await runner.call("approve_inquiry", ID)
    assert (caught.value.took_effect, caught.value.retryable) == ("no", True)


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("reply", [b"nonsense\r\n\r\n", OK[:-5], b"HTTP/1.1 200 OK\r\nA", OK[:20]])
async def test_half_an_answer_leaves_doubt(reply: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()

    async with serving(answer) as url, Runner(api_key="k", base_url=url, deadline=0) as runner:
        with pytest.raises(TransportError, match=r"no answer \(RemoteProtocolError\)") as caught:
            await runner.call("approve_inquiry", ID)
    assert caught.value.took_effect == "unknown"


@pytest.mark.usefixtures("wire")
async def test_silence_is_told_as_such() -> None:
    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(answer) as url, Runner(api_key="k", base_url=url, timeout=0.1, deadline=0) as runner:
        with pytest.raises(TransportError, match=r"no answer \(ReadTimeout\)") as caught:
            await runner.call("approve_inquiry", ID)
    assert caught.value.took_effect == "unknown"


@pytest.mark.usefixtures("wire")
async def test_headers_without_end_are_not_read() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            writer.write(b"X-%d: %s\r\n" % (number, b"x" * 8_000))
            await writer.drain()

    async with serving(answer) as url, Runner(api_key="k", base_url=url, deadline=0) as runner:
        with pytest.raises(TransportError, match=r"no answer \(RemoteProtocolError\)"):
            await asyncio.wait_for(runner.call("get_inquiry", ID), 5)


@pytest.mark.usefixtures("wire")
async def test_a_packing_that_is_told_twice_was_not_asked_for() -> None:
    twice = packed(b"x", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n")
    async with replying(lambda _: twice) as url, Runner(api_key="k", base_url=url) as runner:
        result = await runner.run("get_inquiry", ID)
    assert "packed in a way that was not asked for" in (result.error or "")


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("is_trusted", [True, False])
async def test_only_a_trusted_certificate_gets_a_request(
    is_trusted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(write_authority(tmp_path)))
    tls_context.cache_clear()
    try:
        with LoopbackServer(tls=server_context()) as server:
            async with Runner(api_key="k", base_url=server.url, deadline=0) as runner:
                result = await runner.run("approve_inquiry", ID)
            assert len(server.asked) == is_trusted
    finally:
        tls_context.cache_clear()
    if not is_trusted:
        assert (result.error_details or {})["tookEffect"] == "no"


# --- uploads ---------------------------------------------------------------------------------------------------------------


class _Breaking(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(min(size or 0, 1000) if self.tell() < 5000 else 0)
        if self.tell() >= 5000:
            raise TransportError("gone")
        return piece


async def _upload(url: str, stream: IO[bytes], wire: str, seconds: float = 30) -> None:
    opened = make_wire(wire, timeout=seconds)
    try:
        request = Request("POST", url, upload=Upload("file", "a.csv", stream))

        async def receive(_response: Any) -> None:
            return None

        await opened.exchange(request, receive, Allowance(20, earns=True))
    finally:
        await opened.aclose()


async def test_a_file_that_cannot_be_read_any_more_raises_what_reading_raised(wire: WireName) -> None:
    async with replying(lambda _: OK) as url:
        with pytest.raises(TransportError, match="gone"):
            await asyncio.wait_for(_upload(url, _Breaking(b"x" * 10_000), wire), 5)


async def test_an_upload_that_nobody_takes_ends(wire: WireName) -> None:
    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(30)

    async with serving(answer) as url:
        with pytest.raises(Exception, match=r"^(WriteTimeout)?$"):
            await asyncio.wait_for(_upload(url, io.BytesIO(b"x" * 30_000_000), wire, seconds=0.3), 10)


def _sockets() -> int:
    gc.collect()
    links = Path("/proc/self/fd")
    return sum(1 for each in links.iterdir() if os.path.islink(each) and os.readlink(each).startswith("socket"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open sockets are counted in /proc")
@pytest.mark.parametrize("is_answered", [True, False])
@pytest.mark.parametrize("is_upload", [True, False])
async def test_a_request_that_nobody_reads_keeps_no_connection(is_answered: bool, is_upload: bool, wire: WireName) -> None:
    connections = 0
    accepted: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        accepted.append(writer)
        await reader.readuntil(b"\r\n")
        cast(asyncio.Transport, writer.transport).pause_reading()
        if is_answered:
            writer.write(packed(b"no"))
        await asyncio.sleep(30)

    async def receive(response: Any) -> int:
        while await response.read():
            pass
        return int(response.status)

    content = b"x" * 20_000_000
    async with serving(answer) as url:
        opened = make_wire(wire, timeout=0.2)
        before = _sockets()
        for _ in range(2):
            upload = Upload("file", "a.csv", io.BytesIO(content)) if is_upload else None
            request = Request("POST", url, content=None if is_upload else content, upload=upload)
            with contextlib.suppress(Exception):
                assert await opened.exchange(request, receive, Allowance(0.5)) == 200
        await asyncio.sleep(0.05)
        assert connections == 2, "a request was written after another that is not sent yet"
        assert _sockets() - before == len(accepted), "what is left are those of the server"
        last = Request("POST", url, content=content)
        call = asyncio.create_task(opened.exchange(last, receive, Allowance(20)))
        await asyncio.sleep(0.05)
        await asyncio.wait_for(opened.aclose(), 5)
        await asyncio.gather(call, return_exceptions=True)


async def test_a_large_request_that_is_answered_too_early_over_tls_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    accepted: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        await reader.readuntil(b"\r\n")
        cast(asyncio.Transport, writer.transport).pause_reading()
        writer.write(packed(b"no"))

    async def receive(response: Any) -> int:
        while await response.read():
            pass
        return int(response.status)

    monkeypatch.setenv("SSL_CERT_FILE", str(write_authority(tmp_path)))
    tls_context.cache_clear()
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_context())
    wire = make_wire("aiohttp", timeout=2)
    try:
        request = Request("POST", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", content=b"x" * 20_000_000)
        for _ in range(2):
            assert await wire.exchange(request, receive, Allowance(3)) == 200
    finally:
        await wire.aclose()
        server.close()
        for writer in accepted:
            writer.transport.abort()
        tls_context.cache_clear()
    assert len(accepted) == 2


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("status", [b"101 Switching Protocols", b"099 Nothing"])
async def test_a_status_that_ends_no_call_is_no_answer(status: bytes) -> None:
    heard: list[bytes] = []
    async with replying(lambda _: b"HTTP/1.1 " + status + b"\r\n\r\n" + OK, heard) as url:
        async with Runner(api_key="k", base_url=url, deadline=0) as runner:
            with pytest.raises(TransportError, match=r"no answer \(RemoteProtocolError\)") as caught:
                await runner.call("approve_inquiry", ID)
    assert (caught.value.took_effect, len(heard)) == ("unknown", 1)


@pytest.mark.usefixtures("wire")
async def test_silence_after_an_early_hint_is_told_as_such() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await reader.read()

    async with serving(answer) as url, Runner(api_key="k", base_url=url, timeout=0.1, deadline=0) as runner:
        with pytest.raises(TransportError, match=r"no answer \(ReadTimeout\)"):
            await runner.call("approve_inquiry", ID)


async def test_nothing_is_sent_by_a_wire_that_a_hook_has_closed() -> None:
    async def received(response: Any) -> int:
        await response.read()
        return int(response.status)

    async def close(_request: httpx.Request) -> None:
        await closed.aclose()

    heard: list[bytes] = []
    async with replying(lambda _: OK, heard) as url:
        other = make_wire("aiohttp", timeout=5)  # whose kept connection it could take
        token = event_hooks.set({"request": [close]})
        closed = make_wire("aiohttp", timeout=5)
        event_hooks.reset(token)
        assert await other.exchange(Request("GET", url), received, Allowance(5)) == 200
        with pytest.raises(Unsent, match="closed"):
            await closed.exchange(Request("POST", url, content=b"{}"), received, Allowance(5))
        await other.aclose()
    assert len(heard) == 1


# --- one session for each event loop ---------------------------------------------------------------------------------------


async def test_runners_of_one_loop_share_connections_until_the_last_is_closed() -> None:
    from persona_block.call.wire import sessions

    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)

    async with serving(answer) as url:
        one, two = (Runner(api_key="k", base_url=url, wire="aiohttp") for _ in range(2))
        for runner in (one, two, one):
            await runner.call("get_inquiry", ID)
        shared = sessions.shared_session()
        await shared.leave()
        assert connections == 1
        await one.aclose()
        await two.call("get_inquiry", ID)
        assert (connections, shared.session.closed) == (1, False)
        await two.aclose()
        assert shared.session.closed


@pytest.mark.parametrize("is_running", [True, False])
def test_a_runner_that_nobody_closes_leaves_without_a_word(is_running: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def used() -> None:
        async with replying(lambda _: OK) as url:
            runner = Runner(api_key="k", base_url=url, wire="aiohttp")
            await runner.call("get_inquiry", ID)
            if not is_running:
                kept.append(runner)
            del runner
            gc.collect()
            await asyncio.sleep(0.05)

    kept: list[Runner] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(used())
        kept.clear()
        gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.usefixtures("wire")
async def test_closing_ends_what_is_under_way() -> None:
    asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()

    async with serving(answer) as url:
        runner = Runner(api_key="k", base_url=url)
        call = asyncio.create_task(runner.run("approve_inquiry", ID))
        await asyncio.wait_for(asked.wait(), 5)
        await runner.aclose()
        result = await asyncio.wait_for(call, 5)
        assert (result.error_details or {})["tookEffect"] == "unknown"
        late = await runner.run("approve_inquiry", ID)
    assert "closed" in (late.error or "")
    assert (late.error_details or {})["tookEffect"] == "no"


@pytest.mark.usefixtures("wire")
async def test_a_call_that_is_cancelled_leaves_no_key_in_its_frames() -> None:
    asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()

    async with serving(answer) as url, Runner(api_key=SECRET, base_url=url) as runner:
        call = asyncio.create_task(runner.call("get_inquiry", ID))
        await asyncio.wait_for(asked.wait(), 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "exchange" in shown
    assert SECRET not in shown.replace(f'"{SECRET}"', "").replace(f"SECRET = '{SECRET}'", "")


async def test_no_frame_that_waits_for_an_answer_holds_the_key() -> None:
    heard = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        heard.set()
        await reader.read()

    async with serving(answer) as url, Runner(api_key=SECRET, base_url=url, wire="aiohttp") as runner:
        call = asyncio.create_task(runner.call("get_inquiry", ID))
        await heard.wait()
        waiting, held, seen = cast(Any, call.get_coro()), [], []
        while hasattr(waiting, "cr_frame"):
            frame, waiting = waiting.cr_frame, waiting.cr_await
            if "persona_block" in frame.f_code.co_filename:
                seen.append(frame.f_code.co_name)
                held += [name for name, value in frame.f_locals.items() if SECRET in repr(value)]
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    assert "ask" in seen
    assert held == []


async def test_hooks_see_requests_and_answers(wire: WireName) -> None:
    seen: list[Any] = []

    async def request_hook(request: httpx.Request) -> None:
        assert request.headers["User-Agent"].startswith(f"python-{wire}/")
        seen.append((request.method, request.url.path, json.loads(request.content)))

    async def response_hook(response: httpx.Response) -> None:
        seen.append((response.status_code, response.headers["Content-Type"], response.request.method))

    token = event_hooks.set({"request": [request_hook], "response": [response_hook]})
    try:
        async with replying(lambda _: OK) as url, Runner(api_key="k", base_url=url) as runner:
            await runner.run("create_account", {"referenceId": "r"})
    finally:
        event_hooks.reset(token)
    assert seen[0][:2] == ("POST", "/accounts")
    assert seen[1:] == [(200, "application/json", "POST")]


# --- proxies ---------------------------------------------------------------------------------------------------------------

_HOSTS = st.sampled_from(["a.test", "b.a.test", "xa.test", "localhost", "127.0.0.1", "[::1]", "10.0.0.1"])
_PORTS = st.sampled_from(["", ":443", ":80", ":8443"])
_SCHEMES = st.sampled_from(["http", "https"])
_ENTRIES = st.sampled_from(
    [
        "a.test",
        ".a.test",
        "b.a.test:8443",
        "localhost",
        "127.0.0.1",
        "::1",
        "10.0.0.0/8",
        "https://a.test",
        "http://",
        "*",
        " ",
        "test",
    ]
)
_ADDRESSES = st.sampled_from(["", "proxy.test:3128", "http://u:p%40@proxy.test:1", "https://proxy.test"])


@given(_SCHEMES, _HOSTS, _PORTS, st.lists(_ENTRIES, max_size=3), st.lists(_ADDRESSES, min_size=3, max_size=3))
def test_a_proxy_is_chosen_as_httpx_chooses(scheme: str, host: str, port: str, excepted: list[str], told: list[str]) -> None:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    with pytest.MonkeyPatch.context() as patch:
        for name in (*names, *(name.lower() for name in names)):
            patch.delenv(name, raising=False)
        for name, value in zip(names, (*told, ",".join(excepted)), strict=True):
            if value:
                patch.setenv(name, value)
        url = httpx.URL(f"{scheme}://{host}{port}/a")
        client = httpx.AsyncClient()
        transport = getattr(client, "_transport_for_url")(url)  # noqa: B009 - httpx shows its choice nowhere else
        pool = getattr(transport, "_pool")  # noqa: B009
        theirs = getattr(pool, "_proxy_url", None)
        ours = Proxies().of(url)
    if theirs is None:
        assert ours is None
    else:
        assert ours is not None
        parsed = httpx.URL(ours.url)
        assert parsed.userinfo == b""
        assert (parsed.raw_scheme, parsed.raw_host) == (theirs.scheme, theirs.host)
        credentials = [value.decode() for name, value in getattr(pool, "_proxy_headers") if name == b"Proxy-Authorization"]  # noqa: B009
        assert list(ours.headers().values()) == credentials


@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("excepted", ["", "tunnel.test"])
async def test_a_tunnel_is_asked_for_with_the_proxys_own_credentials(
    excepted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_authority(tmp_path)))
    monkeypatch.setenv("NO_PROXY", excepted)
    tls_context.cache_clear()
    asked: list[bytes] = []
    with LoopbackServer(lambda _: _answered(), tls=server_context("tunnel.test")) as server:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            host, port = "127.0.0.1", int(server.url.rpartition(":")[2])
            far_reader, far_writer = await asyncio.open_connection(host, port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                far_writer.close()
                await far_writer.wait_closed()

        async with serving(tunnel) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.replace("//", "//us%40er:pa%3Ass@"))
            async with Runner(api_key=SECRET, base_url="https://tunnel.test", deadline=0) as runner:
                result = await runner.run("get_inquiry", ID)
    tls_context.cache_clear()
    assert result.success is (not excepted)
    if excepted:
        assert asked == []
        return
    assert asked[0].startswith(b"CONNECT tunnel.test:443 HTTP/1.1\r\n")
    assert base64.b64encode(b"us@er:pa:ss") in asked[0]
    assert SECRET.encode() not in asked[0]
    (inner,) = server.asked
    assert (inner.path, inner.headers["authorization"]) == ("/inquiries/inq_1", f"Bearer {SECRET}")
    assert "proxy-authorization" not in inner.headers


def _answered() -> Any:
    from tests.support.loopback import Answered

    return Answered.of(INQUIRY)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()
    writer.close()


@pytest.mark.usefixtures("wire")
async def test_a_proxy_that_refuses_gets_nothing_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with replying(lambda _: b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with Runner(api_key="k", base_url="https://tunnel.test", deadline=0) as runner:
            with pytest.raises(TransportError, match=r"no connection \(ProxyError\)") as caught:
                await runner.call("approve_inquiry", ID)
    assert caught.value.took_effect == "no"


# --- which one -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[int, ...] | None], None]:
    monkeypatch.delenv("PERSONA_WIRE", raising=False)
    for name in ("ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    def install(version: tuple[int, ...] | None) -> None:
        monkeypatch.setattr(choosing, "installed", lambda: version)

    return install


@pytest.mark.parametrize(
    ("version", "expected"),
    [(None, "httpx"), ((3, 13, 5), "httpx"), ((3, 14, 0), "aiohttp"), ((3, 15, 0), "httpx"), ((4, 0), "httpx")],
)
def test_auto_takes_aiohttp_where_it_was_tested(installed: Any, version: Any, expected: str) -> None:
    installed(version)
    assert chosen() == chosen("auto") == expected
    assert chosen("httpx") == "httpx"


def test_what_is_installed_here_was_tested() -> None:
    assert chosen("aiohttp") == "aiohttp"


async def test_the_runner_wins_over_the_environment_and_a_transport_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERSONA_WIRE", "aiohttp")
    assert isinstance(make_wire(timeout=1), AiohttpWire)
    assert isinstance(make_wire("httpx", timeout=1), HttpxWire)
    mocked = httpx.MockTransport(lambda _: httpx.Response(200, json=INQUIRY))
    async with Runner(api_key="k", transport=mocked, wire="aiohttp") as runner:
        assert (await runner.call("get_inquiry", ID))["inquiry"]["id"] == "inq_1"


@pytest.mark.parametrize(
    ("version", "name", "words"),
    [
        (None, "aiohttp", "install persona-block"),
        ((3, 9), "aiohttp", r"from 3\.14 on and before 3\.15"),
        ((3, 14), "curl", "must be one of auto, httpx, aiohttp"),
    ],
)
def test_a_wire_that_cannot_be_had_is_refused(
    installed: Any, version: Any, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(version)
    with pytest.raises(InputError, match=f"wire: .*{words}"):
        Runner(wire=cast(WireName, name))
    monkeypatch.setenv("PERSONA_WIRE", name)
    with pytest.raises(InputError, match=f"wire: .*{words}"):
        Runner()


def test_socks_is_left_to_httpx(installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    installed((3, 14))
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert chosen("auto") == "httpx"
    assert chosen("auto", trust_env=False) == "aiohttp"
    with pytest.raises(InputError, match="SOCKS"):
        chosen("aiohttp")
    assert os.environ["ALL_PROXY"]
