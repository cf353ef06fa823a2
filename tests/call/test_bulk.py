"""Many rows through one operation: a result for each, in order, resumable, and never more at once than was asked for."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import UserDict
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import httpx
import pytest

from persona_block import InputError, Mapped, ProgressUpdate, Runner, operation
from persona_block.call import bulk
from persona_block.credentials import ApiKey
from persona_block.spec import catalog
from persona_block.typed import CreateInquiryParams

KEY = "persona_sandbox_bulk-test"


class Persona:
    """A Persona that creates inquiries, knows idempotency keys and fails as the reference ids say."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.running = self.most = 0
        self.keys: list[str] = []
        self.created: dict[str, str] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.running += 1
        self.most = max(self.most, self.running)
        reference_id = json.loads(request.read())["meta"]["auto-create-account-reference-id"]
        idempotency_key = request.headers["Idempotency-Key"]
        self.keys.append(idempotency_key)
        try:
            await asyncio.sleep(self.pause * (3 if reference_id == "slow" else 1))
        finally:
            self.running -= 1
        if reference_id == "refused":
            return httpx.Response(422, json={"errors": [{"title": "Bad Jane"}]})
        inquiry_id = self.created.setdefault(idempotency_key, f"inq_{reference_id}")
        return httpx.Response(201, json={"data": {"type": "inquiry", "id": inquiry_id}})


def runner(persona: Any, deadline: float = 0.1) -> Runner:
    return Runner(api_key=KEY, transport=httpx.MockTransport(persona), deadline=deadline)


def rows(*reference_ids: str) -> list[CreateInquiryParams]:
    return [{"inquiryTemplateId": "itmpl_1", "referenceId": reference_id} for reference_id in reference_ids]


async def results(items: AsyncIterator[Mapped]) -> list[Mapped]:
    return [item async for item in items]


@pytest.mark.parametrize("ordered", [True, False])
async def test_every_row_has_a_result(ordered: bool) -> None:
    told: list[ProgressUpdate] = []
    given = [*rows("slow", "b", "refused"), {"apiKey": "own-key"}, cast(dict[str, Any], "no row"), *rows("c")]
    async with runner(Persona(0.02)) as run:
        mapped = await results(run.map(operation("create_inquiry"), given, ordered=ordered, progress=told.append))
    by_index = {item.index: item for item in mapped}
    assert (list(by_index) == [0, 1, 2, 3, 4, 5]) == ordered
    assert [by_index[index].result.success for index in range(6)] == [True, True, False, False, False, True]
    assert by_index[0].result.output["inquiry"]["id"] == "inq_slow"
    kinds = [(by_index[index].result.error_details or {})["kind"] for index in (2, 3, 4)]
    assert kinds == ["rejected", "input_error", "input_error"]
    assert by_index[0].params == given[0]
    assert "own-key" not in repr(by_index[3].params)
    last = told[-1]
    assert (last.message, last.done, last.failed, last.skipped, last.total) == ("6 of 6 rows, 3 failed", 3, 3, 0, 6)
    assert last.rate > 0
    assert last.time_left == 0
    assert "slow" not in repr(mapped)
    assert not any("Jane" in update.message for update in told)


async def test_no_more_at_once_and_no_more_read_than_asked_for() -> None:
    taken: list[int] = []

    def source() -> Iterator[CreateInquiryParams]:
        for number in range(30):
            taken.append(number)
            yield rows("slow" if number == 0 else f"n{number}")[0]

    persona = Persona(0.01)
    async with runner(persona) as run:
        read_ahead = []
        async for item in run.map("create_inquiry", source(), concurrency=3):
            read_ahead.append(len(taken) - item.index)
    assert len(taken) == 30
    assert persona.most == 3
    assert max(read_ahead) <= 3 * bulk.LOOK_AHEAD


async def test_what_ends_comes_while_the_source_waits() -> None:
    more = asyncio.Event()

    async def source() -> AsyncIterator[CreateInquiryParams]:
        yield rows("first")[0]
        await more.wait()
        yield rows("second")[0]

    async with runner(Persona()) as run:
        seen = []
        async for item in run.map("create_inquiry", source()):
            seen.append(item.params["referenceId"])
            more.set()
    assert seen == ["first", "second"]


async def test_the_rows_of_a_source_that_breaks_are_not_lost() -> None:
    def source() -> Iterator[CreateInquiryParams]:
        yield from rows("a", "b")
        raise OSError("the disk")

    seen: list[bool] = []

    async def go_through(run: Runner) -> None:
        async for item in run.map("create_inquiry", source()):
            seen.append(item.result.success)

    async with runner(Persona(0.01)) as run:
        with pytest.raises(OSError, match="the disk"):
            await go_through(run)
    assert seen == [True, True]


# --- keys ------------------------------------------------------------------------------------------------------------------


async def test_rows_run_again_under_their_keys_happen_once() -> None:
    persona = Persona()
    told: list[ProgressUpdate] = []
    async with runner(persona) as run:
        first = await results(run.map("create_inquiry", rows("a", "b", "c"), key="referenceId"))
        async with runner(persona) as again:
            ids = [
                item.result.output["inquiry"]["id"]
                async for item in again.map(
                    "create_inquiry", rows("c", "d", "a"), key="referenceId", done={"a"}, progress=told.append
                )
            ]
    assert [item.key for item in first] == ["a", "b", "c"]
    assert ids == ["inq_c", "inq_d"]
    assert len(persona.created) == 4
    assert len(persona.keys) == 5
    assert told[-1].message == "3 of 3 rows, 1 skipped"
    assert (told[-1].done, told[-1].skipped, told[-1].time_left) == (2, 1, 0)


