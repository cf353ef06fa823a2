"""A call on behalf of a run: an approval is of one call, a step of one place, and what is told of a decision holds."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import Runner, Sandbox
from persona_block.hosts import Selection, Toolbox
from persona_block.hosts.consent import Approval
from persona_block.hosts.run import dispatch_for_run, step_idempotency_key
from tests.hosts.conftest import MakeToolbox
from tests.support.scripted_model import all_in_review, changes, in_review, writes

OFFLINE = Toolbox(Selection.of(), api_key="k")


async def approve(toolbox: Toolbox, **arguments: Any) -> Approval:
    """Return a person's approval of the approval of an inquiry, as it is now."""
    request = await toolbox.to_approve("persona_approve_inquiry", arguments)
    assert request
    assert request.state
    return Approval(True, request.digest, request.state)


# --- what stands for a call ------------------------------------------------------------------------------------------------

SPELLINGS: list[Any] = [
    {"inquiryId": "inq_1", "comment": "a 1"},
    {"comment": "a 1", "inquiryId": "inq_1"},
    {"inquiryId": " inq_1\n", "comment": "\ta 1 ", "outputFields": ["status"]},
    '{"inquiryId":"inq_1","comment":"a 1"}',
    '  {"comment" : "a\\u00201", "inquiryId": "inq_1", "outputFields": null}  ',
]
OTHERS: list[Any] = [
    {"inquiryId": "inq_1"},
    {"inquiryId": "inq_2", "comment": "a 1"},
    {"inquiryId": "inq_1", "comment": "a  1"},
    {"inquiryId": "inq_1", "comment": "A 1"},
    {"inquiryId": "inq_1", "comment": "a 1\u200b"},
    {"inquiryId": "inq_1", "comment": "a\u00a01"},
]


def test_a_call_is_the_same_however_it_is_written() -> None:
    digests = {OFFLINE.call_digest("approve_inquiry", each) for each in SPELLINGS}
    assert len(digests) == 1
    assert None not in digests
    assert OFFLINE.call_digest("persona_approve_inquiry", SPELLINGS[0]) in digests


def test_numbers_are_told_apart_by_what_is_sent() -> None:
    same: list[Any] = [{"reportId": 1}, {"reportId": 1.0}, {"reportId": "1"}, '{"reportId": 1.0}']
    assert len({OFFLINE.call_digest("get_report", each) for each in same}) == 1
    assert OFFLINE.call_digest("get_report", {"reportId": 1.5}) != OFFLINE.call_digest("get_report", same[0])


def test_other_calls_are_others() -> None:
    digests = [OFFLINE.call_digest("approve_inquiry", each) for each in (SPELLINGS[0], *OTHERS)]
    digests.append(OFFLINE.call_digest("decline_inquiry", SPELLINGS[0]))
    assert len(set(digests)) == len(OTHERS) + 2
    assert None not in digests


@pytest.mark.parametrize("arguments", [{}, {"inquiryId": ".."}, {"inquiryId": "inq_1", "note": "x"}, "[]", "{"])
def test_a_call_that_cannot_be_made_is_none(arguments: Any) -> None:
    assert OFFLINE.call_digest("approve_inquiry", arguments) is None
    assert OFFLINE.call_digest("no_such_tool", {}) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_calls_are_the_same_where_the_same_is_sent(one: str, other: str) -> None:
    arguments = [{"inquiryId": "inq_1", "comment": each} for each in (one, other)]
    if not all(OFFLINE.needs_approval("approve_inquiry", each) for each in arguments):
        return
    first, second = [OFFLINE.bare_request("approve_inquiry", each) for each in arguments]
    assert first
    assert second
    assert (first.digest == second.digest) == (first.message == second.message)


# --- what an approval is of ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", SPELLINGS)
async def test_an_approval_holds_for_the_call_it_is_of(sandbox: Sandbox, toolbox: Toolbox, arguments: Any) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    answer = await dispatch_for_run(
        toolbox,
        "persona_approve_inquiry",
        written.replace("inq_1", inquiry),
        None,
        await approve(toolbox, inquiryId=inquiry, comment="a 1"),
    )
    assert not answer.is_error
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]
    await toolbox.aclose()


@pytest.mark.parametrize("arguments", OTHERS)
@pytest.mark.parametrize("name", ["persona_approve_inquiry", "decline_inquiry"])
async def test_an_approval_of_another_call_is_none(sandbox: Sandbox, toolbox: Toolbox, name: str, arguments: Any) -> None:
    inquiry, other = in_review(sandbox), all_in_review(sandbox)[0]
    approval = await approve(toolbox, inquiryId=inquiry, comment="a 1")
    given_arguments = arguments | {"inquiryId": other if arguments["inquiryId"] == "inq_2" else inquiry}
    answer = await dispatch_for_run(toolbox, name, given_arguments, None, approval)
    assert [problem["param"] for problem in answer.data["error"]["problems"]] == ["host"]
    assert "holds a person's word about another call" in answer.text
    assert writes(sandbox) == []


