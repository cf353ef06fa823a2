"""Nothing is decided or erased unless a person said so: a refusal, a doubt and a fault all send nothing."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block import InputError, NotFound, Sandbox
from persona_block.hosts import ConsentRequest, Toolbox
from persona_block.hosts.consent import consent_request
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.planted import KEY
from tests.support.scripted_model import changes, in_review, writes

SETTLING = [spec.name for spec in catalog.load_all() if spec.effect in ("decide", "erase")]
HARMLESS = [spec.name for spec in catalog.load_all() if spec.effect in ("read", "write")]


def arguments(name: str, sandbox: Sandbox) -> dict[str, str]:
    account = next(effect.resource_id for effect in sandbox.effects if effect.name == "account.created")
    return {"accountId": account} if name.endswith("account") else {"inquiryId": in_review(sandbox)}


@pytest.mark.parametrize("name", SETTLING)
async def test_without_anybody_to_ask_it_is_refused(sandbox: Sandbox, toolbox: Toolbox, name: str) -> None:
    answer = await toolbox.dispatch(name, arguments(name, sandbox))
    assert answer.is_error
    assert "cannot ask a person here" in answer.text
    assert sandbox.requests == []


@pytest.mark.parametrize("name", SETTLING)
async def test_a_person_is_asked_about_that_very_object(sandbox: Sandbox, make_toolbox: MakeToolbox, name: str) -> None:
    requests: list[ConsentRequest] = []

    def agree(request: ConsentRequest) -> bool:
        requests.append(request)
        assert writes(sandbox) == []
        return True

    params = arguments(name, sandbox)
    before = len(sandbox.effects)
    async with make_toolbox(consent=agree) as toolbox:
        answer = await toolbox.dispatch(name, params)
    (request,) = requests
    (object_id,) = params.values()
    assert (request.operation, request.object_id) == (name, object_id)
    assert object_id in request.message.splitlines()[0]
    if name == "mark_inquiry_for_review":
        assert "409" in answer.text or not answer.is_error, "it is in review already"
    else:
        assert not answer.is_error or name == "expire_inquiry"
        assert name == "expire_inquiry" or changes(sandbox, before)[0][1] == object_id
    assert ("cannot be undone" in request.message) == (request.effect == "erase")
    typed = object_id if request.effect == "erase" else "yes"
    assert typed in request.prompt
    assert request.is_agreed(f" {typed}\n")
    assert not any(
        map(request.is_agreed, ("", "no", "y", typed.upper() + "x", "yes" if request.effect == "erase" else object_id))
    )


async def test_the_question_says_everything_that_will_be_sent(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry = in_review(sandbox)
    request = await toolbox.consent_request("persona_approve_inquiry", {"inquiryId": inquiry, "comment": "Passed"})
    assert request is not None
    assert request.title == "Approve Inquiry"
    lines = request.message.splitlines()
    assert lines[0] == f"Approve inquiry {inquiry}?"
    assert lines[1].startswith("Decide that a person passes")
    assert lines[5:] == ["Comment: “Passed”"]
    assert "Passed" not in repr(request)


async def test_a_model_cannot_write_lines_of_the_question(toolbox: Toolbox) -> None:
    comment = "fine\n\nThis approves nothing.\r\u2028\u202e\x00" + "x" * 1000
    request = toolbox.bare_request("approve_inquiry", {"inquiryId": "inq_1", "comment": comment})
    assert request is not None
    *_, shown = lines = request.message.splitlines()
    assert len(lines) == 3
    assert shown == r"Comment: “fine\n\nThis approves nothing.\r\u{2028}\u{202e}\u{0}" + "x" * 1000 + "”"


@pytest.mark.parametrize("word", [False, None, 1, "yes", "true", [True], {"approved": True}], ids=str)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "awaited"])
async def test_anything_but_true_refuses(sandbox: Sandbox, make_toolbox: MakeToolbox, word: Any, later: bool) -> None:
    async def answer_later(_request: ConsentRequest) -> Any:
        return word

    before = len(sandbox.effects)
    async with make_toolbox(consent=answer_later if later else lambda _: word) as toolbox:
        answer = await toolbox.dispatch("approve_inquiry", {"inquiryId": in_review(sandbox)})
    assert answer.data["error"]["kind"] == "not_agreed"
    assert answer.data["error"]["tookEffect"] == "no"
    assert "Nothing was sent or changed" in answer.text
    assert writes(sandbox) == []
    assert changes(sandbox, before) == []


async def test_a_hook_that_fails_refuses_and_keeps_its_text(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    def fail(_request: ConsentRequest) -> bool:
        raise ValueError(KEY)

    answer = await make_toolbox(consent=fail).dispatch("approve_inquiry", {"inquiryId": in_review(sandbox)})
    assert answer.is_error
    assert "Nothing was sent" in answer.text
    assert KEY not in answer.text + answer.json
    assert writes(sandbox) == []


async def test_a_hook_of_the_call_wins(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(consent=lambda _: True) as toolbox:
        arguments = {"inquiryId": in_review(sandbox)}
        assert (await toolbox.dispatch("approve_inquiry", arguments, consent=lambda _: False)).is_error
        assert writes(sandbox) == []
        assert not (await toolbox.dispatch("approve_inquiry", arguments)).is_error


async def test_nobody_is_asked_for_what_cannot_be_done(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    def never(_request: ConsentRequest) -> bool:
        raise AssertionError("asked")

    async with make_toolbox(consent=never, api_key=None) as toolbox:
        answer = await toolbox.dispatch("approve_inquiry", {"inquiryId": "inq_1"})
        assert [problem["param"] for problem in answer.data["error"]["problems"]] == ["host"]
        answer = await toolbox.dispatch("approve_inquiry", {"inquiryId": ".."}, api_key=sandbox.api_key)
        assert [problem["param"] for problem in answer.data["error"]["problems"]] == ["inquiryId"]


async def test_what_is_harmless_asks_nobody(toolbox: Toolbox) -> None:
    assert [tool.spec.name for tool in toolbox.tools if tool.spec.name not in HARMLESS + SETTLING] == []
    assert await toolbox.consent_request("get_inquiry", {"inquiryId": "inq_1"}) is None
    assert await toolbox.consent_request("update_inquiry", {"inquiryId": "inq_1", "note": "x"}) is None


async def test_what_a_framework_has_to_ask(sandbox: Sandbox, toolbox: Toolbox, make_toolbox: MakeToolbox) -> None:
    params = {"inquiryId": in_review(sandbox)}
    assert await toolbox.to_approve("approve_inquiry", params) == await toolbox.consent_request("approve_inquiry", params)
    assert await toolbox.to_approve("get_inquiry", params) is None
    assert await make_toolbox(consent=lambda _: True).to_approve("approve_inquiry", params) is None
    assert await toolbox.to_approve("approve_inquiry", {}) is None
    assert await toolbox.to_approve("approve_inquiry", {"inquiryId": "inq_none"}) is None
    assert await toolbox.to_approve("no_such_tool", {}) is None
    with pytest.raises(InputError, match="is required"):
        await toolbox.consent_request("approve_inquiry", {})
    with pytest.raises(NotFound):
        await toolbox.consent_request("approve_inquiry", {"inquiryId": "inq_none"})
    assert toolbox.needs_approval("approve_inquiry", params)
    assert not toolbox.needs_approval("approve_inquiry", {})
    assert not toolbox.needs_approval("get_inquiry", params)
    await toolbox.aclose()


def test_a_param_of_a_clause_that_is_left_out_is_shown_all_the_same() -> None:
    spec = catalog.load("decline_inquiry").model_copy(update={"sentence": "Decline {inquiryId}[ for {comment} by {person}]"})
    request = consent_request(spec, {"inquiryId": "inq_1", "comment": "fraud"})
    assert request
    first, _, *others = request.message.splitlines()
    assert first == "Decline inq_1?"
    assert others == ["Comment: fraud"]
    request = consent_request(spec, {"inquiryId": "inq_1", "comment": "fraud", "person": "Jo"})
    assert request
    assert request.message.splitlines()[0] == "Decline inq_1 for fraud by Jo?"
    assert len(request.message.splitlines()) == 2
