"""What a dispatched call sends, gives back and says when it fails."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from persona_block import Runner, Sandbox
from persona_block.hosts import Selection, ToolAnswer, Toolbox, listing
from persona_block.hosts import toolbox as module
from persona_block.hosts.brevity import without_nulls
from persona_block.sandbox import TEMPLATES, Settings
from tests.hosts.conftest import MakeToolbox
from tests.support.planted import KEY, PERSON
from tests.support.scripted_model import data_of, in_review

WATCHLIST = {"reportType": "watchlist", "reportTemplateId": TEMPLATES.watchlist}


@pytest.fixture
async def box(toolbox: Toolbox) -> AsyncIterator[Toolbox]:
    """A toolbox that is closed after the test."""
    async with toolbox:
        yield toolbox


def nulls(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(nulls, value.values()))
    return sum(map(nulls, value)) if isinstance(value, list) else value is None


# --- answers ---------------------------------------------------------------------------------------------------------------


async def test_nulls_and_what_nobody_reads_are_left_out(sandbox: Sandbox, box: Toolbox) -> None:
    answer = await box.dispatch("persona_get_inquiry", {"inquiryId": in_review(sandbox)})
    inquiry = answer.data["inquiry"]
    assert nulls(inquiry) == 0
    assert not {"reportIds", "note", "behaviors", "sessionIds", "creator"} & set(inquiry)
    assert "creator" in answer.data["leftOut"]
    assert "behaviors" not in answer.data["leftOut"], "it was empty"
    assert json.loads(answer.json) == answer.data
    assert "\n" not in answer.json
    assert ": " not in answer.json.partition('"fields"')[0]


def test_without_nulls() -> None:
    assert without_nulls({"a": None, "b": {"c": None}, "d": {}, "e": [], "f": ["", None, {"g": None}], "h": False}) == {
        "d": {},
        "e": [],
        "f": ["", None, {}],
        "h": False,
    }


async def test_the_text_names_each_object(sandbox: Sandbox, box: Toolbox) -> None:
    inquiry = in_review(sandbox)
    answer = await box.dispatch("list_inquiries", {"status": "needs_review", "maxItems": 2})
    lines = answer.text.splitlines()
    assert lines[0] == "2 inquiries: 2 needs_review."
    assert lines[1].startswith(f"- {inquiry} needs_review, referenceId ")
    assert lines[-1].startswith("more: There are more.")


async def test_an_answer_keeps_what_it_holds_out_of_its_repr() -> None:
    assert PERSON not in repr(ToolAnswer({"name": PERSON}, PERSON))


async def test_a_model_gets_data_or_the_words_of_an_error(box: Toolbox) -> None:
    answer = await box.dispatch("list_cases")
    assert answer.content.splitlines() == [answer.text.splitlines()[0], answer.json]
    assert (failure := await box.dispatch("get_case", {"caseId": "case_none"})).content == failure.text
    partial = ToolAnswer({"cases": [], "error": {"kind": "forbidden"}}, "Forbidden.", is_error=True)
    assert data_of(partial.content) == partial.data
    assert partial.content.startswith("Forbidden.\n")


async def test_what_still_runs_has_found_nothing_yet(make_toolbox: MakeToolbox) -> None:
    with Sandbox(speed=0) as slow_sandbox:

        def runner() -> Runner:
            return Runner(base_url=slow_sandbox.base_url, transport=slow_sandbox.transport)

        async with make_toolbox(api_key=slow_sandbox.api_key, runner=runner) as box:
            started = await box.dispatch("create_report", {**WATCHLIST, "term": "Ann Sanctioned"})
            listed = await box.dispatch("list_reports")
            slow_sandbox.clock.advance(60)
            ended = await box.dispatch("get_report", {"reportId": started.data["report"]["id"], "wait": "True"})
    for data in (started.data["report"], listed.data["reports"][0]):
        assert data["status"] == "pending"
        assert "hasMatch" not in data
    assert "hasMatch" not in started.text.partition("more:")[0]
    assert started.data["more"] == listed.data["more"]
    assert "persona_get_report with wait" in started.data["more"]
    assert ended.data["report"]["hasMatch"] is True
    assert "more" not in ended.data


async def test_what_was_listed_before_a_failure_has_found_nothing_yet_either(make_toolbox: MakeToolbox) -> None:
    with Sandbox(speed=0) as slow_sandbox:
        calls = 0

        async def second_page_fails(request: httpx.Request) -> httpx.Response:
            nonlocal calls
            calls += request.method == "GET"
            if calls > 1:
                return httpx.Response(403, json={"errors": [{"title": "Forbidden"}]})
            return await slow_sandbox.transport.handle_async_request(request)

        def runner() -> Runner:
            return Runner(base_url=slow_sandbox.base_url, transport=httpx.MockTransport(second_page_fails))

        async with make_toolbox(api_key=slow_sandbox.api_key, runner=runner) as box:
            for number in range(2):
                await box.dispatch("create_report", {**WATCHLIST, "term": f"Ann {number}"})
            answer = await box.dispatch("list_reports", {"maxItems": 2, "pageSize": 1})
    assert answer.is_error
    (report,) = answer.data["reports"]
    assert report["status"] == "pending"
    assert "hasMatch" not in report


@pytest.mark.slow
async def test_a_wait_ends_before_a_client_gives_up(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)

    async def hangs(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits an hour")

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(hangs))

    async with asyncio.timeout(20), Toolbox(api_key="k", runner=runner) as box:
        answer = await box.dispatch("get_report", {"reportId": "rep_1", "wait": True})
    assert "with wait again" in answer.data["more"]


# --- lists -----------------------------------------------------------------------------------------------------------------


async def test_a_list_gives_ten_and_says_how_to_go_on(box: Toolbox) -> None:
    first = await box.dispatch("list_accounts")
    assert len(first.data["accounts"]) == 10
    assert first.data["more"] == "There are more. Call persona_list_accounts again with pageAfter set to nextCursor."
    second = await box.dispatch("list_accounts", {"pageAfter": first.data["nextCursor"]})
    seen = [account["id"] for answer in (first, second) for account in answer.data["accounts"]]
    assert len(set(seen)) == 20


@pytest.mark.parametrize(("wanted", "sizes"), [(1, [1]), (100, [100]), (150, [100, 50])])
async def test_max_items_follows_pages_and_gives_no_more(
    sandbox: Sandbox, box: Toolbox, wanted: int, sizes: list[int]
) -> None:
    messages: list[str] = []
    answer = await box.dispatch("list_accounts", {"maxItems": wanted}, progress=lambda update: messages.append(update.message))
    assert len({account["id"] for account in answer.data["accounts"]}) == wanted
    assert "more" in answer.data
    asked_sizes = [httpx.QueryParams(request.query)["page[size]"] for request in sandbox.requests]
    assert asked_sizes == [str(size) for size in sizes]
    assert len(messages) == len(sizes)
    assert messages[-1] == f"{wanted} accounts"


async def test_max_items_beyond_the_end_gives_all(box: Toolbox) -> None:
    answer = await box.dispatch("list_accounts", {"maxItems": 1000})
    assert len(answer.data["accounts"]) == 202
    assert "more" not in answer.data
    assert "nextCursor" not in answer.data


async def test_the_page_size_bounds_pages_and_not_the_list(sandbox: Sandbox, box: Toolbox) -> None:
    answer = await box.dispatch("list_accounts", {"maxItems": 7, "pageSize": 3})
    assert len({account["id"] for account in answer.data["accounts"]}) == 7
    one_page = await box.dispatch("list_accounts", {"pageSize": 3})
    assert len(one_page.data["accounts"]) == 3
    asked_sizes = [httpx.QueryParams(request.query)["page[size]"] for request in sandbox.requests]
    assert asked_sizes == ["3", "3", "1", "3"]


async def test_a_list_that_repeats_its_cursor_is_an_error_with_what_was_read(make_toolbox: MakeToolbox) -> None:
    def repeat(_request: httpx.Request) -> httpx.Response:
        page = [{"type": "account", "id": "act_1", "attributes": {}}]
        return httpx.Response(200, json={"data": page, "links": {"next": "/api/v1/accounts?page%5Bafter%5D=act_1"}})

    def runner() -> Runner:
        return Runner(base_url="https://persona.invalid", transport=httpx.MockTransport(repeat))

    async with make_toolbox(runner=runner) as toolbox:
        answer = await toolbox.dispatch("list_accounts", {"maxItems": 100})
    assert answer.is_error
    assert "the same cursor twice" in answer.text
    assert "Nothing was changed" not in answer.text, "a read changes nothing anyway"
    assert [account["id"] for account in answer.data["accounts"]] == ["act_1", "act_1"]


async def test_an_empty_list_is_a_list(box: Toolbox) -> None:
    answer = await box.dispatch("list_cases", {"status": "No such status"})
    assert answer.data["cases"] == []
    assert "spelled" in answer.data["more"]
    assert answer.text.startswith("0 cases.")


# --- waiting ---------------------------------------------------------------------------------------------------------------


async def test_waiting_polls_to_the_end(make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(speed=0, settings=Settings(report_delay=3)) as slow_sandbox:

        def runner() -> Runner:
            return Runner(base_url=slow_sandbox.base_url, transport=slow_sandbox.transport)

        async def pass_time(seconds: float) -> None:
            slow_sandbox.clock.advance(seconds)

        clock = SimpleNamespace(sleep=pass_time, get_running_loop=asyncio.get_running_loop, timeout_at=asyncio.timeout_at)
        monkeypatch.setattr("persona_block.call.waiting.asyncio", clock)
        messages: list[str] = []
        async with make_toolbox(runner=runner) as toolbox:
            created = await toolbox.dispatch("create_report", {**WATCHLIST, "term": "Jane Doe"})
            report = created.data["report"]["id"]
            assert (await toolbox.dispatch("get_report", {"reportId": report})).data["report"]["status"] == "pending"
            waited = await toolbox.dispatch(
                "get_report", {"reportId": report, "wait": "true"}, progress=lambda update: messages.append(update.message)
            )
        assert waited.data["report"]["status"] == "ready"
        assert messages == ["get_report: pending"] * (len(messages) - 1) + ["get_report: ready"]
        assert len(messages) > 1


async def test_waiting_that_takes_too_long_says_how_to_go_on(
    make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    with Sandbox(settings=Settings(report_delay=60)) as slow_sandbox:

        def runner() -> Runner:
            return Runner(base_url=slow_sandbox.base_url, transport=slow_sandbox.transport)

        async with make_toolbox(runner=runner) as toolbox:
            created = await toolbox.dispatch("create_report", {**WATCHLIST, "term": "Jane Doe"})
            waited = await toolbox.dispatch("get_report", {"reportId": created.data["report"]["id"], "wait": True})
    assert not waited.is_error
    assert waited.data["report"]["status"] == "pending"
    assert waited.data["more"] == "It has not ended yet. Call persona_get_report with wait again."


async def test_waiting_through_an_outage_does_not_say_that_it_has_not_ended(
    make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.01)
    away = httpx.MockTransport(lambda _: httpx.Response(503))
    async with make_toolbox(runner=lambda: Runner(transport=away, deadline=0.1)) as toolbox:
        waited = await toolbox.dispatch("get_report", {"reportId": "rep_1", "wait": True})
    assert waited.is_error
    assert waited.data["error"]["kind"] == "wait_timed_out"
    assert waited.data["error"]["retryable"]


async def test_waiting_for_what_ends_badly_is_an_error_with_what_was_read(box: Toolbox) -> None:
    created = await box.dispatch("create_report", {**WATCHLIST, "nameFirst": "Ada", "nameLast": "ReportError"})
    waited = await box.dispatch("get_report", {"reportId": created.data["report"]["id"], "wait": True})
    assert waited.is_error
    assert waited.data["report"]["status"] == "errored"
    assert waited.data["error"]["kind"] == "wait_failed"


# --- errors ----------------------------------------------------------------------------------------------------------------


async def test_what_is_not_offered_is_not_called(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(Selection.of(toolsets=["cases"])) as toolbox:
        assert [tool.name for tool in toolbox.tools] == ["persona_list_cases", "persona_get_case"]
        answer = await toolbox.dispatch("persona_list_accounts", {})
        assert answer.is_error
        assert "is not offered here; these tools are: persona_list_cases, persona_get_case" in answer.text
        assert not (await toolbox.dispatch("list_cases")).is_error, "the prefix may be left out"
    assert [request.path for request in sandbox.requests] == ["/api/v1/cases"]


async def test_every_problem_is_told_at_once_and_nothing_is_sent(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(api_key=None) as toolbox:
        answer = await toolbox.dispatch("list_inquiries", {"maxItems": 0, "outputFields": ["statuss"], "statsu": "created"})
    assert answer.is_error
    assert [problem["param"] for problem in answer.data["error"]["problems"]] == [
        "host",
        "outputFields",
        "maxItems",
        "statsu",
    ]
    assert answer.text.startswith("Nothing was sent. Put right:\n- host: has no Persona API key")
    assert answer.data["error"]["tookEffect"] == "no"
    assert sandbox.requests == []


async def test_the_environment_holds_the_key_where_nothing_else_does(
    sandbox: Sandbox, make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_API_KEY", sandbox.sandbox_key)
    async with make_toolbox(api_key=None) as toolbox:
        await toolbox.dispatch("list_cases")
        await toolbox.dispatch("list_cases", api_key=sandbox.api_key)
    assert [request.environment for request in sandbox.requests] == ["sandbox", "production"]


async def test_a_refusal_of_persona_says_what_did_not_happen(box: Toolbox) -> None:
    answer = await box.dispatch("update_inquiry", {"inquiryId": "inq_none", "note": "x"})
    assert answer.data["error"]["status"] == 404
    assert answer.text.endswith("Nothing was changed.")
    assert not nulls(answer.data)


async def test_a_lost_answer_says_that_it_may_have_happened(make_toolbox: MakeToolbox) -> None:
    def lose(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("lost", request=request)

    def runner() -> Runner:
        return Runner(base_url="https://persona.invalid", transport=httpx.MockTransport(lose), deadline=0.05)

    async with make_toolbox(runner=runner) as toolbox:
        answer = await toolbox.dispatch("create_account", {"referenceId": "a-1"})
    assert answer.data["error"]["tookEffect"] == "unknown"
    assert "read the object before you try again" in answer.text


async def test_a_fault_of_our_own_tells_its_kind_and_nothing_of_its_text(
    make_toolbox: MakeToolbox, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Runner:
        raise RuntimeError(f"{KEY} {PERSON}")

    caplog.set_level(logging.DEBUG)
    box = make_toolbox(runner=broken)
    answer, reading = await box.dispatch("create_account"), await box.dispatch("list_cases")
    assert answer.is_error
    assert reading.is_error
    assert "RuntimeError" in answer.text
    assert "unknown" in answer.text
    assert "unknown" not in reading.text
    for text in (answer.text, answer.json, reading.text, reading.json, caplog.text):
        assert KEY not in text
        assert PERSON not in text


async def test_what_was_listed_before_a_failure_is_kept(sandbox: Sandbox) -> None:
    calls = 0

    async def second_page_fails(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls > 1:
            return httpx.Response(403, json={"errors": [{"title": "Forbidden"}]})
        return await sandbox.transport.handle_async_request(request)

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(second_page_fails))

    async with Toolbox(api_key=sandbox.api_key, runner=runner) as box:
        answer = await box.dispatch("list_accounts", {"maxItems": 150, "outputFields": ["status"]})
    assert answer.is_error
    assert "403" in answer.text
    assert len(answer.data["accounts"]) == 100
    assert set(answer.data["accounts"][0]) == {"id", "status"}
    assert answer.data["nextCursor"] == answer.data["accounts"][-1]["id"]
    assert answer.data["accounts"][-1]["id"] in answer.text
    assert data_of(answer.content) == answer.data


@pytest.mark.slow
async def test_following_pages_ends_before_a_client_gives_up(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "WAIT_SECONDS", 0.5)
    calls = 0

    async def third_page_hangs(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        await asyncio.sleep(3600 if calls > 2 else 0)
        return await sandbox.transport.handle_async_request(request)

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(third_page_hangs))

    async with asyncio.timeout(20), Toolbox(api_key=sandbox.api_key, runner=runner) as box:
        answer = await box.dispatch("list_accounts", {"maxItems": 202})
        assert not answer.is_error
        assert len(answer.data["accounts"]) == 200
        assert "pageAfter" in answer.data["more"]
        monkeypatch.setattr(listing, "WAIT_SECONDS", 0.05)
        nothing = await box.dispatch("list_accounts")
    assert nothing.is_error
    assert "took longer" in nothing.text
