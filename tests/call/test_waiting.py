"""Waiting: what for, how long between two looks, and through outages."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import httpx
import pytest

from persona_block import (
    InputError,
    NotFound,
    ProgressUpdate,
    Runner,
    WaitError,
    WaitFailed,
    WaitTimedOut,
)
from persona_block.call.waiting import Patience
from persona_block.spec import catalog
from persona_block.typed import CreateReportParams, GetInquiryParams

KEY = "persona_sandbox_waiting-test"
INQUIRY: GetInquiryParams = {"inquiryId": "inq_1"}
SCREENING: CreateReportParams = {"reportType": "watchlist", "reportTemplateId": "rptp_1", "term": "Jane"}


def runner(answers: Iterable[str | int]) -> Runner:
    """Return a runner of a Persona that answers with these statuses, of an inquiry or of HTTP; the last one stays."""
    left = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, int):
            return httpx.Response(answer, json={"errors": [{"title": "Jane Roe is away"}]})
        kind, _, name = request.url.path.removeprefix("/api/v1/").partition("/")
        resource = {"inquiries": "inquiry", "reports": "report/watchlist", "importers": "importer/account"}[kind]
        counts = {"successful-count": 7, "duplicate-count": 2, "error-count": 1}
        data = {"type": resource, "id": name or "rep_9", "attributes": {"status": answer, **counts}}
        return httpx.Response(200, json={"data": data})

    return Runner(api_key=KEY, transport=httpx.MockTransport(handler), deadline=0.1)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every pause, none of which is really made."""
    real_sleep, made = asyncio.sleep, []

    async def sleep(seconds: float) -> None:
        made.append(round(seconds, 2))
        await real_sleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return made


DECISION = ("approved", "declined", "needs_review")


@pytest.mark.parametrize(
    ("until", "statuses", "status"),
    [
        (None, ["pending", "completed", "approved"], "completed"),
        (DECISION, ["created", "completed", "failed", "needs_review"], "needs_review"),
        (DECISION, ["pending", "declined"], "declined"),
        ("expired", ["pending", "expired"], "expired"),
        ({"failed"}, ["failed"], "failed"),
        ({"on-hold"}, ["pending", "on-hold"], "on-hold"),
        (lambda output: output["inquiry"]["status"] != "pending", ["pending", "created"], "created"),
    ],
)
async def test_what_is_waited_for_is_a_result(until: Any, statuses: list[str], status: str, pauses: list[float]) -> None:
    async with runner(statuses) as run:
        output = await run.wait("get_inquiry", INQUIRY, until=until)
    assert output["inquiry"]["status"] == status
    assert len(pauses) == statuses.index(status)


@pytest.mark.parametrize(
    ("until", "statuses"),
    [
        (None, ["pending", "declined"]),
        ({"approved"}, ["completed", "declined"]),
        ({"approved"}, ["pending", "expired"]),
        (["completed"], ["approved"]),
        (lambda _: False, ["pending", "approved"]),
    ],
)
async def test_an_end_that_changes_no_more_by_itself_ends_the_wait(
    until: Any, statuses: list[str], pauses: list[float]
) -> None:
    async with runner(statuses) as run:
        with pytest.raises(WaitFailed) as failed:
            await run.wait("get_inquiry", INQUIRY, until=until)
    assert failed.value.output["inquiry"]["status"] == statuses[-1]
    assert (failed.value.retryable, failed.value.took_effect) == (False, None)
    assert len(pauses) == len(statuses) - 1


@pytest.mark.parametrize("until", [[], "", ["approved", ""], [1], 5, b"approved"])
async def test_what_cannot_be_waited_for_is_refused(until: Any) -> None:
    async with runner([500]) as run:
        with pytest.raises(InputError, match="until: must be one status or more"):
            await run.wait("create_report", SCREENING, until=until)


async def never(_output: Any) -> bool:
    return False


@pytest.mark.parametrize(
    ("options", "param"),
    [({"until": never}, "until"), ({"deadline": 10**400}, "deadline"), ({"delay": 10**400}, "delay")],
)
async def test_what_would_end_the_wait_at_once_or_trip_it_starts_nothing(options: Any, param: str) -> None:
    """What an async function gives is true before it is awaited, and no float is as large as some whole numbers."""
    async with runner([500]) as run:
        with pytest.raises(InputError, match=f"{param}: must be a"):
            await run.wait("create_report", SCREENING, **options)


async def test_a_function_that_gives_an_awaitable_holds_for_nothing() -> None:
    async with runner(["pending"]) as run:
        with pytest.raises(WaitError, match="until failed with TypeError") as failed:
            await run.wait("create_report", SCREENING, until=lambda output: cast(bool, never(output)))
    assert (failed.value.took_effect, failed.value.retryable) == ("yes", False)


async def test_a_function_that_fails_does_not_lose_what_was_started() -> None:
    async with runner(["pending"]) as run:
        with pytest.raises(WaitError, match=r"until failed with KeyError") as failed:
            await run.wait(catalog.operation("create_report"), SCREENING, until=lambda output: output["missing"])
    assert failed.value.output["report"]["id"] == "rep_9"
    assert (failed.value.took_effect, failed.value.retryable) == ("yes", False)


