"""Signed webhooks over sockets: a server that delivers by itself, and one that is killed."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from persona_block import webhooks
from persona_block.sandbox import Sandbox
from tests.support.webhook_receiver import SECRET, URL, Listener


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_server_delivers_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """What requests, applicants and time alone bring about is told while serving, and retried as the clock runs."""
    caplog.set_level(logging.DEBUG)
    with Listener(503) as listener, Sandbox(webhook=listener.url, webhook_secret=SECRET, report_delay=30) as sandbox:
        async with sandbox.serve() as base_url, sandbox.runner(base_url=base_url, transport=None) as runner:
            await runner.call(
                "create_report", {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist", "term": "Jane"}
            )
            await asyncio.to_thread(listener.wait_for, 1)
            listener.status = 200
            sandbox.clock.advance(31)
            await asyncio.to_thread(listener.wait_for, 3)
            await until(lambda: len(sandbox.deliveries) == 3)
        deliveries = sandbox.deliveries
    assert Counter(event.name for event in listener.events) == {"account.created": 2, "report/watchlist.ready": 1}
    assert sorted((each.name, each.attempt, each.status) for each in deliveries) == [
        ("account.created", 1, 503),
        ("account.created", 2, 200),
        ("report/watchlist.ready", 1, 200),
    ]
    assert listener.url not in caplog.text


async def test_a_receiver_that_hangs_keeps_nobody_else_waiting() -> None:
    release = asyncio.Event()
    told: list[str] = []

    async def take(request: httpx.Request) -> httpx.Response:
        event = webhooks.read(request.content, request.headers["Persona-Signature"], SECRET)
        told.append(event.name)
        if event.name == "account.created":
            await release.wait()
        return httpx.Response(200)

    with Sandbox(webhook=URL, webhook_secret=SECRET, webhook_transport=httpx.MockTransport(take)) as sandbox:
        async with sandbox.serve() as base_url, sandbox.runner(base_url=base_url, transport=None) as runner:
            await runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})
            await until(lambda: [each.name for each in sandbox.deliveries] == ["inquiry.created"])
            release.set()
