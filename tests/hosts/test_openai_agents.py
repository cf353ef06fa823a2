"""What is the OpenAI Agents SDK's own: approvals of its tools, contexts, stored runs, and traces that tell runs apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from agents import (
    Agent,
    FunctionTool,
    ModelBehaviorError,
    ModelResponse,
    RunConfig,
    Runner,
    RunState,
    ToolApprovalItem,
    UserError,
    tool_namespace,
    trace,
)
from agents.tool_context import ToolContext
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
from tests.support.scripted_model import Script, ToolCall, all_in_review, changes, data_of, in_review, one_call, report, writes

pytestmark = pytest.mark.slow


@pytest.fixture
def tracing() -> Iterator[None]:
    """Tracing is on, as it is by default, and goes nowhere."""
    provider = get_trace_provider()
    set_trace_provider(DefaultTraceProvider())
    yield
    set_trace_provider(provider)


class Namespaced(ScriptedModel):
    """Calls the tools of the namespace `persona`."""

    async def get_response(self, *arguments: Any, **options: Any) -> ModelResponse:
        """Return the next turn of the script."""
        response = await super().get_response(*arguments, **options)
        for item in response.output:
            if isinstance(item, ResponseFunctionToolCall):
                item.namespace = "persona"
        return response


def approving_agent(toolbox: Toolbox, sandbox: Sandbox) -> Agent[Any]:
    """Return an agent that approves the inquiry in review."""
    return scripted_agent(toolbox, one_call("persona_approve_inquiry", inquiryId=in_review(sandbox)))[0]


def reporting_agent(toolbox: Toolbox, sandbox: Sandbox) -> Agent[Any]:
    """Return an agent that orders a report."""
    call = report(sandbox)
    return scripted_agent(toolbox, one_call(call.name, **call.arguments))[0]


def calling_once(call: ToolCall) -> Script:
    """Return a script that makes a call, whatever was said before, and repeats its answer."""
    turns: Iterator[ToolCall | None] = iter([call])
    return lambda seen: next(turns, None) or seen[-1]


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
    assert writes(sandbox) == []


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
    state = result.to_state()
    stored = state.to_string(context_serializer=lambda _context: {})
    with suppress(TypeError):  # of versions that store no such context by themselves
        stored += state.to_string()
    assert "persona_approve_inquiry" in stored
    assert sandbox.api_key not in stored


async def test_a_tool_in_a_namespace_is_approved_too(sandbox: Sandbox, toolbox: Toolbox) -> None:
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


# --- what an approval is of ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_namespace", [False, True], ids=["bare", "in a namespace"])
async def test_a_standing_approval_is_none(sandbox: Sandbox, toolbox: Toolbox, in_namespace: bool) -> None:
    """Nobody has seen the later calls; the first is refused as well, since its state holds no more than that."""
    first, second = all_in_review(sandbox)[:2]
    calls = [ToolCall("persona_approve_inquiry", {"inquiryId": each}, each) for each in (first, second)]
    answers: list[str] = []

    def script(seen: Sequence[str]) -> ToolCall | str:
        answers[:] = seen
        return calls[len(seen)] if len(seen) < len(calls) else "done"

    tools: list[Any] = function_tools(toolbox)
    if in_namespace:
        tools = [*tool_namespace(name="persona", description="Persona", tools=tools)]
    model = Namespaced(script) if in_namespace else ScriptedModel(script)
    agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
    result: Any = await Runner.run(agent, TASK, run_config=QUIET)
    state = await RunState.from_string(agent, result.to_state().to_string())
    state.approve(state.get_interruptions()[0], always_approve=True)
    result = await Runner.run(agent, state, run_config=QUIET)
    assert result.final_output == "done"
    assert ["approved every such call beforehand" in each for each in answers] == [True, True]
    assert writes(sandbox) == []


@pytest.mark.parametrize("asked_about", ["first", "second"])
async def test_an_approval_is_of_its_arguments(sandbox: Sandbox, toolbox: Toolbox, asked_about: str) -> None:
    """Whatever the SDK would run: what it hands over is compared with what was approved."""
    inquiries = dict(zip(("first", "second"), all_in_review(sandbox), strict=False))
    before, agent = len(sandbox.effects), approving_agent(toolbox, sandbox)
    approve = next(tool for tool in function_tools(toolbox) if tool.name == "persona_approve_inquiry")

    def made(inquiry: str) -> ResponseFunctionToolCall:
        arguments = json.dumps({"inquiryId": inquiry})
        return ResponseFunctionToolCall(arguments=arguments, call_id="call_1", name=approve.name, type="function_call")

    asked, run = made(inquiries[asked_about]), made(inquiries["first"])
    context: ToolContext[Any] = ToolContext(
        None, tool_name=approve.name, tool_call_id="call_1", tool_arguments=run.arguments, tool_call=run, agent=agent
    )
    context.approve_tool(ToolApprovalItem(agent, asked, approve.name))
    answer = await approve.on_invoke_tool(context, run.arguments)
    approved = asked_about == "first"
    assert changes(sandbox, before) == ([("inquiry.approved", inquiries["first"])] if approved else [])
    assert ("cannot ask a person here" in answer) == (not approved)
    await toolbox.aclose()


async def test_an_approval_under_a_call_id_that_is_used_again_is_none(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """The item of one run, approved in the state of another whose model used the call's id for another inquiry."""
    runs = []
    for inquiry in all_in_review(sandbox)[:2]:
        model = ScriptedModel(one_call("persona_approve_inquiry", inquiryId=inquiry))
        agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=[*function_tools(toolbox)])
        runs.append((agent, await Runner.run(agent, TASK, run_config=QUIET)))
    (_, first), (agent, second) = runs
    assert first.interruptions[0].call_id == second.interruptions[0].call_id
    state = second.to_state()
    with suppress(ModelBehaviorError, UserError, ValueError):  # as some versions of the SDK say at once
        state.approve(first.interruptions[0])
        await Runner.run(agent, state, run_config=QUIET)
    assert writes(sandbox) == []


