"""Steps of a flow, in ordinary DBOS workflows: done once, kept, gone on with, and each failure told as it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from dbos import DBOS

from persona_block import InputError, Sandbox, flows, operation
from persona_block.errors import DeliveryError, InDoubt, NotFound, Problem, Unavailable, WaitError, WaitFailed, WaitTimedOut
from persona_block.flows import step as steps
from persona_block.flows.failures import from_json, to_json
from persona_block.flows.step import Step
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox import Settings as SandboxSettings
from persona_block.typed import CreateInquiryParams, GetInquiryParams
from tests.support.flow_ports import People, Shelf, choosing
from tests.support.flow_world import engine, event_of, question, result, started, until, waiter, writes

NEW: CreateInquiryParams = {"inquiryTemplateId": TEMPLATES.inquiry}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(settings=SandboxSettings(report_delay=0, import_delay=0)) as made:
        yield made


@DBOS.workflow(max_recovery_attempts=None)
async def onboard(reference_id: str, contact: str) -> str:
    started = await flows.call("create_inquiry", {**NEW, "referenceId": reference_id})
    link = await flows.call("generate_inquiry_link", {"inquiryId": started["inquiry"]["id"]}, step="link")
    await flows.notify(contact, f"Please confirm who you are: {link['oneTimeLink']}")
    await flows.wait("get_inquiry", {"inquiryId": started["inquiry"]["id"]})
    reply = await flows.ask("#reviews", f"{reference_id}: approve?", ["approve", "decline"], timeout=86_400)
    if reply.answer != "approve":
        return reply.answer
    done = await flows.call("approve_inquiry", {"inquiryId": started["inquiry"]["id"], "comment": reply.comment or ""})
    pdf = await flows.call("print_inquiry_pdf", {"inquiryId": done["inquiry"]["id"]})
    return await flows.store(pdf["file"], "memory://records")


async def test_an_onboarding_in_ten_lines(database: str, sandbox: Sandbox) -> None:
    people, shelf = People(choosing("approve")), Shelf()
    async with engine(database, sandbox, people, shelf) as running:
        handle = await started(onboard, "one", "customer-1", "jane@example.com")
        waiting = await waiter(running)
        inquiry = sandbox.complete(waiting.resource_id)["inquiry"]
        assert await running.client.deliver(event_of(inquiry)) == 1
        url = await handle.get_result()
        assert await running.client.waiting() == []
    content, data = shelf.kept[url]
    assert content.media_type == "application/pdf"
    assert data.startswith(b"%PDF")
    assert [target for target, _, _ in people.sent] == ["jane@example.com", "#reviews"]
    assert writes(sandbox).count("inquiry.created") == writes(sandbox).count("inquiry.approved") == 1


async def test_a_flow_goes_on_where_it_was_stopped_and_does_nothing_twice(database: str, sandbox: Sandbox) -> None:
    people = People(choosing("decline"))
    async with engine(database, sandbox, people, first_poll=0.5) as running:
        await started(onboard, "one", "customer-1", "jane@example.com")
        waiting = await waiter(running)
    before = writes(sandbox)
    sandbox.complete(waiting.resource_id)
    async with engine(database, sandbox, people, first_poll=0.5):
        assert await result("one") == "decline"
    assert [text for _, text, _ in people.sent if "confirm" in text] == [people.texts[0]]
    assert writes(sandbox)[: len(before)] == before
    assert writes(sandbox).count("inquiry.created") == 1


# --- keys ------------------------------------------------------------------------------------------------------------------


def test_a_key_is_of_the_steps_place_alone() -> None:
    places = [("wf", "link", 1, None), ("wf", "link", 2, None), ("wf", "link", 1, 0), ("wf", "link", 1, 1)]
    places += [("wf2", "link", 1, None), ("wf", "lin", 1, None), ("wf\x00link", "link", 1, None)]
    keys = {Step(*place).key for place in places}
    assert len(keys) == len(places)
    assert all(len(key) == 48 and key.isascii() and key.isalnum() for key in keys)
    assert Step("wf", "link", 1).key == Step("wf", "link", 1).key
    assert [Step(*place).label for place in places[:3]] == ["link", "link#2", "link[0]"]


@DBOS.workflow(max_recovery_attempts=None)
async def three_accounts() -> list[str]:
    one = asyncio.gather(*(flows.call("create_account", {"referenceId": f"g-{number}"}) for number in range(3)))
    gathered = [output["account"]["referenceId"] for output in await one]
    rows: list[dict[str, Any]] = [{"referenceId": "m-1"}, {"referenceId": "g-1"}, {"referenceId": "m-2"}, {"apiKey": "k"}]
    mapped = await flows.map(operation("create_account"), rows)
    assert [each.success for each in mapped] == [True, False, True, False]
    pages = [len(page["accounts"]) async for page in flows.pages("list_accounts", {"pageSize": 2})]
    return [*gathered, *[each.error_details["kind"] for each in mapped if each.error_details], *map(str, pages)]


async def test_steps_of_one_name_at_once_are_steps_of_their_own(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox):
        handle = await started(three_accounts, "one")
        assert await handle.get_result() == ["g-0", "g-1", "g-2", "conflict", "input_error", "2", "2", "1"]


@DBOS.workflow(max_recovery_attempts=None)
async def nested() -> str:
    async def within() -> None:
        await flows.notify("#a", "b")

    try:
        await DBOS.run_step_async({"name": "within"}, within)
    except RuntimeError as error:
        return str(error)
    return "no error"


async def test_a_step_belongs_into_a_workflow(sqlite_database: str, sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="belongs into a function"):
        await flows.call("list_accounts")
    async with engine(sqlite_database, sandbox):
        assert "outside its steps" in await (await started(nested, "one")).get_result()
        with pytest.raises(RuntimeError, match="runs in this process already"):
            await engine(sqlite_database, sandbox).__aenter__()
    with pytest.raises(RuntimeError, match="no engine of flows runs here"):
        await flows.template({"steps": [{"id": "a", "host": "notify", "to": "#a", "text": "b"}]}, {})


# --- failures --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        InputError("call", [Problem("a", "is wrong", "other")]),
        NotFound("gone", status=404, title="Not found", details="x", request_id="req_1"),
        Unavailable("away", status=503, retry_after=3.0, took_effect="unknown", idempotency_key="k"),
        WaitTimedOut("late", output={"inquiry": {"id": "inq_1"}}),
        DeliveryError("lost", took_effect="no", retryable=True),
        InDoubt("perhaps"),
    ],
    ids=lambda error: error.kind,
)
def test_an_error_is_the_same_after_it_was_stored(error: Any) -> None:
    import json

    again = from_json(json.loads(json.dumps(to_json(error))))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.details() == error.details()
    assert again.output == error.output


@DBOS.workflow(max_recovery_attempts=None)
async def missing() -> list[Any]:
    told: list[Any] = []
    for attempt in ("get_inquiry", "get_inquiry"):
        try:
            await flows.call(attempt, {"inquiryId": "inq_gone"})
        except NotFound as error:
            told.append([error.status, error.took_effect, error.retryable])
    try:
        await flows.call("list_accounts", {"apiKey": "planted"})
    except InputError as error:
        told.append(error.problems[0].param)
    await flows.notify("#team", "done")
    return told


async def test_a_failed_step_fails_the_same_way_again(database: str, sandbox: Sandbox) -> None:
    people = People()
    people.failures.append(DeliveryError("not now", took_effect="no", retryable=True))
    steps.FIRST_PAUSE, pause = 0.01, steps.FIRST_PAUSE
    try:
        async with engine(database, sandbox, people):
            told = await (await started(missing, "one")).get_result()
    finally:
        steps.FIRST_PAUSE = pause
    assert told == [[404, None, False], [404, None, False], "apiKey"]
    assert people.texts == ["done"]


# --- waiting ---------------------------------------------------------------------------------------------------------------


@DBOS.workflow(max_recovery_attempts=None)
async def wait_for(options: dict[str, Any]) -> str:
    made = await flows.call("create_inquiry", {**NEW, "referenceId": "w"})
    try:
        output = await flows.wait("get_inquiry", {"inquiryId": made["inquiry"]["id"]}, **options)
    except (WaitFailed, WaitTimedOut) as error:
        return f"{error.kind}: {error.output['inquiry']['status']}"
    return str(output["inquiry"]["status"])


@pytest.mark.parametrize(
    ("options", "outcome", "end"),
    [
        ({}, "pass", "completed"),
        ({}, "fail", "wait_failed: failed"),
        ({"until": ["failed"]}, "fail", "failed"),
        ({"until": ["needs_review"], "timeout": 0.3}, "pass", "wait_timed_out: completed"),
        ({"timeout": 0.2}, None, "wait_timed_out: created"),
    ],
    ids=str,
)
async def test_a_wait_ends(sqlite_database: str, sandbox: Sandbox, options: Any, outcome: str | None, end: str) -> None:
    async with engine(sqlite_database, sandbox, first_poll=0.1) as running:
        handle = await started(wait_for, "one", options)
        resource_id = (await waiter(running)).resource_id
        if outcome:
            sandbox.complete(resource_id, outcome)
        assert await handle.get_result() == end
        assert await running.client.waiting() == []


@DBOS.workflow(max_recovery_attempts=None)
async def wait_for_a_coroutine() -> str:
    made = await flows.call("create_inquiry", {**NEW, "referenceId": "w"})
    inquiry: GetInquiryParams = {"inquiryId": made["inquiry"]["id"]}
    try:
        await flows.wait("get_inquiry", inquiry, until=lambda _: cast(bool, asyncio.sleep(0)), timeout=5)
    except WaitError as error:
        return error.message
    return "reached"


async def test_a_function_that_gives_a_coroutine_reaches_nothing(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox, first_poll=0.1):
        told = await (await started(wait_for_a_coroutine, "one")).get_result()
    assert told == "get_inquiry: until failed with TypeError."


async def test_events_wake_a_flow_whatever_their_number_and_order(database: str, sandbox: Sandbox) -> None:
    async with engine(database, sandbox) as running:
        handle = await started(wait_for, "one", {})
        resource_id = (await waiter(running)).resource_id

        async def has_looked() -> bool:
            return any(each.method == "GET" for each in sandbox.requests)

        await until(has_looked)
        inquiry = sandbox.complete(resource_id)["inquiry"]
        reads = len(sandbox.requests)
        assert await running.client.deliver(event_of(inquiry, 1, status="pending")) == 0
        assert await running.client.deliver(event_of({**inquiry, "id": "inq_other"}, 2)) == 0
        assert await running.client.deliver(event_of(inquiry, 4)) == 1
        for number in (3, 4):
            await running.client.deliver(event_of(inquiry, number))
        assert await handle.get_result() == "completed"
        assert await running.client.deliver(event_of(inquiry, 5)) == 0
        assert len(sandbox.requests) <= reads + 2


async def test_a_lost_event_costs_time_only(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox, first_poll=0.2) as running:
        handle = await started(wait_for, "one", {})
        sandbox.complete((await waiter(running)).resource_id)
        assert await handle.get_result() == "completed"


@DBOS.workflow(max_recovery_attempts=None)
async def ask_in_time(seconds: float | None) -> str:
    try:
        reply = await flows.ask("#reviews", "Approve?", ["approve", "decline"], timeout=seconds)
    except WaitTimedOut as error:
        return error.kind
    return f"{reply.answer}, {reply.comment}"


async def test_the_first_answer_counts(database: str, sandbox: Sandbox) -> None:
    people = People()
    async with engine(database, sandbox, people) as running:
        handle = await started(ask_in_time, "one", None)
        asked = await question(running)
        assert (asked.to, asked.text, asked.options) == ("#reviews", "Approve?", ("approve", "decline"))
        client = flows.connect(database)
        try:
            for workflow_id, question_id, option in (
                ("one", asked.question_id, "postpone"),
                ("two", asked.question_id, "approve"),
                ("one", "ask-nothing", "approve"),
            ):
                with pytest.raises(InputError):
                    await client.answer(workflow_id, question_id, option)
            await client.answer("one", asked.question_id, "decline", "Blurred")
            await client.answer("one", asked.question_id, "decline")
            with pytest.raises(InputError, match="otherwise"):
                await client.answer("one", asked.question_id, "approve")
        finally:
            client.close()
        assert await handle.get_result() == "decline, Blurred"
        assert people.asked[0].question_id == asked.question_id
        assert await running.client.questions() == []


async def test_a_question_that_nobody_answers_times_out(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox) as running:
        assert await (await started(ask_in_time, "one", 0.1)).get_result() == "wait_timed_out"
        assert await running.client.questions() == []
        (closed,) = await running.client.questions(open_only=False)
        with pytest.raises(InputError, match="the time to answer it is over"):
            await running.client.answer("one", closed.question_id, "approve")


async def test_a_question_of_a_flow_that_was_cancelled_takes_no_answer(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox) as running:
        handle = await started(ask_in_time, "one", None)
        asked = await question(running)
        await running.client.dbos.cancel_workflow_async("one")
        with pytest.raises(InputError, match="resume it first"):
            await running.client.answer("one", asked.question_id, "approve")
        await running.client.dbos.resume_workflow_async("one")
        await running.client.answer("one", asked.question_id, "approve")
        assert await handle.get_result() == "approve, None"


async def test_an_answer_of_the_last_moment_counts(sqlite_database: str, sandbox: Sandbox) -> None:
    """It was taken before the question was closed, whatever the flow's clock says."""
    skipped = [0.0]
    async with engine(sqlite_database, sandbox, clock=lambda: time.time() + skipped[0]) as running:
        handle = await started(ask_in_time, "one", 3600.0)
        asked = await question(running)

        async def has_looked() -> bool:
            return "ask: look" in [each["function_name"] for each in await DBOS.list_workflow_steps_async("one")]

        await until(has_looked)
        skipped[0] = 7200.0
        await running.client.answer("one", asked.question_id, "decline")
        assert await handle.get_result() == "decline, None"


