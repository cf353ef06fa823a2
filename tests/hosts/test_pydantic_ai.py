"""The Pydantic AI tools, played through its own agent with a scripted model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, UserError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from persona_block import Sandbox
from persona_block.hosts import ConsentRequest, Selection, Toolbox, pydantic_ai
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.scripted_model import (
    DONE,
    Script,
    changes,
    check_partial,
    failing_on_the_second_page,
    in_review,
    onboarding,
    one_call,
    two_pages,
)

TASK = "Check the newest inquiry in review and approve it if it is clean."


class ScriptedModel:
    """Says what its script says, and keeps all it was shown."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.saw: list[str] = []
        self.outcomes: list[str] = []

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.saw.append(repr((messages, info.function_tools)))
        parts = [part for message in messages for part in message.parts if part.part_kind in ("tool-return", "retry-prompt")]
        self.outcomes = [getattr(part, "outcome", None) or part.part_kind for part in parts]
        turn = self.script([str(getattr(part, "content", "")) for part in parts])
        if isinstance(turn, str):
            return ModelResponse([TextPart(turn)])
        return ModelResponse([ToolCallPart(turn.name, turn.json, tool_call_id=turn.id)])


def agent(toolbox: Toolbox, script: Script, **options: Any) -> tuple[Agent[Any, Any], ScriptedModel]:
    model = ScriptedModel(script)
    types: Any = [str, DeferredToolRequests]
    options = {"output_type": types, **options}
    return Agent(FunctionModel(model), tools=pydantic_ai.tools(toolbox), **options), model


async def test_all_or_the_chosen_tools_never_strict(make_toolbox: MakeToolbox) -> None:
    offered = pydantic_ai.tools()
    assert {each.name for each in offered} == {spec.tool_id for spec in catalog.load_all()}
    assert {each.tool_def.strict for each in offered} == {False}
    chosen = pydantic_ai.tools(make_toolbox(Selection.of(tools=["get_case"])))
    assert [each.name for each in chosen] == ["persona_get_case"]


async def test_a_conversation_with_the_consent_hook(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    asked: list[ConsentRequest] = []

    async def consent(request: ConsentRequest) -> bool:
        asked.append(request)
        return True

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    async with make_toolbox(consent=consent) as toolbox:
        played, model = agent(toolbox, onboarding)
        result = await played.run(TASK)
    assert result.output == DONE
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
    assert [request.object_id for request in asked] == [inquiry]
    assert all(sandbox.api_key not in seen for seen in model.saw)


async def test_the_run_ends_for_an_approval_and_goes_on(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    played, model = agent(toolbox, onboarding)
    result = await played.run(TASK)
    assert isinstance(result.output, DeferredToolRequests)
    (call,) = result.output.approvals
    assert f"Approve inquiry {inquiry}?" in result.output.metadata[call.tool_call_id]["message"]
    assert "inquiry.approved" not in dict(changes(sandbox, before))
    answers = DeferredToolResults(approvals={call.tool_call_id: True})
    result = await played.run(message_history=result.all_messages(), deferred_tool_results=answers)
    assert result.output == DONE
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert all(sandbox.api_key not in seen for seen in model.saw)
    await toolbox.aclose()


async def test_a_denial_refuses(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, onboarding)
    result = await played.run(TASK)
    before, sent = len(sandbox.effects), len(sandbox.requests)
    answers = DeferredToolResults(approvals={result.output.approvals[0].tool_call_id: False})
    result = await played.run(message_history=result.all_messages(), deferred_tool_results=answers)
    assert result.output.startswith("Not approved")
    assert changes(sandbox, before) == []
    assert len(sandbox.requests) == sent
    await toolbox.aclose()


async def test_a_refusing_hook_is_final_and_no_retry(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(consent=lambda request: False) as toolbox:
        played, model = agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
        result = await played.run(TASK)
    assert "did not agree" in result.output
    assert model.outcomes == ["failed"]
    assert sandbox.requests == []


async def test_an_agent_that_can_ask_nobody_decides_nothing(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)), output_type=str)
    with pytest.raises(UserError, match="DeferredToolRequests"):
        await played.run(TASK)
    assert sandbox.requests == []


async def test_wrong_arguments_are_tried_again(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, model = agent(toolbox, one_call("persona_approve_inquiry", inquiryId="..", coment="x"))
    result = await played.run(TASK)
    assert "- inquiryId:" in str(result.output)
    assert "- coment:" in str(result.output)
    assert model.outcomes in (["retried"], ["retry-prompt"]), "as newer and older versions call it"
    assert sandbox.requests == []


async def test_what_the_model_cannot_put_right_is_no_retry(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox() as toolbox:
        played, model = agent(toolbox, one_call("persona_get_inquiry", inquiryId="inq_none"))
        assert "404" in (await played.run(TASK)).output
        assert model.outcomes == ["failed"]
    async with make_toolbox(api_key=None) as toolbox:
        played, model = agent(toolbox, one_call("persona_list_cases"))
        assert "no Persona API key" in (await played.run(TASK)).output
        assert model.outcomes == ["failed"]


@pytest.mark.parametrize(
    "deps", [None, {"persona_api_key": ""}, {"persona_api_key": "persona key"}, {"persona_api_key": "ключ"}]
)
@pytest.mark.parametrize("key", ["", " ", "persona key", "persona\nkey"])
@pytest.mark.parametrize("arguments", [{}, {"maxItems": -1}], ids=["sound", "unsound"])
async def test_a_key_that_is_none_is_no_retry(
    sandbox: Sandbox, make_toolbox: MakeToolbox, key: str, deps: Any, arguments: dict[str, Any]
) -> None:
    async with make_toolbox(api_key=key) as toolbox:
        played, model = agent(toolbox, one_call("persona_list_cases", **arguments), deps_type=object)
        assert "- host:" in (await played.run(TASK, deps=deps)).output
    assert model.outcomes == ["failed"]
    assert sandbox.requests == []


async def test_what_was_read_before_an_error_goes_to_the_model(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(runner=failing_on_the_second_page(sandbox)) as toolbox:
        played, model = agent(toolbox, one_call(two_pages().name, **two_pages().arguments))
        check_partial((await played.run(TASK)).output)
    assert model.outcomes == ["failed"]


@dataclass
class Tenant:
    persona_api_key: str | SecretStr


async def test_a_run_brings_its_own_key(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    key = sandbox.sandbox_key
    async with make_toolbox(api_key="persona_production_wrong") as toolbox:
        played, model = agent(toolbox, one_call("persona_list_cases", maxItems=1), deps_type=Tenant)
        for deps in (Tenant(key), Tenant(SecretStr(key)), {"persona_api_key": key}):
            result = await played.run(TASK, deps=deps)
            assert json.loads(result.output)["cases"] == [], "the other environment has no cases"
    assert [request.environment for request in sandbox.requests] == ["sandbox"] * 3
    assert all(key not in seen for seen in model.saw)


async def test_a_blank_key_does_not_fall_back(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_list_cases"), deps_type=Tenant)
    assert "blank persona_api_key" in (await played.run(TASK, deps=Tenant(""))).output
    assert sandbox.requests == []
