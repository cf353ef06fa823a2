"""What is LangChain's own: interrupts and their answers, artifacts, traces, checkpoints, and blocking agents."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.tracers.langchain import LangChainTracer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from langsmith import Client
from pydantic import SecretStr

from persona_block import Runner, Sandbox
from persona_block.hosts import Toolbox, langchain
from persona_block.spec import catalog
from tests.hosts.conftest import MakeToolbox
from tests.support.frameworks.langchain import APPROVE, START, ScriptedModel, run_config, scripted_agent
from tests.support.scripted_model import (
    DONE,
    assert_partial_answer,
    changes,
    data_of,
    failing_on_the_second_page,
    in_review,
    onboarding,
    one_call,
    two_pages,
    writes,
)

pytestmark = pytest.mark.slow


def test_without_a_toolbox_all_tools_are_offered() -> None:
    assert [tool.name for tool in langchain.tools()] == [tool.name for tool in Toolbox().tools]
    assert len(langchain.tools()) == len(catalog.names())


async def test_an_interrupt_has_the_form_of_langchains_own_middleware(sandbox: Sandbox, toolbox: Toolbox) -> None:
    arguments = {"inquiryId": in_review(sandbox), "comment": "Clear"}
    agent, _ = scripted_agent(toolbox, one_call("persona_approve_inquiry", **arguments))
    (waiting,) = (await agent.ainvoke(START, run_config()))["__interrupt__"]
    (request,), (review,) = waiting.value["action_requests"], waiting.value["review_configs"]
    assert (request["name"], request["args"]) == ("persona_approve_inquiry", arguments)
    assert f"Approve inquiry {arguments['inquiryId']}?" in request["description"]
    assert review == {"action_name": "persona_approve_inquiry", "allowed_decisions": ["approve", "reject"]}
    assert writes(sandbox) == []


def test_a_blocking_agent_is_asked_too_and_leaves_nothing_open(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    open_runners: list[Runner] = []

    class Noted(Runner):
        async def aclose(self) -> None:
            open_runners.remove(self)
            await super().aclose()

    def runner() -> Runner:
        open_runners.append(Noted(base_url=sandbox.base_url, transport=sandbox.transport))
        return open_runners[-1]

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    agent, _ = scripted_agent(make_toolbox(runner=runner), onboarding)
    assert agent.invoke(START, run_config())["__interrupt__"]
    assert agent.invoke(APPROVE, run_config())["messages"][-1].content == DONE
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
    assert open_runners == []


@pytest.mark.parametrize(
    "answer",
    [
        {"decisions": [{"type": "reject"}]},
        {"decisions": [{"type": "approve"}, {"type": "approve"}]},
        {"decisions": [{"type": "edit", "edited_action": {}}]},
        {"decisions": []},
        {"type": "approve"},
        True,
        "approve",
    ],
    ids=str,
)
async def test_any_answer_but_an_approval_refuses(sandbox: Sandbox, toolbox: Toolbox, answer: Any) -> None:
    agent, _ = scripted_agent(toolbox, onboarding)
    await agent.ainvoke(START, run_config())
    before, sent = len(sandbox.effects), len(sandbox.requests)
    result = await agent.ainvoke(Command(resume=answer), run_config())
    assert "did not agree" in result["messages"][-1].content
    assert changes(sandbox, before) == []
    assert len(sandbox.requests) == sent
    await toolbox.aclose()


async def test_outside_a_graph_nobody_can_be_asked(sandbox: Sandbox, toolbox: Toolbox) -> None:
    (approve,) = (tool for tool in langchain.tools(toolbox) if tool.name == "persona_approve_inquiry")
    message = await _call(approve, {"inquiryId": in_review(sandbox)})
    assert message.status == "error"
    assert "cannot ask a person here" in message.content
    assert sandbox.requests == []


async def test_without_a_checkpointer_nothing_is_decided(sandbox: Sandbox, toolbox: Toolbox) -> None:
    agent = create_agent(ScriptedModel(script=onboarding), tools=langchain.tools(toolbox))
    before = len(sandbox.effects)
    result = await agent.ainvoke(START)
    assert "__interrupt__" not in result
    assert "cannot ask a person here" in result["messages"][-1].content
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]
    await toolbox.aclose()


async def test_the_answer_and_its_artifact(sandbox: Sandbox, toolbox: Toolbox) -> None:
    tools = {tool.name: tool for tool in langchain.tools(toolbox)}
    message = await _call(tools["persona_get_inquiry"], {"inquiryId": in_review(sandbox), "outputFields": ["status"]})
    assert message.status == "success"
    assert data_of(str(message.content)) == message.artifact
    assert message.artifact["inquiry"]["status"] == "needs_review"
    message = await _call(tools["persona_get_inquiry"], {"inquiryId": "inq_none"})
    assert message.status == "error"
    assert "Nothing was changed" not in message.content, "a read changes nothing anyway"
    await toolbox.aclose()


async def test_an_error_has_its_status_and_what_was_read_before(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(runner=failing_on_the_second_page(sandbox)) as toolbox:
        (tool,) = [tool for tool in langchain.tools(toolbox) if tool.name == two_pages().name]
        message = await _call(tool, two_pages().arguments)
    assert message.status == "error"
    assert_partial_answer(str(message.content))


async def test_a_secret_key_is_in_no_trace_and_no_checkpoint(sandbox: Sandbox, toolbox: Toolbox) -> None:
    client, saver = MagicMock(spec=Client), InMemorySaver()
    model = ScriptedModel(script=one_call("persona_list_cases", maxItems=1))
    agent: Any = create_agent(model, tools=langchain.tools(toolbox), checkpointer=saver)
    run = run_config(persona_api_key=SecretStr(sandbox.sandbox_key))
    await agent.ainvoke(START, {**run, "callbacks": [LangChainTracer(client=client)]})
    assert "persona_list_cases" in repr(client.mock_calls)
    stored = repr((client.mock_calls, saver.storage, saver.writes, saver.blobs))
    assert sandbox.sandbox_key not in stored
    assert "ToolRuntime" not in stored
    assert [request.environment for request in sandbox.requests] == ["sandbox"]
    await toolbox.aclose()


async def test_a_model_cannot_bring_a_config(sandbox: Sandbox, toolbox: Toolbox) -> None:
    arguments = {"config": {"configurable": {"persona_api_key": sandbox.sandbox_key}}, "maxItems": 1}
    agent, _ = scripted_agent(toolbox, one_call("persona_list_cases", **arguments))
    state = await agent.ainvoke(START, run_config())
    assert "- config: list_cases has no such param" in state["messages"][-1].content
    assert sandbox.requests == []


async def _call(tool: BaseTool, arguments: dict[str, Any]) -> ToolMessage:
    message = await tool.ainvoke({"type": "tool_call", "id": "call_1", "name": tool.name, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message