async def test_options_that_cannot_be_chosen_from_are_refused(sqlite_database: str, sandbox: Sandbox) -> None:
    @DBOS.workflow(name="bad_options")
    async def bad_options(options: list[Any]) -> str:
        try:
            await flows.ask("#reviews", "Approve?", options)
        except InputError as error:
            return error.problems[0].param
        return "none"

    async with engine(sqlite_database, sandbox) as running:
        for number, options in enumerate([[], ["a", "a"], ["a", 1], [" "]]):
            assert await (await started(bad_options, f"wf-{number}", options)).get_result() == "options"
        assert await running.client.questions() == []


# --- files -----------------------------------------------------------------------------------------------------------------


@DBOS.workflow(max_recovery_attempts=None)
async def keep(document_id: str) -> list[str]:
    document = (await flows.call("get_document", {"documentId": document_id}))["document"]
    photo = await flows.store(document["files"][0], "memory://photos")
    data = await flows.store({"id": document["id"]}, "memory://data", step="data")
    return [photo, data]


async def test_photos_and_data_are_kept(sqlite_database: str, sandbox: Sandbox) -> None:
    shelf = Shelf()
    async with sandbox.runner() as runner:
        made = await runner.call("create_inquiry", {**NEW, "fields": {"name-first": "Jane"}})
        sandbox.complete(made["inquiry"]["id"])
        inquiry = (await runner.call("get_inquiry", {"inquiryId": made["inquiry"]["id"]}))["inquiry"]
    async with engine(sqlite_database, sandbox, shelf=shelf):
        photo, data = await (await started(keep, "one", inquiry["documentIds"][0])).get_result()
    assert shelf.kept[photo][0].media_type.startswith("image/")
    assert len(shelf.kept[photo][1]) > 100
    assert shelf.kept[data][0].media_type == "application/json"
    assert inquiry["documentIds"][0].encode() in shelf.kept[data][1]
