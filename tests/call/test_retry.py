"""The decision to try again, as a table; and what the client makes of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import PersonaError, Runner
from persona_block.call import retry
from persona_block.call.retry import CAP, Attempt, Retry, Stop, decide
from persona_block.spec import catalog
from persona_block.typed import ApproveInquiryParams

GET, PATCH, POST, DELETE = (catalog.load(f"{verb}_inquiry") for verb in ("get", "update", "approve", "redact"))
EVERY = (GET, PATCH, POST, DELETE)
NO_ANSWER = Attempt(reason="no answer")


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
@pytest.mark.parametrize("status", [None, 408, 502, 503, 504])
def test_tried_again(spec: Any, status: int | None) -> None:
    assert isinstance(decide(spec, 1, Attempt(status=status), 0.0), Retry)


@pytest.mark.parametrize("spec", EVERY, ids=lambda spec: spec.name)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 501])
def test_never_tried_again(spec: Any, status: int) -> None:
    assert isinstance(decide(spec, 1, Attempt(status=status), 0.0), Stop)


def test_a_500_is_tried_again_unless_it_is_stored_under_a_key() -> None:
    assert all(isinstance(decide(spec, 1, Attempt(status=500), 0.0), Retry) for spec in (GET, PATCH, DELETE))
    stopped = decide(POST, 1, Attempt(status=500), 0.0)
    assert isinstance(stopped, Stop)
    assert "unknown" in stopped.because


def test_a_rate_limit_waits_for_the_window_and_a_quota_does_not() -> None:
    for remaining in (0, -1, None):
        waited = decide(POST, 9, Attempt(status=429, remaining=remaining, reset=12), 30.0, jitter=0)
        assert waited == Retry(12)
    quota = decide(POST, 1, Attempt(status=429, remaining=250, reset=12), 0.0)
    assert isinstance(quota, Stop)
    assert "quota" in quota.because


@given(st.integers(1, 40), st.floats(0, 1))
def test_delays_grow_with_jitter_up_to_a_cap(attempt: int, jitter: float) -> None:
    verdict = decide(GET, attempt, NO_ANSWER, 0.0, deadline=1e9, jitter=jitter)
    assert isinstance(verdict, Retry)
    longest = min(CAP, retry.BASE * 2 ** (attempt - 1))
    assert longest / 2 <= verdict.after <= longest


@given(st.integers(1, 40), st.floats(0, 120), st.floats(0, 1))
def test_no_attempt_begins_after_the_deadline(attempt: int, elapsed: float, jitter: float) -> None:
    verdict = decide(GET, attempt, NO_ANSWER, elapsed, deadline=60, jitter=jitter)
    if isinstance(verdict, Retry):
        assert elapsed + verdict.after <= 60
    else:
        assert "deadline" in verdict.because


# --- the client ------------------------------------------------------------------------------------------------------------

Step = httpx.Response | Exception
INQUIRY = {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"status": "pending"}}}


def approved(status: str = "approved") -> httpx.Response:
    return httpx.Response(200, json={"data": {"type": "inquiry", "id": "inq_1", "attributes": {"status": status}}})


def error(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"title": "No"}]}, headers=headers)


LOST = httpx.ReadError("lost")
REFUSED = httpx.ConnectError("refused")


class Script:
    """Answers one after another as told, and keeps the requests."""

    def __init__(self, *steps: Step) -> None:
        self._steps = iter(steps)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = next(self._steps)
        if isinstance(step, Exception):
            raise step
        return step


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff without its seconds."""
    monkeypatch.setattr("persona_block.call.retry.BASE", 0.001)


def scripted(script: Callable[[httpx.Request], Any], key: str = "retry-key", **options: Any) -> Runner:
    return Runner(api_key=f"{key}-{next(_unique)}", transport=httpx.MockTransport(script), **options)


_unique = itertools.count()
ID: ApproveInquiryParams = {"inquiryId": "inq_1"}


async def test_one_key_for_every_attempt_and_another_for_the_next_call() -> None:
    script = Script(LOST, error(503), approved(), approved())
    async with scripted(script) as runner:
        first = await runner.run("approve_inquiry", ID)
        await runner.run("approve_inquiry", ID)
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert first.success
    assert first.attempts == 3
    assert [retry["reason"] for retry in first.retries] == ["no answer (ReadError)", "status 503"]


@pytest.mark.parametrize(
    ("steps", "success", "took_effect"),
    [
        ([error(404)], False, "no"),
        ([error(500)], False, "unknown"),
        ([LOST, error(404)], False, "unknown"),
        ([REFUSED, error(404)], False, "no"),
        ([error(503), error(422), approved("pending")], False, "unknown"),
        ([error(503), error(422), approved()], True, None),
        ([LOST, error(409), approved()], True, None),
        ([LOST, error(409), approved("declined")], False, "unknown"),
        ([error(409)], False, "no"),
        ([httpx.Response(200, content=b"")], False, "unknown"),
    ],
)
async def test_what_a_decision_says_of_its_effect(steps: list[Step], success: bool, took_effect: str | None) -> None:
    async with scripted(Script(*steps)) as runner:
        result = await runner.run("approve_inquiry", ID)
    assert result.success is success
    assert (result.error_details or {}).get("tookEffect") == took_effect


