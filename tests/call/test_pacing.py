"""Pacing by what answers tell of the rate limit: what they tell falsely silences nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx
import pytest

from persona_block import RateLimited, Runner
from persona_block.call.pacing import LONGEST_WINDOW, Pacer, Ticket, WindowClosed, reset_seconds
from persona_block.typed import ApproveInquiryParams

INQUIRY = {"data": {"type": "inquiry", "id": "inq_1"}}
ID: ApproveInquiryParams = {"inquiryId": "inq_1"}
HOSTILE = ["nan", "-nan", "inf", "-inf", "1e9", "1e308", "1e999", "1732492800", "-1", "", "soon", "6_0", "٦٠", "0x10"]
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_reset_is_a_number_of_seconds_within_the_longest_window(text: str) -> None:
    seconds = reset_seconds(text)
    assert seconds is None or 0 <= seconds <= LONGEST_WINDOW


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0.0), ("12", 12.0), ("0.5", 0.5), ("61", 60.0), ("nan", None), ("inf", None)]
)
def test_what_a_reset_tells(text: str, seconds: float | None) -> None:
    assert reset_seconds(text) == seconds


def _runner(handler: Handler, key: str, deadline: float = 1.0) -> Runner:
    return Runner(api_key=key, base_url="https://pacing.invalid", transport=httpx.MockTransport(handler), deadline=deadline)


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("reset", HOSTILE)
async def test_a_hostile_reset_silences_no_key(status: int, reset: str) -> None:
    headers = [
        (b"RateLimit-Limit", b"300"),
        (b"RateLimit-Remaining", b"0"),
        (b"RateLimit-Reset", reset.encode()),
    ]
    async with _runner(lambda _: httpx.Response(status, json=INQUIRY, headers=headers), f"key-{status}-{reset!a}") as runner:
        for _ in range(3):
            result = await asyncio.wait_for(runner.run("get_inquiry", ID), 10)
            assert result.success or result.error_details is not None


async def test_what_waits_for_the_window_ends_with_its_deadline_and_tells_how_long() -> None:
    full = {"RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "40"}
    sent = 0

    def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        return httpx.Response(200, json=INQUIRY, headers=full)

    async with _runner(answer, "key-waits") as runner:
        await runner.call("get_inquiry", ID)
        started = time.monotonic()
        result = await runner.run("approve_inquiry", ID)
        assert time.monotonic() - started < 1.5
    assert sent == 1
    details = result.error_details
    assert details is not None
    assert (details["kind"], details["status"], details["tookEffect"], details["retryable"]) == (
        "rate_limited",
        429,
        "no",
        True,
    )
    assert 38 < details["retryAfter"] <= 41
    assert "was not sent: the rate limit has no room for 40 s" in (result.error or "")


async def test_between_attempts_too_waiting_ends_with_the_deadline() -> None:
    answers = [
        httpx.Response(503, headers={"RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "50"}),
        httpx.Response(200, json=INQUIRY),
    ]
    async with _runner(lambda _: answers.pop(0), "key-between", deadline=5) as runner:
        started = time.monotonic()
        with pytest.raises(RateLimited, match="was not sent again") as caught:
            await runner.call("approve_inquiry", ID)
        assert time.monotonic() - started < 7
    # The 503 may have acted, so only the key makes it safe to send it again.
    assert caught.value.took_effect == "unknown"
    assert caught.value.idempotency_key
    assert caught.value.retryable


async def test_waiting_ends_when_an_answer_tells_of_room() -> None:
    pacer = Pacer()
    first = await pacer.admit(1)
    second = await pacer.admit(1)
    with first:
        first.answered({"RateLimit-Limit": "2", "RateLimit-Remaining": "0", "RateLimit-Reset": "30"})
    waiting = asyncio.create_task(pacer.admit(20))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    with second:
        second.answered({"RateLimit-Limit": "2", "RateLimit-Remaining": "2", "RateLimit-Reset": "0"})
    assert isinstance(await asyncio.wait_for(waiting, 1), Ticket)


async def test_a_closed_window_is_told_at_once_when_nothing_is_under_way() -> None:
    pacer = Pacer()
    with await pacer.admit(1) as ticket:
        ticket.answered({"RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "30"})
    started = time.monotonic()
    with pytest.raises(WindowClosed) as caught:
        await pacer.admit(5)
    assert 29 < caught.value.wait < 31
    assert time.monotonic() - started < 0.5


async def test_a_cancelled_wait_leaves_the_queue() -> None:
    pacer = Pacer()
    ticket = await pacer.admit(1)
    with ticket:
        ticket.answered({"RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "0.2"})
    waits = [asyncio.create_task(pacer.admit(5)) for _ in range(50)]
    await asyncio.sleep(0.01)
    for wait in waits[:49]:
        wait.cancel()
    assert isinstance(await asyncio.wait_for(waits[49], 2), Ticket)
