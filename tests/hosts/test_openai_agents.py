"""What is the OpenAI Agents SDK's own: approvals of its tools, contexts, stored runs, and traces that tell runs apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from agents import Agent, ModelResponse, Runner, RunState, tool_namespace, trace
from agents.tracing import set_trace_provider
from agents.tracing.provider import DefaultTraceProvider
from agents.tracing.setup import get_trace_provider
from openai.types.responses import ResponseFunctionToolCall
from pydantic import SecretStr

from persona_block import Sandbox
from persona_block.hosts import Toolbox, openai_agents
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.frameworks.driver import TASK
from tests.support.frameworks.openai_agents import QUIET, ScriptedModel, Tenant, function_tools, scripted_agent
from tests.support.scripted_model import ToolCall, changes, in_review, one_call, report, writes


@pytest.fixture
def tracing() -> Iterator[None]:
    """Tracing is on, as it is by default, and goes nowhere."""
    provider = get_trace_provider()
    set_trace_provider(DefaultTraceProvider())
    yield
    set_trace_provider(provider)


def approving_agent(toolbox: Toolbox, sandbox: Sandbox) -> Agent[Any]:
    """Return an agent that approves the inquiry in review."""
    return scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))[0]


def reporting_agent(toolbox: Toolbox, sandbox: Sandbox) -> Agent[Any]:
    """Return an agent that orders a report."""
    call = report(sandbox)
    return scripted_agent(toolbox, one_call(call.name, **call.arguments))[0]


def test_tools_are_never_strict() -> None:
    offered: list[Any] = openai_agents.tools()
    assert len(offered) == len(catalog.names())
    assert not any(tool.strict_json_schema for tool in offered)


async def test_a_refusing_hook_is_not_outvoted_by_the_framework(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    """A tool that was given an approval of the host's own still asks the toolbox's hook."""
    async with make_toolbox(consent=lambda _: False) as toolbox:
        model = ScriptedModel(one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
        tools: list[Any] = [replace(tool, needs_approval=True) for tool in function_tools(toolbox)]
        agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
        result = await Runner.run(agent, TASK, run_config=QUIET)
        state = result.to_state()
        state.approve(result.interruptions[0])
        result = await Runner.run(agent, state, run_config=QUIET)
    assert "did not agree" in str(result.final_output)
    assert sandbox.requests == []


async def test_a_tool_whose_approval_was_taken_off_still_refuses(sandbox: Sandbox, toolbox: Toolbox) -> None:
    model = ScriptedModel(one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))
    tools: list[Any] = [replace(tool, needs_approval=False) for tool in function_tools(toolbox)]
    agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
    result = await Runner.run(agent, TASK, run_config=QUIET)
    assert "cannot ask a person here" in str(result.final_output)
    assert sandbox.requests == []


async def test_a_secret_key_is_not_stored_with_a_run(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent = approving_agent(toolbox, sandbox)
    result = await Runner.run(agent, TASK, context=Tenant(SecretStr(sandbox.api_key)), run_config=QUIET)
    stored = result.to_state().to_string()
    assert "persona_approve_inquiry" in stored
    assert sandbox.api_key not in stored


async def test_a_tool_in_a_namespace_is_approved_too(sandbox: Sandbox, toolbox: Toolbox) -> None:
    class Namespaced(ScriptedModel):
        async def get_response(self, *arguments: Any, **options: Any) -> ModelResponse:
            response = await super().get_response(*arguments, **options)
            for item in response.output:
                if isinstance(item, ResponseFunctionToolCall):
                    item.namespace = "persona"
            return response

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    tools: list[Any] = [*tool_namespace(name="persona", description="Persona", tools=function_tools(toolbox))]
    model = Namespaced(one_call("persona_approve_inquiry", inquiryId=inquiry))
    agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
    result = await Runner.run(agent, TASK, run_config=QUIET)
    state = result.to_state()
    state.approve(result.interruptions[0])
    await Runner.run(agent, state, run_config=QUIET)
    assert changes(sandbox, before) == [("inquiry.approved", inquiry)]
    await toolbox.aclose()


@pytest.mark.parametrize("fields", ["[" * 100_000, ["id", 1], "\0"], ids=["deep", "mixed", "nul"])
async def test_hostile_fields_end_no_run(sandbox: Sandbox, toolbox: Toolbox, fields: Any) -> None:
    answers: list[str] = []
    call = ToolCall("persona_approve_inquiry", {"inquiryId": in_review(sandbox), "outputFields": fields})

    def script(seen: Any) -> ToolCall | str:
        answers.extend(seen)
        return "done" if seen else call

    result = await Runner.run(scripted_agent(toolbox, script)[0], TASK, run_config=QUIET)
    assert result.final_output == "done"
    assert "- outputFields:" in answers[0]


# --- steps that are repeated -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("tracing")
async def test_a_traced_run_that_is_resumed_twice_decides_once(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, before = approving_agent(toolbox, sandbox), len(sandbox.effects)
    result = await Runner.run(agent, TASK)
    state = result.to_state()
    state.approve(result.interruptions[0])
    stored = state.to_string()
    for _ in range(2):
        resumed: Any = await Runner.run(agent, await RunState.from_string(agent, stored))
        assert '"status":"approved"' in resumed.final_output
    assert [name for name, _ in changes(sandbox, before)] == ["inquiry.approved"]
    assert [request.replayed for request in writes(sandbox)] == [False, True]
    await toolbox.aclose()


@pytest.mark.usefixtures("tracing")
async def test_equal_calls_of_other_runs_all_happen(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent, before = reporting_agent(toolbox, sandbox), len(sandbox.effects)
    for config in (None, None, QUIET, QUIET):
        await Runner.run(agent, TASK, run_config=config)
    with trace("Several runs"):
        for _ in range(2):
            await Runner.run(agent, TASK)
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 6
    assert [bool(request.replayed) for request in sandbox.requests] == [False] * 6
    await toolbox.aclose()


@pytest.mark.usefixtures("tracing")
async def test_equal_calls_of_agents_inside_a_tool_all_happen(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inner, before = reporting_agent(toolbox, sandbox), len(sandbox.effects)

    def outer(seen: Any) -> ToolCall | str:
        return ToolCall("inner", {"input": f"Number {len(seen)}"}, f"call_{len(seen)}") if len(seen) < 2 else "done"

    tool = inner.as_tool("inner", "Asks the other agent.")
    await Runner.run(Agent(name="Outer", model=ScriptedModel(outer), tools=[tool]), TASK)
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 2
    await toolbox.aclose()