async def test_arguments_that_change_after_they_were_looked_at_are_refused(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry, other = in_review(sandbox), all_in_review(sandbox)[0]
    approval = await approve(toolbox, inquiryId=inquiry)

    class Changing(dict[str, Any]):
        looks = 0

        def items(self) -> Any:
            self.looks += 1
            return {"inquiryId": other if self.looks == 1 else inquiry}.items()

    answer = await dispatch_for_run(toolbox, "approve_inquiry", Changing(inquiryId=inquiry), None, approval)
    assert "holds a person's word about another call" in answer.text
    assert writes(sandbox) == []


async def test_a_hook_of_the_toolbox_is_asked_all_the_same(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    asked: list[str] = []

    def refuse(request: Any) -> bool:
        asked.append(request.digest)
        return False

    arguments = {"inquiryId": in_review(sandbox)}
    approval = await approve(make_toolbox(), **arguments)
    answer = await dispatch_for_run(make_toolbox(consent=refuse), "approve_inquiry", arguments, None, approval)
    assert answer.data["error"]["kind"] == "not_agreed"
    assert asked == [approval.digest]
    assert writes(sandbox) == []


# --- keys of steps ---------------------------------------------------------------------------------------------------------


def test_a_step_has_a_key_of_its_own() -> None:
    keys = [
        step_idempotency_key(("run", 1), "x", "digest"),
        step_idempotency_key(("run", 2), "x", "digest"),
        step_idempotency_key(("other run", 1), "x", "digest"),
        step_idempotency_key(("run", 1), "y", "digest"),
        step_idempotency_key(("run", 1), "x", "another"),
    ]
    assert len({*keys, None}) == len(keys) + 1
    assert keys[0] == step_idempotency_key(("run", 1), "x", "digest")


@pytest.mark.parametrize(
    ("step", "call_id", "digest"),
    [
        (("run", None), "x", "d"),
        (("run", 1), None, "d"),
        (("run", 1), "", "d"),
        (("run", 1), "x", None),
        ((object(),), "x", "d"),
    ],
    ids=["no place", "no id", "a blank id", "no call", "a run that is no value"],
)
def test_without_an_identity_there_is_no_key(step: tuple[object, ...], call_id: str | None, digest: str | None) -> None:
    assert step_idempotency_key(step, call_id, digest) is None


# --- whether a decision holds ----------------------------------------------------------------------------------------------


async def test_a_decision_of_a_repeated_step_is_told_as_it_is_now(sandbox: Sandbox, toolbox: Toolbox) -> None:
    arguments, before = {"inquiryId": in_review(sandbox)}, len(sandbox.effects)

    async def decide(name: str, key: str) -> Any:
        return await toolbox.dispatch(name, arguments, consent=lambda _: True, idempotency_key=key)

    assert not (await decide("approve_inquiry", "step 1")).is_error
    assert not (await decide("approve_inquiry", "step 1")).is_error, "it is approved still"
    assert not (await decide("decline_inquiry", "step 2")).is_error
    told = await decide("approve_inquiry", "step 1")
    assert told.is_error
    assert told.data["inquiry"]["status"] == "declined"
    assert told.data["error"]["tookEffect"] == "unknown"
    assert told.data["error"]["retryable"] is False
    assert 'status is "declined" now' in told.text
    assert not (await decide("approve_inquiry", "step 3")).is_error
    assert [name for name, _ in changes(sandbox, before)] == ["inquiry.approved", "inquiry.declined", "inquiry.approved"]
    assert [request.replayed for request in writes(sandbox)] == [False, True, False, True, False]
    await toolbox.aclose()


async def test_a_call_under_no_key_needs_no_second_look(sandbox: Sandbox, toolbox: Toolbox) -> None:
    answer = await toolbox.dispatch("approve_inquiry", {"inquiryId": in_review(sandbox)}, consent=lambda _: True)
    assert not answer.is_error
    assert sandbox.requests[-1].method == "POST"
    assert len(writes(sandbox)) == 1
    await toolbox.aclose()


@pytest.mark.parametrize("hangs", [False, True], ids=["refused", "too slow"])
async def test_a_decision_that_cannot_be_read_again_is_told_as_persona_answered(
    sandbox: Sandbox, make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    monkeypatch.setattr("persona_block.hosts.toolbox.CHECK_SECONDS", 0.05)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and writes(sandbox):
            return httpx.Response(403, json={"errors": [{"title": "Forbidden"}]}) if not hangs else await never()
        return await sandbox.transport.handle_async_request(request)

    def runner() -> Runner:
        return Runner(base_url=sandbox.base_url, transport=httpx.MockTransport(answer))

    async with make_toolbox(runner=runner, consent=lambda _: True) as toolbox:
        told = await toolbox.dispatch("approve_inquiry", {"inquiryId": in_review(sandbox)}, idempotency_key="step 1")
    assert told.data["inquiry"]["status"] == "approved"


async def never() -> httpx.Response:
    """Wait for an answer that does not come."""
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits an hour")
