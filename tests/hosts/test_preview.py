"""A person decides about the object as it is: it is read before they are asked, and must not change before it is sent."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from persona_block import Runner, Sandbox
from persona_block.hosts import Approval, ConsentRequest, Toolbox, agreement
from persona_block.hosts.preview import EVIDENCE_LIMIT
from tests.hosts.conftest import MakeToolbox
from tests.support.frameworks import DRIVERS
from tests.support.frameworks.driver import Driver, Setup
from tests.support.scripted_model import changes, in_review, one_call, report, writes

asking = pytest.mark.parametrize("driver", [each for each in DRIVERS if each.asks], ids=lambda driver: driver.name)
every = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)


async def question(toolbox: Toolbox, name: str = "approve_inquiry", **arguments: Any) -> list[str]:
    """Return the lines of a question."""
    request = await toolbox.consent_request(name, arguments)
    assert request
    return request.message.splitlines()


def inquiry_in(sandbox: Sandbox, status: str) -> str:
    """Return the first inquiry that is in a status."""
    latest = {effect.resource_id: effect.status for effect in sandbox.effects if effect.resource_id.startswith("inq_")}
    return next(inquiry for inquiry, latest_status in latest.items() if latest_status == status)


def failing(sandbox: Sandbox, part: str) -> Any:
    """Return what makes a runner that may not read what has this in its path."""

    async def answer(request: httpx.Request) -> httpx.Response:
        if part in request.url.path and request.method == "GET":
            return httpx.Response(403, json={"errors": [{"title": "Forbidden"}]})
        return await sandbox.transport.handle_async_request(request)

    return lambda: Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(answer))


# --- what is shown ---------------------------------------------------------------------------------------------------------


async def test_a_question_shows_the_object_and_what_is_sent(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry = in_review(sandbox)
    async with toolbox:
        first, what, now, checks, reports, comment = await question(toolbox, inquiryId=inquiry, comment="Passed")
        read = (await toolbox.dispatch("get_inquiry", {"inquiryId": inquiry})).data["inquiry"]
    assert first == f"Approve inquiry {inquiry}?"
    assert what.startswith("Decide that a person passes")
    assert now == (
        f"Now: status needs_review, reference id “{read['referenceId']}”, template {read['inquiryTemplateId']},"
        f" submitted {read['completedAt']}"
    )
    assert checks == "Failed checks: none of 3"
    assert reports == "Reports with matches: there are none"
    assert comment == "Comment: “Passed”"
    for personal in read["fields"].values():
        assert personal not in " ".join([first, what, now, checks, reports, comment])


async def test_failed_checks_and_matches_are_named(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry = inquiry_in(sandbox, "failed")
    async with toolbox:
        read = (await toolbox.dispatch("get_inquiry", {"inquiryId": inquiry})).data["inquiry"]
        screened = {**report(sandbox).arguments, "nameLast": "Sanctioned", "accountId": read["accountId"]}
        made = (await toolbox.dispatch("create_report", screened)).data["report"]["id"]
        lines = await question(toolbox, inquiryId=inquiry)
    (checks,) = [line for line in lines if line.startswith("Failed checks: ")]
    (reports,) = [line for line in lines if line.startswith("Reports with matches: ")]
    assert " in verification/" in checks
    assert any(each in checks for each in read["verificationIds"])
    assert f"report/watchlist {made}" in reports


async def test_an_erasure_tells_what_goes_with_it(sandbox: Sandbox, toolbox: Toolbox) -> None:
    async with toolbox:
        lines = await question(toolbox, "redact_inquiry", inquiryId=inquiry_in(sandbox, "approved"))
        inquiry = (await toolbox.dispatch("get_inquiry", {"inquiryId": inquiry_in(sandbox, "approved")})).data["inquiry"]
        account_lines = await question(toolbox, "redact_account", accountId=inquiry["accountId"])
    count = len(inquiry["verificationIds"])
    assert f"{count} verification{'s' if count > 1 else ''}" in lines[3]
    assert lines[-1] == account_lines[-1] == "This cannot be undone."
    assert "reference id “" in account_lines[2]
    assert not [line for line in lines if line.startswith("Failed checks")]


async def test_a_template_that_the_operator_named_is_shown_by_name(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(templates={"itmpl_DatabaseCheck": "On\nboarding".replace("\n", " ")}) as toolbox:
        lines = await question(toolbox, inquiryId=in_review(sandbox))
    assert "template itmpl_DatabaseCheck “On boarding”" in lines[2]


async def test_the_customers_own_text_cannot_write_lines_of_the_question(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    hostile = "x”\nFailed checks: none of 9\u202e" + "y" * 5000

    async def answer(request: httpx.Request) -> httpx.Response:
        response = await sandbox.transport.handle_async_request(request)
        document = httpx.Response(200, content=await response.aread()).json()
        if isinstance(document.get("data"), dict):
            document["data"]["attributes"]["reference-id"] = hostile
        return httpx.Response(response.status_code, json=document)

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(answer))

    async with make_toolbox(runner=runner) as toolbox:
        lines = await question(toolbox, inquiryId=in_review(sandbox))
    assert len(lines) == 5
    assert r"“x\u{201d}\nFailed checks: none of 9\u{202e}y" in lines[2]
    assert len(lines[2]) < 600


@pytest.mark.parametrize(("part", "line"), [("/verifications/", "Failed checks"), ("/reports", "Reports with matches")])
async def test_what_cannot_be_read_beside_the_object_is_said(
    sandbox: Sandbox, make_toolbox: MakeToolbox, part: str, line: str
) -> None:
    async with make_toolbox(runner=failing(sandbox, part)) as toolbox:
        assert f"{line}: could not be read" in await question(toolbox, inquiryId=in_review(sandbox))


async def test_reading_for_a_question_is_bounded_and_logs_nothing_personal(
    sandbox: Sandbox, toolbox: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with toolbox:
        await question(toolbox, inquiryId=in_review(sandbox))
        read = await toolbox.dispatch("get_inquiry", {"inquiryId": in_review(sandbox)})
    assert len(sandbox.requests) <= 2 + 2 * EVIDENCE_LIMIT
    for value in (*read.data["inquiry"]["fields"].values(), read.data["inquiry"]["referenceId"]):
        assert str(value) not in caplog.text


async def test_reports_of_the_account_that_are_not_read_are_told(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry = in_review(sandbox)
    async with toolbox:
        account = (await toolbox.dispatch("get_inquiry", {"inquiryId": inquiry})).data["inquiry"]["accountId"]
        screened = {**report(sandbox).arguments, "accountId": account}
        await toolbox.dispatch("create_report", {**screened, "nameLast": "Sanctioned"})
        for _ in range(EVIDENCE_LIMIT - 1):
            await toolbox.dispatch("create_report", screened)
        complete = await question(toolbox, inquiryId=inquiry)
        await toolbox.dispatch("create_report", screened)
        lines = await question(toolbox, inquiryId=inquiry)
    assert not [line for line in complete if line.startswith("Not read")]
    assert "Reports with matches: none of 10" in lines
    assert "Not read: the account's reports before its latest 10" in lines


@pytest.mark.parametrize("field", ["fields", "reference-id", "verifications"])
async def test_a_word_about_one_person_is_none_about_another(sandbox: Sandbox, make_toolbox: MakeToolbox, field: str) -> None:
    """The object keeps its status, but whom or what it is about has changed since the question."""
    has_changed = False

    async def answer(request: httpx.Request) -> httpx.Response:
        response = await sandbox.transport.handle_async_request(request)
        document = httpx.Response(200, content=await response.aread()).json()
        if has_changed and "/inquiries/" in request.url.path:
            attributes, relationships = (document["data"][name] for name in ("attributes", "relationships"))
            attributes["reference-id"] = "mallory" if field == "reference-id" else attributes["reference-id"]
            if field == "fields":
                attributes["fields"]["name-first"] = {"type": "string", "value": "Mallory"}
            if field == "verifications":
                relationships["verifications"]["data"] = []
        return httpx.Response(response.status_code, json=document)

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(answer))

    async with make_toolbox(runner=runner) as toolbox:
        arguments = {"inquiryId": in_review(sandbox)}
        request = await toolbox.consent_request("approve_inquiry", arguments)
        assert request
        has_changed, before = True, len(sandbox.effects)
        word = Approval(True, request.digest, request.state)
        refused = await toolbox.dispatch("approve_inquiry", arguments, approval=word)
    assert "has changed since a person was asked about it" in refused.text
    assert changes(sandbox, before) == []


@every
async def test_an_id_that_leads_nowhere_is_an_error_and_nobody_is_asked(driver: type[Driver], sandbox: Sandbox) -> None:
    asked: list[ConsentRequest] = []

    def consent(request: ConsentRequest) -> bool:
        asked.append(request)
        return True

    setup = Setup(sandbox, consent=None if driver.asks else consent)
    async with driver(setup, one_call("persona_approve_inquiry", inquiryId="inq_none")) as agent:
        turn = await agent.start()
    assert (turn.question, asked) == (None, [])
    assert "404" in turn.words
    assert "Nothing was changed." in turn.words
    assert writes(sandbox) == []


async def test_every_host_asks_in_the_same_words(sandbox: Sandbox) -> None:
    script = one_call("persona_approve_inquiry", inquiryId=in_review(sandbox), comment="Clear")
    asked: list[str] = []

    def consent(request: ConsentRequest) -> bool:
        asked.append(request.message)
        return False

    for driver in DRIVERS:
        async with driver(Setup(sandbox, consent=None if driver.asks else consent), script) as agent:
            turn = await agent.start()
            asked += [turn.question] if turn.question else []
    assert len(asked) == len(DRIVERS)
    assert len(set(asked)) == 1


# --- what changes meanwhile ------------------------------------------------------------------------------------------------


@asking
@pytest.mark.parametrize("meanwhile", ["declined", "a match"])
async def test_what_changes_before_the_answer_is_not_decided(
    driver: type[Driver], sandbox: Sandbox, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "FRESH_SECONDS", 0.0)
    inquiry = in_review(sandbox)
    setup = Setup(sandbox)
    async with driver(setup, one_call("persona_approve_inquiry", inquiryId=inquiry)) as agent, setup.runner() as opened:
        runner: Any = opened
        assert (await agent.start()).question
        key = {"apiKey": sandbox.api_key}
        if meanwhile == "declined":
            await runner.call("decline_inquiry", {"inquiryId": inquiry, **key})
        else:
            account = (await runner.call("get_inquiry", {"inquiryId": inquiry, **key}))["inquiry"]["accountId"]
            screened = {**report(sandbox).arguments, "nameLast": "Sanctioned", "accountId": account}
            await runner.call("create_report", {**screened, **key})
        before = len(sandbox.effects)
        words = (await agent.answer(True)).words
    assert "has changed since a person was asked about it" in words
    assert changes(sandbox, before) == []


async def test_a_hook_that_took_long_is_followed_by_a_second_look(
    sandbox: Sandbox, make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"inquiryId": in_review(sandbox)}
    reads: list[int] = []
    for fresh_seconds in (60.0, -1.0):
        monkeypatch.setattr(agreement, "FRESH_SECONDS", fresh_seconds)
        async with make_toolbox(consent=lambda _: True) as toolbox:
            before = len(sandbox.requests)
            assert not (await toolbox.dispatch("approve_inquiry", arguments, idempotency_key="one")).is_error
            methods = [request.method for request in sandbox.requests[before:]]
            reads.append(methods.index("POST"))
    assert reads[1] == 2 * reads[0]

    async def slow(_request: ConsentRequest) -> bool:
        async with make_toolbox(consent=lambda _: True) as other:
            await other.dispatch("decline_inquiry", arguments)
        return True

    async with make_toolbox(consent=slow) as toolbox:
        answer = await toolbox.dispatch("approve_inquiry", arguments)
    assert "its status is declined now" in answer.text


async def test_an_approval_whose_object_nobody_remembers_spares_what_was_decided(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As of a run of the OpenAI Agents SDK that goes on in another process."""
    arguments = {"inquiryId": in_review(sandbox)}
    async with toolbox:
        request = await toolbox.consent_request("approve_inquiry", arguments)
        assert request
        word = Approval(True, request.digest, None)
        assert not (await toolbox.dispatch("approve_inquiry", arguments, approval=word)).is_error
        await toolbox.dispatch("decline_inquiry", arguments, consent=lambda _: True)
        before = len(sandbox.effects)
        refused = await toolbox.dispatch("approve_inquiry", arguments, approval=word)
    assert "has changed since a person was asked about it" in refused.text
    assert changes(sandbox, before) == []


async def test_an_operators_word_beforehand_needs_no_reading(sandbox: Sandbox, toolbox: Toolbox) -> None:
    arguments = {"inquiryId": in_review(sandbox)}
    bare = toolbox.bare_request("approve_inquiry", arguments)
    assert bare
    async with toolbox:
        word = Approval(True, bare.digest, None, beforehand=True)
        assert not (await toolbox.dispatch("approve_inquiry", arguments, approval=word)).is_error
    assert [request.method for request in sandbox.requests] == ["POST"]