async def test_without_keys_every_row_happens_anew() -> None:
    persona = Persona()
    async with runner(persona) as run:
        await results(run.map("create_inquiry", rows("a", "a")))
        await results(run.map("create_inquiry", rows("a")))
    assert len(set(persona.keys)) == 3


async def test_the_idempotency_key_is_that_of_operation_and_row_alone() -> None:
    persona = Persona()
    async with runner(persona) as run:
        await results(
            run.map(
                operation("persona_create_inquiry"),
                [rows("a")[0] | {"note": "x"}],
                key=lambda row: ("day 1", row["referenceId"]),
            )
        )
        await results(run.map("create_inquiry", rows("a"), key=lambda row: ("day 1", row["referenceId"])))
        await results(run.map("create_inquiry", rows("a"), key=lambda row: ("day 2", row["referenceId"])))
    assert persona.keys[0] == persona.keys[1] != persona.keys[2]
    inquiry, account = (bulk.row_idempotency_key(catalog.load(name), "a") for name in ("create_inquiry", "create_account"))
    assert inquiry != account
    assert "day" not in persona.keys[0]


async def test_a_row_without_a_key_of_its_own_is_not_sent() -> None:
    persona = Persona()
    given = [*rows("a", "a", " "), {"inquiryTemplateId": "itmpl_1"}, {"referenceId": None}]
    async with runner(persona) as run:
        mapped = await results(run.map(operation("create_inquiry"), given, key="referenceId"))
    problems = [(item.result.error_details or {"problems": []})["problems"] for item in mapped]
    assert [each[0]["message"].split(";")[0] for each in problems if each] == [
        "is that of a row before",
        "is blank in this row",
        "is to be referenceId, which this row lacks",
        "is blank in this row",
    ]
    assert len(persona.keys) == 1


async def coming(_row: object) -> str:
    return "a"


@pytest.mark.parametrize(
    "key", [coming, lambda _: object(), lambda _: {"a", "b"}, lambda _: float("nan"), lambda _: ApiKey("k")]
)
async def test_a_key_that_another_run_would_not_know_again_is_not_sent(key: Any) -> None:
    persona = Persona()
    async with runner(persona) as run:
        (refused,) = await results(run.map("create_inquiry", rows("a"), key=key))
    assert (refused.result.error_details or {})["problems"][0]["param"] == "key"
    assert persona.keys == []


@pytest.mark.parametrize("done", [["a\n", "b"], [" a", "b "], [uuid.UUID(int=1), "a", "b"]])
async def test_keys_of_rows_that_were_done_are_read_as_those_of_rows(done: Any) -> None:
    """Lines of a file end in a line break, and a row that is not known again would happen twice."""
    persona = Persona()
    async with runner(persona) as run:
        assert await results(run.map("create_inquiry", rows("a", "b"), key="referenceId", done=done)) == []
    assert persona.keys == []


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"key": ""}, "key"),
        ({"key": 5}, "key"),
        ({"done": "a", "key": "referenceId"}, "done"),
        ({"done": ["a"]}, "key"),
        ({"rows": 5}, "rows"),
        ({"rows": {"referenceId": "a"}}, "rows"),
        ({"operation": "create_inquirie"}, "operation"),
    ],
)
async def test_arguments_that_cannot_be_used_are_refused_at_once(options: dict[str, Any], param: str) -> None:
    async with runner(Persona()) as run:
        with pytest.raises(InputError) as refused:
            run.map(**{"operation": "create_inquiry", "rows": [], **options})
    assert [problem.param for problem in refused.value.problems] == [param]


# --- ends ------------------------------------------------------------------------------------------------------------------


async def test_leaving_the_iteration_ends_every_row() -> None:
    persona = Persona(30)
    fast = Persona()

    async def answer(request: httpx.Request) -> httpx.Response:
        return await (fast if b'"first"' in request.read() else persona)(request)

    async with asyncio.timeout(10), runner(answer, deadline=60) as run:
        mapped = run.map("create_inquiry", rows("first", *map(str, range(20))), concurrency=5)
        async with aclosing(cast(Any, mapped)):
            async for _ in mapped:
                break
        assert persona.most > 0
        assert persona.running == 0
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_cancelling_ends_every_row() -> None:
    persona = Persona(30)
    async with asyncio.timeout(10), runner(persona, deadline=60) as run:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await results(run.map("create_inquiry", rows("a", "b")))
    assert (persona.most, persona.running) == (2, 0)


async def test_a_row_that_the_rate_limit_refuses_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real_sleep, pauses, answers = asyncio.sleep, [], [429, 429, 201]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real_sleep(0)

    def handler(_request: httpx.Request) -> httpx.Response:
        limited = {"RateLimit-Remaining": "0", "RateLimit-Reset": "2"}
        status = answers.pop(0)
        return httpx.Response(
            status, headers=limited if status == 429 else {}, json={"data": {"type": "inquiry", "id": "inq_1"}}
        )

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr("persona_block.call.client.pacer_for", lambda *_: _Open())
    async with runner(handler) as run:
        (item,) = await results(run.map("create_inquiry", rows("a")))
    assert item.result.success
    assert pauses == [2.0, 2.0]


class _Open:
    """A pacer that holds nothing back."""

    async def admit(self, _seconds: float) -> Any:
        from persona_block.call.pacing import Pacer

        return await Pacer().admit(1)


async def test_a_row_that_trips_the_code_ends_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(UserDict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            raise RuntimeError("Jane")

    async with runner(Persona()) as run:
        mapped = await results(run.map(operation("create_inquiry"), [Odd(rows("x")[0]), *rows("b")]))
    assert [item.result.success for item in mapped] == [False, True]
    assert "Jane" not in (mapped[0].result.error or "") + caplog.text
