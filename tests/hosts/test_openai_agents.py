"""The tools of the OpenAI Agents SDK, played through its own runner with a scripted model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from agents import Agent, FunctionTool, Model, ModelResponse, RunConfig, Runner, Usage, tool_namespace
from agents.items import TResponseStreamEvent
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from pydantic import SecretStr

from persona_block import Sandbox
from persona_block.hosts import ConsentRequest, Selection, Toolbox, openai_agents
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
QUIET = RunConfig(tracing_disabled=True)


class ScriptedModel(Model):
    """Says what its script says, and keeps all it was shown."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.saw: list[str] = []

    async def get_response(
        self, system_instructions: str | None, input: Any, model_settings: Any, tools: list[Any], *rest: Any, **more: Any
    ) -> ModelResponse:
        schemas = [(tool.name, tool.description, tool.params_json_schema) for tool in tools]
        self.saw.append(repr((system_instructions, input, schemas)))
        items = [] if isinstance(input, str) else input
        turn = self.script([str(item["output"]) for item in items if item.get("type") == "function_call_output"])
        if isinstance(turn, str):
            text = ResponseOutputText(annotations=[], text=turn, type="output_text")
            message = ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
            return ModelResponse(output=[message], usage=Usage(), response_id=None)
        call = ResponseFunctionToolCall(arguments=turn.json, call_id=turn.id, name=turn.name, type="function_call")
        return ModelResponse(output=[call], usage=Usage(), response_id=None)

    def stream_response(self, *given: Any, **more: Any) -> AsyncIterator[TResponseStreamEvent]:
        raise NotImplementedError("no test streams")


def native(toolbox: Toolbox) -> list[FunctionTool]:
    return [each for each in openai_agents.tools(toolbox) if isinstance(each, FunctionTool)]


def agent(toolbox: Toolbox, script: Script) -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel(script)
    return Agent(name="Reviewer", model=model, tools=openai_agents.tools(toolbox)), model


async def test_all_or_the_chosen_tools_never_strict(make_toolbox: MakeToolbox) -> None:
    offered: list[Any] = openai_agents.tools()
    assert {each.name for each in offered} == {spec.tool_id for spec in catalog.load_all()}
    assert not any(each.strict_json_schema for each in offered)
    chosen = openai_agents.tools(make_toolbox(Selection.of(tools=["get_case"])))
    assert [each.name for each in chosen] == ["persona_get_case"]


