"""The courier: when events are sent, how often, in which order, and what survives a closed sandbox."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from persona_block import webhooks
from persona_block.sandbox import Sandbox, Settings, Webhook
from persona_block.sandbox.webhook.courier import SCHEDULE
from tests.support.contract_client import ContractClient
from tests.support.webhook_receiver import SECRET, URL, Listener, Receiver, listening_client


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_server_delivers_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """Events of requests and of time alone are sent while serving, and retried as the clock runs."""
    caplog.set_level(logging.DEBUG)
    settings = Settings(report_delay=30)
    with Listener(503) as listener, Sandbox(settings=settings, webhook=Webhook(listener.url, SECRET)) as sandbox:
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


async def test_a_hanging_receiver_delays_no_other_event() -> None:
    release = asyncio.Event()
    names: list[str] = []

    async def receive(request: httpx.Request) -> httpx.Response:
        event = webhooks.read(request.content, request.headers["Persona-Signature"], SECRET)
        names.append(event.name)
        if event.name == "account.created":
            await release.wait()
        return httpx.Response(200)

    with Sandbox(webhook=Webhook(URL, SECRET, transport=httpx.MockTransport(receive))) as sandbox:
        async with sandbox.serve() as base_url, sandbox.runner(base_url=base_url, transport=None) as runner:
            await runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})
            await until(lambda: [each.name for each in sandbox.deliveries] == ["inquiry.created"])
            release.set()


def test_a_failed_delivery_is_retried_in_simulated_time() -> None:
    answers = iter([500, 302, 404, 503, 429, 200])
    connected, receiver = listening_client(Receiver(lambda _: next(answers)))
    with connected as client:
        client.account()
        (first,) = client.deliver()
        started = first.at
        for attempt in range(1, len(SCHEDULE)):
            assert client.deliver() == []
            client.sandbox.clock.advance(SCHEDULE[attempt] - SCHEDULE[attempt - 1] - 0.001)
            assert client.deliver() == []
            client.sandbox.clock.advance(0.001)
            (delivery,) = client.deliver()
            assert (delivery.attempt, delivery.at) == (attempt + 1, started + 1000 * SCHEDULE[attempt])
        client.sandbox.clock.advance(86_400)
        assert client.deliver() == []
        deliveries = client.sandbox.deliveries
    assert [each.status for each in deliveries] == [429, 503, 404, 302, 500]
    assert [each.next_at for each in reversed(deliveries)] == [*(started + 1000 * each for each in SCHEDULE[1:]), None]
    assert len({event.id for event in receiver.events}) == 1
    attempts = [(each["persona-webhook-attempts-made"], each["persona-webhook-attempts-left"]) for each in receiver.headers]
    assert attempts == [("1", "4"), ("2", "3"), ("3", "2"), ("4", "1"), ("5", "0")]
    assert {each["persona-webhook-first-attempted-at"] for each in receiver.headers} == {str(started // 1000)}
    assert {each["persona-sandbox"] for each in receiver.headers} == {"simulation"}


def test_a_retry_sends_the_same_body() -> None:
    answers = iter([500, 200])
    connected, receiver = listening_client(Receiver(lambda _: next(answers)))
    with connected as client:
        id = client.account(reference_id="before").id
        client.deliver()
        client.patch(f"/accounts/{id}", {"reference-id": "after"})
        client.sandbox.clock.advance(3)
        client.deliver()
    assert receiver.bodies[0] == receiver.bodies[1]
    assert receiver.bodies[0]["data"]["attributes"]["payload"]["data"]["attributes"]["reference-id"] == "before"


def test_the_reason_for_no_answer(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("persona_block.sandbox.webhook.courier.TIMEOUT", 0.05)

    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    def raise_(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
        def handler(_: httpx.Request) -> httpx.Response:
            raise error

        return handler

    for handler, reason in (
        (never, "no answer within 0.05 seconds"),
        (raise_(httpx.ConnectError("no")), "nobody listens"),
        (raise_(httpx.RemoteProtocolError("no")), "connection broke"),
        (raise_(KeyError("x")), "the receiver raised KeyError"),
    ):
        with ContractClient(webhook=Webhook(URL, SECRET, transport=httpx.MockTransport(handler))) as client:
            client.account()
            (delivery,) = client.deliver()
            assert delivery.status is None
            assert reason in str(delivery.error)
            assert delivery.next_at == delivery.at + 3000
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


def test_redirects_are_not_followed() -> None:
    urls: list[str] = []

    def receive(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(307, headers={"Location": "http://127.0.0.1:9/elsewhere"})

    with ContractClient(webhook=Webhook(URL, SECRET, transport=httpx.MockTransport(receive))) as client:
        client.account()
        (delivery,) = client.deliver()
    assert (delivery.status, urls) == (307, [URL])
    assert delivery.next_at is not None


def test_no_cookie_is_kept() -> None:
    sent: list[str | None] = []

    def receive(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Cookie"))
        return httpx.Response(200, headers={"Set-Cookie": f"seen={len(sent)}"})

    with ContractClient(webhook=Webhook(URL, SECRET, transport=httpx.MockTransport(receive))) as client:
        client.account()
        client.account()
        client.deliver()
    assert sent == [None, None]


def test_an_application_receives_in_process() -> None:
    received: list[webhooks.Event] = []

    async def receive(request: Request) -> Response:
        received.append(webhooks.read(await request.body(), request.headers["persona-signature"], SECRET))
        return Response(status_code=204)

    app = Starlette(routes=[Route("/webhooks", receive, methods=["POST"])])
    with ContractClient(webhook=Webhook(URL, SECRET, transport=httpx.ASGITransport(app))) as client:
        client.account(reference_id="ann")
        (delivery,) = client.deliver()
    assert (delivery.status, delivery.error, delivery.next_at) == (204, None, None)
    assert received[0].resource is not None
    assert received[0].resource["referenceId"] == "ann"


async def test_events_that_a_receiver_causes_are_sent() -> None:
    names: list[str] = []

    async def receive(request: httpx.Request) -> httpx.Response:
        event = webhooks.read(request.content, request.headers["Persona-Signature"], SECRET)
        names.append(event.name)
        if event.name == "inquiry.completed":
            async with sandbox.runner() as runner:
                await runner.call("approve_inquiry", {"inquiryId": event.resource_id})
        return httpx.Response(200)

    webhook = Webhook(URL, SECRET, ["inquiry.*"], transport=httpx.MockTransport(receive))
    with Sandbox(webhook=webhook) as sandbox:
        async with sandbox.runner() as runner:
            created = await runner.call("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})
        sandbox.complete(created["inquiry"]["id"])
        await sandbox.deliver()
    assert names[-2:] == ["inquiry.completed", "inquiry.approved"]


async def test_an_undelivered_event_outlives_its_sandbox(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    failing, receiver = Receiver(lambda _: 500), Receiver()
    with Sandbox(state=state, speed=0, webhook=failing.webhook()) as sandbox:
        async with sandbox.runner() as runner:
            await runner.call("create_account", {"referenceId": "ann"})
        await sandbox.deliver()
    with Sandbox(state=state, speed=0, webhook=receiver.webhook()) as sandbox:
        await sandbox.deliver()
        sandbox.clock.advance(3)
        await sandbox.deliver()
        assert [each.attempt for each in sandbox.deliveries] == [2, 1]
    assert receiver.bodies == failing.bodies