# --- how long --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "delay", "expected"),
    [
        ("get_inquiry", None, [5, 7.5, 11.25, 16.88, 25.31, 37.97, 56.95, 60, 60]),
        ("get_report", None, [2, 3, 4.5, 6.75, 10.12, 15.19, 22.78, 34.17, 51.26, 60]),
        ("get_inquiry", 3, [3, 3, 3]),
        ("get_inquiry", 0, [0, 0, 0]),
    ],
)
def test_pauses_grow_to_a_minute_unless_told(operation: str, delay: float | None, expected: list[float]) -> None:
    wait = catalog.load(operation).wait
    assert wait is not None
    assert [round(Patience(delay).pause(wait, number + 1), 2) for number in range(len(expected))] == expected
    assert Patience(delay).pause(wait, 100_000) == expected[-1]


async def test_the_last_look_is_at_the_deadline() -> None:
    async with runner(["pending"]) as run:
        started = asyncio.get_running_loop().time()
        with pytest.raises(WaitTimedOut, match="is still pending"):
            await run.wait("get_inquiry", INQUIRY, deadline=0.05)
        assert 0.05 <= asyncio.get_running_loop().time() - started < 2


async def test_the_seconds_of_a_run_that_waits_are_its_deadline() -> None:
    async with runner(["pending"]) as run:
        started = asyncio.get_running_loop().time()
        late = await run.run("get_inquiry", INQUIRY, wait=0.05)
        assert 0.05 <= asyncio.get_running_loop().time() - started < 2
        assert (late.error_details or {})["kind"] == "wait_timed_out"
        refused = await run.run("create_report", SCREENING, wait=float("nan"))
    assert (refused.error_details or {})["kind"] == "input_error"


async def test_a_look_that_never_ends_does_not_outlast_the_deadline() -> None:
    looks = 0

    async def handler(_request: httpx.Request) -> httpx.Response:
        nonlocal looks
        looks += 1
        if looks > 1:
            await asyncio.sleep(60)
        return httpx.Response(200, json={"data": {"type": "inquiry", "id": "inq_1", "attributes": {"status": "created"}}})

    async with Runner(api_key=KEY, transport=httpx.MockTransport(handler)) as run:
        with pytest.raises(WaitTimedOut) as late:
            await run.wait("get_inquiry", INQUIRY, delay=0.01, deadline=0.02)
    assert late.value.output["inquiry"]["status"] == "created"
    assert late.value.retryable


# --- outages ---------------------------------------------------------------------------------------------------------------


async def test_an_outage_is_waited_out_ever_longer(pauses: list[float]) -> None:
    told: list[ProgressUpdate] = []
    async with runner(["pending", 503, 503, 503, "pending", 503, "approved"]) as run:
        output = await run.wait("get_inquiry", INQUIRY, progress=told.append)
    assert output["inquiry"]["status"] == "approved"
    assert pauses == [5, 5, 10, 20, 7.5, 5]
    away = [update.message for update in told if "again" in update.message]
    assert away[1] == "get_inquiry: unavailable (status 503), looking again in 10 s"
    assert not any("Jane" in update.message for update in told)


async def test_what_does_not_pass_is_raised_with_the_last_output() -> None:
    async with runner(["pending", 404]) as run:
        with pytest.raises(NotFound) as failed:
            await run.wait("get_inquiry", INQUIRY, delay=0.01, deadline=5)
    assert failed.value.output["inquiry"]["status"] == "pending"


async def test_an_outage_to_the_deadline_can_be_waited_for_again() -> None:
    async with runner(["pending", 503]) as run:
        with pytest.raises(WaitTimedOut, match="could not be read until the deadline") as late:
            await run.wait("get_inquiry", INQUIRY, delay=0.01, deadline=0.3)
    assert late.value.output["inquiry"]["status"] == "pending"
    assert late.value.retryable


async def test_an_outage_after_a_start_starts_nothing_again(pauses: list[float]) -> None:
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        if sent.count("GET") == 1 and request.method == "GET":
            return httpx.Response(502)
        status = "ready" if request.method == "GET" else "pending"
        return httpx.Response(
            200, json={"data": {"type": "report/watchlist", "id": "rep_9", "attributes": {"status": status}}}
        )

    async with Runner(api_key=KEY, transport=httpx.MockTransport(handler), deadline=0.1) as run:
        output = await run.wait("create_report", SCREENING)
    assert output["report"]["status"] == "ready"
    assert sent == ["POST", "GET", "GET"]
    assert pauses == [2]


async def test_the_rows_of_an_import_are_counted(pauses: list[float]) -> None:
    told: list[ProgressUpdate] = []
    async with runner(["pending", "ready"]) as run:
        await run.wait("get_importer", {"importerId": "mprt_1"}, progress=told.append)
    assert pauses == [2]
    last = told[-1]
    assert (last.message, last.done, last.failed, last.skipped) == ("get_importer: ready", 7, 1, 2)
    assert last.time_left is not None
    assert 590 < last.time_left <= 600


async def test_a_progress_callback_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(update: ProgressUpdate) -> None:
        raise ValueError(update.message)

    async with runner(["approved"]) as run:
        assert await run.wait("get_inquiry", INQUIRY, progress=fail)
    assert "what is told of progress failed: ValueError" in [record.getMessage() for record in caplog.records]
