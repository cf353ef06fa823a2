"""A step that a run of the OpenAI Agents SDK or Pydantic AI repeats happens once; equal calls of other runs all happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner, RunState, trace
from agents.tracing import set_trace_provider
from agents.tracing.provider import DefaultTraceProvider
from agents.tracing.setup import get_trace_provider
from pydantic_ai import DeferredToolResults

from persona_block import Sandbox
from persona_block.hosts import Toolbox
from tests.hosts import test_openai_agents, test_pydantic_ai
from tests.hosts.test_openai_agents import QUIET
from tests.support.scripted_model import ToolCall, changes, in_review, one_call, report

NAMED = RunConfig(tracing_disabled=True, trace_id="trace_0123456789abcdef0123456789abcdef")


@pytest.fixture(autouse=True)
def nothing_is_exported() -> Iterator[None]:
    """Tracing is on, as it is by default, and goes nowhere."""
    held = get_trace_provider()
    set_trace_provider(DefaultTraceProvider())
    yield
    set_trace_provider(held)


@dataclass(frozen=True)
class Numbered(ToolCall):
    """A call of a tool that the model calls more than once."""

    number: int = 0

    @property
    def id(self) -> str:
        """The call's id, another for each number."""
        return f"{super().id}_{self.number}"


def approve(sandbox: Sandbox) -> ToolCall:
    return ToolCall("persona_approve_inquiry", {"inquiryId": in_review(sandbox)})


def openai_agent(toolbox: Toolbox, call: ToolCall) -> Any:
    return test_openai_agents.agent(toolbox, one_call(call.name, **call.arguments))[0]


@pytest.mark.parametrize("config", [None, NAMED], ids=["traced", "named"])
async def test_a_stored_openai_run_that_is_resumed_twice(sandbox: Sandbox, toolbox: Toolbox, config: RunConfig | None) -> None:
    played, before = openai_agent(toolbox, approve(sandbox)), len(sandbox.effects)
    result = await Runner.run(played, "Do it.", run_config=config)
    state = result.to_state()
    state.approve(result.interruptions[0])
    stored = state.to_string()
    for _ in range(2):
        resumed: Any = await Runner.run(played, await RunState.from_string(played, stored), run_config=config)
        assert '"status":"approved"' in resumed.final_output
    assert [name for name, _ in changes(sandbox, before)] == ["inquiry.approved"]
    assert [request.replayed for request in sandbox.requests] == [False, True]
    await toolbox.aclose()


async def test_equal_calls_of_other_openai_runs_all_happen(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, before = openai_agent(toolbox, report(sandbox)), len(sandbox.effects)
    for config in (None, None, QUIET, QUIET):
        await Runner.run(played, "Do it.", run_config=config)
    with trace("Several runs"):
        for _ in range(2):
            await Runner.run(played, "Do it.")
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 6
    assert [bool(request.replayed) for request in sandbox.requests] == [False] * 6
    await toolbox.aclose()


async def test_equal_calls_of_openai_agents_inside_a_tool_all_happen(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inner, before = openai_agent(toolbox, report(sandbox)), len(sandbox.effects)

    def outer(seen: Any) -> ToolCall | str:
        return Numbered("inner", {"input": f"Number {len(seen)}"}, len(seen)) if len(seen) < 2 else "done"

    model = test_openai_agents.ScriptedModel(outer)
    await Runner.run(Agent(name="Outer", model=model, tools=[inner.as_tool("inner", "Asks the other agent.")]), "Do it.")
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 2
    await toolbox.aclose()


async def test_a_pydantic_ai_run_that_starts_again(sandbox: Sandbox, toolbox: Toolbox) -> None:
    """As a durable workflow does, under the same `run_id`."""
    call, before = report(sandbox), len(sandbox.effects)
    played, _ = test_pydantic_ai.agent(toolbox, one_call(call.name, **call.arguments))
    first, again = [(await played.run("Do it.", run_id="run_1")).output for _ in range(2)]
    assert first == again
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]
    assert [request.replayed for request in sandbox.requests] == [False, True]
    await toolbox.aclose()


async def test_equal_calls_of_other_pydantic_ai_runs_all_happen(sandbox: Sandbox, toolbox: Toolbox) -> None:
    call, before = report(sandbox), len(sandbox.effects)
    played, _ = test_pydantic_ai.agent(toolbox, one_call(call.name, **call.arguments))
    for _ in range(2):
        await played.run("Do it.")
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"] * 2
    await toolbox.aclose()


async def test_an_approved_pydantic_ai_call_that_is_answered_again(sandbox: Sandbox, toolbox: Toolbox) -> None:
    call, before = approve(sandbox), len(sandbox.effects)
    played, _ = test_pydantic_ai.agent(toolbox, one_call(call.name, **call.arguments))
    waiting = await played.run("Do it.")
    for _ in range(2):
        answers = DeferredToolResults(approvals={waiting.output.approvals[0].tool_call_id: True})
        result = await played.run(message_history=waiting.all_messages(), deferred_tool_results=answers)
        assert '"status":"approved"' in result.output
    assert [name for name, _ in changes(sandbox, before)] == ["inquiry.approved"]
    await toolbox.aclose()
