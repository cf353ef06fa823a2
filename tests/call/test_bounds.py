"""Bounds of a call: odd answers, closed runners and proxies cost no memory, no time and no truth."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block import (
    FileStore,
    InputError,
    PersonaError,
    ResponseError,
    Runner,
    TransportError,
    WebhookError,
    webhooks,
)
from persona_block.call.json_body import DEEPEST, VALUES_LIMIT, is_too_deep, read_json
from persona_block.call.wire import CONNECTIONS, SLOWEST, Allowance
from persona_block.typed import CreateReportParams
from tests.call.test_wire import ID, INQUIRY, packed, serving

FILE_URL = "https://files.withpersona.com/a.png?access_token=t"


def _runner(answer: Any, **options: Any) -> Runner:
    defaults: dict[str, Any] = {"api_key": "bounds", "base_url": "https://bounds.invalid", "deadline": 0}
    return Runner(transport=httpx.MockTransport(answer), **(defaults | options))


def _inquiry(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"data": {**INQUIRY["data"], "attributes": attributes}}


# --- what a body may hold --------------------------------------------------------------------------------------------------


async def test_half_a_character_does_not_get_beyond_the_answer() -> None:
    """JavaScript leaves one where it cuts a text, and no UTF-8 carries it on."""
    body = json.dumps(_inquiry({"note": "\ud83d cut", "fields": {"\ude00": {"type": "string", "value": "\ud800"}}}))
    async with _runner(lambda _: httpx.Response(200, content=body.encode())) as runner:
        result = await runner.run("get_inquiry", ID)
    json.dumps(result.to_dict(), ensure_ascii=False).encode()
    assert result.output["inquiry"]["note"] == "\ufffd cut"
    assert result.output["inquiry"]["fields"] == {"\ufffd": "\ufffd"}
    refusal = json.dumps({"errors": [{"title": "\udfff no"}]}).encode()
    async with _runner(lambda _: httpx.Response(409, content=refusal)) as runner:
        (await runner.run("approve_inquiry", ID)).model_dump_json()


def test_half_a_character_in_an_event() -> None:
    attributes = {"name": "inquiry.approved", "created-at": "2026-01-05T09:00:00Z", "payload": {"data": INQUIRY["data"]}}
    body = json.dumps({"data": {"type": "event", "id": "evt_\ud83d", "attributes": attributes}}).encode()
    assert webhooks.read(body, webhooks.sign(body, "s"), "s").id == "evt_\ufffd"
    many = b"[" + b"{}," * (VALUES_LIMIT // 2) + b"{}]"
    with pytest.raises(WebhookError, match="not JSON"):
        webhooks.read(many, webhooks.sign(many, "s"), "s")


async def test_a_body_of_countless_values_is_not_read() -> None:
    content = gzip.compress(b'{"data": [' + b"{}," * VALUES_LIMIT + b"{}]}")
    async with _runner(lambda _: httpx.Response(200, content=content, headers={"Content-Encoding": "gzip"})) as runner:
        started = time.process_time()
        with pytest.raises(ResponseError):
            await runner.call("get_inquiry", ID)
    assert time.process_time() - started < 1
    assert read_json(b"[1, 2]") == [1, 2]


@pytest.mark.parametrize(("levels", "is_read"), [(DEEPEST - 1, True), (DEEPEST + 20, False), (240, False), (900, False)])
async def test_what_is_nested_without_end_is_no_output(levels: int, is_read: bool) -> None:
    deep: Any = 1
    for _ in range(levels):
        deep = {"a": deep}
    async with _runner(lambda _: httpx.Response(200, json=_inquiry({"fields": deep}))) as runner:
        result = await runner.run("get_inquiry", ID)
    assert result.success == is_read
    json.loads(result.model_dump_json())
    assert is_too_deep(deep) == (not is_read)


# --- files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("wire")
async def test_a_file_in_several_packed_parts_is_stored_whole(tmp_path: Path) -> None:
    content = b"".join(gzip.compress(part) for part in (b"%PDF-one", b"two" * 50_000, b"three"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = "Content-Encoding: gzip\r\n"
        writer.write(packed(content, head).replace(b"application/json", b"application/pdf", 1))
        await writer.drain()

    async with serving(answer) as url, Runner(api_key="k", base_url=url, files=FileStore(tmp_path)) as runner:
        await runner.call("print_inquiry_pdf", ID)
    assert (tmp_path / "inq_1.pdf").read_bytes() == b"%PDF-one" + b"two" * 50_000 + b"three"


@pytest.mark.parametrize(("status", "content"), [(206, b"half"), (202, b"later"), (204, b""), (200, b"")])
async def test_what_is_no_whole_file_is_not_stored(status: int, content: bytes, tmp_path: Path) -> None:
    async with _runner(lambda _: httpx.Response(status, content=content), files=FileStore(tmp_path), deadline=5) as runner:
        with pytest.raises(ResponseError):
            await runner.download(FILE_URL)
    assert list(tmp_path.iterdir()) == []


async def test_what_a_file_earned_lets_it_stand_still_no_longer_than_anything() -> None:
    allowance = Allowance(2, earns=True)
    allowance.moved(1_000 * SLOWEST)
    assert allowance.ends <= asyncio.get_running_loop().time() + 2
    resting = Allowance(2)
    before = resting.ends
    resting.moved(1_000 * SLOWEST)
    assert resting.ends == before


# --- runners that are closed, moved or misused -----------------------------------------------------------------------------


async def test_a_runner_that_is_closed_between_attempts_tells_what_is_known() -> None:
    async def answer(_request: httpx.Request) -> httpx.Response:
        asyncio.get_running_loop().call_later(0.01, lambda: closing.append(asyncio.create_task(runner.aclose())))
        return httpx.Response(503)

    closing: list[asyncio.Task[None]] = []
    runner = _runner(answer, deadline=30)
    result = await asyncio.wait_for(runner.run("create_inquiry", {"inquiryTemplateId": "itmpl_1"}), 10)
    await asyncio.gather(*closing)
    details = result.error_details
    assert details is not None
    assert (details["tookEffect"], details["retryable"]) == ("unknown", False)
    assert details["idempotencyKey"]
    assert "closed" in (result.error or "")


def test_a_runner_belongs_to_one_event_loop() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(packed(json.dumps(INQUIRY).encode()))
        await writer.drain()

    runner = _runner(lambda _: httpx.Response(200, json=INQUIRY))

    async def once() -> None:
        async with serving(answer):
            await runner.call("get_inquiry", ID)

    asyncio.run(once())
    with pytest.raises(PersonaError, match="another event loop"):
        asyncio.run(once())


@pytest.mark.parametrize("value", ["1", float("nan"), float("inf"), -1, True])
@pytest.mark.parametrize("name", ["delay", "deadline"])
async def test_a_wait_that_is_no_time_is_refused_before_anything_is_started(name: str, value: Any) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(500)

    params: CreateReportParams = {"reportType": "watchlist", "reportTemplateId": "rptp_1", "term": "Jane"}
    async with _runner(answer) as runner:
        with pytest.raises(InputError, match=f"{name}: must be a number of seconds"):
            await runner.wait("create_report", params, **{name: value})
    assert sent == []


@pytest.mark.slow
@pytest.mark.parametrize("reset", ["0", "0.001", "-1"])
async def test_a_window_that_ends_at_once_is_not_hammered(reset: str) -> None:
    headers = {"RateLimit-Limit": "300", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
    async with _runner(lambda _: httpx.Response(429, headers=headers), api_key=f"hammer{reset}", deadline=3) as runner:
        result = await runner.run("get_inquiry", ID)
    assert 2 <= result.attempts <= 5


async def test_an_id_of_a_request_that_steers_a_terminal_is_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Request-Id": "req\x1b[2Jx"}
    async with _runner(lambda _: httpx.Response(200, json=INQUIRY, headers=headers)) as runner:
        assert (await runner.run("get_inquiry", ID)).request_id is None
    assert "\x1b" not in caplog.text


# --- proxies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("wire")
async def test_tunnels_that_fail_wear_no_runner_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that opens a tunnel and then breaks it costs httpcore the connection, for good."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        async with Runner(api_key="k", base_url="https://tunnel.invalid", deadline=0) as runner:
            for _ in range(CONNECTIONS + 20):
                with pytest.raises(TransportError, match="no connection") as caught:
                    await asyncio.wait_for(runner.call("approve_inquiry", ID), 5)
                assert caught.value.took_effect == "no"