async def test_arguments_that_were_changed_after_the_approval_are_refused(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As by a tool of somebody's own around ours."""
    first, second = all_in_review(sandbox)[:2]

    def redirected(tool: FunctionTool) -> FunctionTool:
        async def invoke(context: Any, _arguments: str) -> Any:
            return await tool.on_invoke_tool(context, json.dumps({"inquiryId": second}))

        return replace(tool, on_invoke_tool=invoke)

    model = ScriptedModel(one_call("persona_approve_inquiry", inquiryId=first))
    agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=[redirected(each) for each in function_tools(toolbox)])
    result = await Runner.run(agent, TASK, run_config=QUIET)
    state = result.to_state()
    state.approve(result.interruptions[0])
    result = await Runner.run(agent, state, run_config=QUIET)
    assert "cannot ask a person here" in str(result.final_output)
    assert writes(sandbox) == []


async def test_a_later_run_of_one_trace_tells_no_decision_that_does_not_hold(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """Three runs that share a trace and an input count as one that is repeated: the third decides nothing, and says so."""
    inquiry, before, said = in_review(sandbox), len(sandbox.effects), []
    config = RunConfig(tracing_disabled=True, trace_id=f"trace_{'0' * 32}")
    for name, call_id in (("approve", "x"), ("decline", "y"), ("approve", "x")):
        call = ToolCall(f"persona_{name}_inquiry", {"inquiryId": inquiry}, call_id)
        agent, _ = scripted_agent(toolbox, calling_once(call))
        result = await Runner.run(agent, TASK, run_config=config)
        state = result.to_state()
        state.approve(result.interruptions[0])
        said.append(str((await Runner.run(agent, state, run_config=config)).final_output))
    assert [name for name, _ in changes(sandbox, before)] == ["inquiry.approved", "inquiry.declined"]
    assert ["not in effect" in each for each in said] == [False, False, True]
    assert data_of(said[2])["inquiry"]["status"] == "declined"
    await toolbox.aclose()


async def test_equal_calls_after_what_was_said_before_all_happen(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """A conversation under one trace, whose runs begin with all that was said before."""
    call, before = report(sandbox), len(sandbox.effects)
    config = RunConfig(tracing_disabled=True, trace_id=f"trace_{'0' * 32}")
    said: list[Any] = []
    for _ in range(3):
        agent, _ = scripted_agent(toolbox, calling_once(call))
        result = await Runner.run(agent, [*said, {"role": "user", "content": TASK}], run_config=config)
        said = result.to_input_list()
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 3
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


@pytest.mark.parametrize("in_namespace", [False, True], ids=["bare", "in a namespace"])
async def test_a_change_before_the_approval_is_noticed_in_a_namespace_too(
    sandbox: Sandbox, toolbox: Toolbox, in_namespace: bool
) -> None:
    inquiry = in_review(sandbox)
    tools: list[Any] = function_tools(toolbox)
    if in_namespace:
        tools = [*tool_namespace(name="persona", description="Persona", tools=tools)]
    script = one_call("persona_approve_inquiry", inquiryId=inquiry)
    model = Namespaced(script) if in_namespace else ScriptedModel(script)
    agent: Agent[Any] = Agent(name="Reviewer", model=model, tools=tools)
    result = await Runner.run(agent, TASK, run_config=QUIET)
    await toolbox.dispatch("decline_inquiry", {"inquiryId": inquiry}, consent=lambda _: True)
    before, state = len(sandbox.effects), result.to_state()
    state.approve(result.interruptions[0])
    result = await Runner.run(agent, state, run_config=QUIET)
    assert "has changed since a person was asked about it" in str(result.final_output)
    assert changes(sandbox, before) == []
    await toolbox.aclose()