async def test_a_conversation_with_the_consent_hook(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    asked: list[ConsentRequest] = []

    def consent(request: ConsentRequest) -> bool:
        asked.append(request)
        return True

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    async with make_toolbox(consent=consent) as toolbox:
        played, model = agent(toolbox, onboarding)
        result = await Runner.run(played, TASK, run_config=QUIET)
    assert result.final_output == DONE
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
    assert [request.object_id for request in asked] == [inquiry]
    assert all(sandbox.api_key not in seen for seen in model.saw)


async def test_the_run_stops_for_an_approval_and_goes_on(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    played, model = agent(toolbox, onboarding)
    result = await Runner.run(played, TASK, run_config=QUIET)
    (item,) = result.interruptions
    question = toolbox.to_approve(item.name or "", item.arguments)
    assert question is not None
    assert f"Approve inquiry {inquiry}?" in question.message
    assert "inquiry.approved" not in dict(changes(sandbox, before))
    state = result.to_state()
    state.approve(item)
    result = await Runner.run(played, state, run_config=QUIET)
    assert result.final_output == DONE
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert all(sandbox.api_key not in seen for seen in model.saw)
    await toolbox.aclose()


async def test_a_rejection_refuses(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, onboarding)
    result = await Runner.run(played, TASK, run_config=QUIET)
    before, sent = len(sandbox.effects), len(sandbox.requests)
    state = result.to_state()
    state.reject(result.interruptions[0])
    result = await Runner.run(played, state, run_config=QUIET)
    assert str(result.final_output).startswith("Not approved")
    assert changes(sandbox, before) == []
    assert len(sandbox.requests) == sent
    await toolbox.aclose()


async def test_a_refusing_hook_is_not_outvoted_by_the_framework(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    """A tool that was given an approval of the host's own still asks the toolbox's hook."""
    async with make_toolbox(consent=lambda request: False) as toolbox:
        model = ScriptedModel(one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
        tools: list[Any] = [replace(each, needs_approval=True) for each in native(toolbox)]
        played: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
        result = await Runner.run(played, TASK, run_config=QUIET)
        state = result.to_state()
        state.approve(result.interruptions[0])
        result = await Runner.run(played, state, run_config=QUIET)
    assert "did not agree" in str(result.final_output)
    assert sandbox.requests == []


async def test_a_tool_whose_approval_was_taken_off_still_refuses(sandbox: Sandbox, toolbox: Toolbox) -> None:
    model = ScriptedModel(one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
    tools: list[Any] = [replace(each, needs_approval=False) for each in native(toolbox)]
    played: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
    result = await Runner.run(played, TASK, run_config=QUIET)
    assert "cannot ask a person here" in str(result.final_output)
    assert sandbox.requests == []


async def test_errors_are_text_and_never_end_the_run(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_approve_inquiry", inquiryId="..", coment="x"))
    result = await Runner.run(played, TASK, run_config=QUIET)
    assert result.interruptions == [], "a call that cannot be made asks nobody"
    assert "- inquiryId:" in result.final_output
    assert "- coment:" in result.final_output
    played, _ = agent(toolbox, one_call("persona_get_inquiry", inquiryId="inq_none"))
    result = await Runner.run(played, TASK, run_config=QUIET)
    assert "404" in result.final_output
    await toolbox.aclose()


async def test_what_was_read_before_an_error_goes_to_the_model(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(runner=failing_on_the_second_page(sandbox)) as toolbox:
        played, _ = agent(toolbox, one_call(two_pages().name, **two_pages().arguments))
        result = await Runner.run(played, TASK, run_config=QUIET)
    check_partial(result.final_output)


@dataclass
class Tenant:
    persona_api_key: str | SecretStr


async def test_a_run_brings_its_own_key(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    key = sandbox.sandbox_key
    async with make_toolbox(api_key="persona_production_wrong") as toolbox:
        for context in (Tenant(key), Tenant(SecretStr(key)), {"persona_api_key": key}):
            played, model = agent(toolbox, one_call("persona_list_cases", maxItems=1))
            result = await Runner.run(played, TASK, context=context, run_config=QUIET)
            assert json.loads(result.final_output)["cases"] == [], "the other environment has no cases"
            assert all(key not in seen for seen in model.saw)
    assert [request.environment for request in sandbox.requests] == ["sandbox"] * 3


async def test_a_secret_key_is_not_stored_with_a_run(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
    result = await Runner.run(played, TASK, context=Tenant(SecretStr(sandbox.api_key)), run_config=QUIET)
    stored = result.to_state().to_string()
    assert "persona_approve_inquiry" in stored
    assert sandbox.api_key not in stored


async def test_a_tool_in_a_namespace_is_approved_too(sandbox: Sandbox, toolbox: Toolbox) -> None:
    class Namespaced(ScriptedModel):
        async def get_response(self, *given: Any, **more: Any) -> ModelResponse:
            response = await super().get_response(*given, **more)
            for item in response.output:
                if isinstance(item, ResponseFunctionToolCall):
                    item.namespace = "persona"
            return response

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    tools: list[Any] = [*tool_namespace(name="persona", description="Persona", tools=native(toolbox))]
    model = Namespaced(one_call("persona_approve_inquiry", inquiryId=inquiry))
    played: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
    result = await Runner.run(played, TASK, run_config=QUIET)
    state = result.to_state()
    state.approve(result.interruptions[0])
    await Runner.run(played, state, run_config=QUIET)
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]
    await toolbox.aclose()


async def test_a_blank_key_does_not_fall_back(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_list_cases"))
    result = await Runner.run(played, TASK, context=Tenant(""), run_config=QUIET)
    assert "blank persona_api_key" in result.final_output
    assert sandbox.requests == []