async def test_an_erasure_whose_answer_was_lost_is_read_back() -> None:
    redacted = {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"redacted-at": "2026-01-01T00:00:00.000Z"}}}
    script = Script(LOST, error(409), httpx.Response(200, json=redacted))
    async with scripted(script) as runner:
        output = await runner.call("redact_inquiry", ID)
    assert output["inquiry"]["redactedAt"] == "2026-01-01T00:00:00.000Z"
    assert [request.method for request in script.requests] == ["DELETE", "DELETE", "GET"]


async def test_refused_connections_to_the_end_mean_nothing_was_sent() -> None:
    async with scripted(Script(*[REFUSED] * 50), deadline=0.02) as runner:
        result = await runner.run("approve_inquiry", ID)
    assert result.error_details is not None
    assert result.error_details["tookEffect"] == "no"
    assert result.attempts > 1
    assert "Nothing was sent" in (result.error or "")


async def test_a_429_is_waited_out() -> None:
    limited = {"RateLimit-Limit": "5", "RateLimit-Remaining": "0", "RateLimit-Reset": "0.05"}
    async with scripted(Script(error(429, **limited), approved())) as runner:
        started = time.monotonic()
        assert (await runner.run("approve_inquiry", ID)).success
    assert time.monotonic() - started >= 0.05


@pytest.mark.parametrize(("remaining", "retry_after"), [("0", 30.0), ("7", None)])
async def test_a_429_beyond_the_deadline_tells_when_the_window_ends(remaining: str, retry_after: float | None) -> None:
    limited = {"RateLimit-Limit": "5", "RateLimit-Remaining": remaining, "RateLimit-Reset": "30"}
    async with scripted(Script(error(429, **limited)), deadline=1) as runner:
        result = await runner.run("approve_inquiry", ID)
    assert result.error_details is not None
    assert result.error_details["retryAfter"] == retry_after
    assert result.error_details["retryable"] is (retry_after is not None)


async def test_a_closed_runner_refuses_clearly() -> None:
    runner = scripted(Script())
    await runner.aclose()
    with pytest.raises(PersonaError, match="runner is closed"):
        await runner.call("get_inquiry", ID)


async def test_cancelling_ends_the_waiting() -> None:
    limited = {"RateLimit-Limit": "5", "RateLimit-Remaining": "0", "RateLimit-Reset": "30"}
    async with scripted(Script(error(429, **limited), approved())) as runner:
        task = asyncio.create_task(runner.call("get_inquiry", ID))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 1)


class Window:
    """A server that allows so many requests in each window, which begins with its first request."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit, self.seconds = limit, seconds
        self.refused = 0
        self._ends = 0.0
        self._used = 0

    async def __call__(self, _request: httpx.Request) -> httpx.Response:
        """Count a request on arrival, and answer it a little later, as over a network."""
        now = time.monotonic()
        if now >= self._ends:
            self._ends, self._used = now + self.seconds, 0
        self._used += 1
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self._used)),
            "RateLimit-Reset": f"{self._ends - now:.3f}",
        }
        refused = self._used > self.limit
        self.refused += refused
        await asyncio.sleep(0.02)
        return error(429, **headers) if refused else httpx.Response(200, json=INQUIRY, headers=headers)


@pytest.mark.slow
async def test_calls_of_one_key_slow_down_before_the_limit() -> None:
    """Two runners, one key, 100 calls against 20 a window: five windows, and not one refusal."""
    seconds = 0.5  # longer than a busy machine holds up the loop, which would spread calls over two windows
    window = Window(20, seconds)
    key = f"paced-{next(_unique)}"
    options: dict[str, Any] = {"api_key": key, "transport": httpx.MockTransport(window)}
    async with Runner(**options) as one, Runner(**options) as two:
        await one.call("get_inquiry", ID)
        started = time.monotonic()
        results = await asyncio.gather(*(runner.run("get_inquiry", ID) for _ in range(50) for runner in (one, two)))
        took = time.monotonic() - started
    assert all(result.success for result in results)
    assert window.refused == 0
    assert 4.5 * seconds <= took <= 10 * seconds


async def test_another_key_is_not_slowed_down() -> None:
    window = Window(1000, 60)
    async with scripted(window) as runner:
        started = time.monotonic()
        await asyncio.gather(*(runner.call("get_inquiry", ID) for _ in range(200)))
    assert time.monotonic() - started < 5


async def test_a_server_that_does_not_count_is_not_waited_for() -> None:
    """It shows a full allowance for ever, as one without a limit does."""
    full = {"RateLimit-Limit": "10", "RateLimit-Remaining": "10", "RateLimit-Reset": "60"}
    async with scripted(lambda _: httpx.Response(200, json=INQUIRY, headers=full)) as runner:
        async with asyncio.timeout(5):
            for _ in range(5):
                await asyncio.gather(*(runner.call("get_inquiry", ID) for _ in range(10)))


async def test_answers_that_stop_telling_of_the_window_hang_nobody() -> None:
    told = iter([{"RateLimit-Limit": "3", "RateLimit-Remaining": "2", "RateLimit-Reset": "0"}])
    async with scripted(lambda _: httpx.Response(200, json=INQUIRY, headers=next(told, {}))) as runner:
        async with asyncio.timeout(5):
            for _ in range(12):
                await runner.call("get_inquiry", ID)


async def test_a_trickle_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_block.call.client._LEAST", 0.05)

    async def drops() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async with scripted(lambda _: httpx.Response(200, content=drops()), deadline=0.2) as runner:
        started = time.monotonic()
        result = await runner.run("approve_inquiry", ID)
    assert time.monotonic() - started < 1
    assert (result.error_details or {})["tookEffect"] == "unknown"
