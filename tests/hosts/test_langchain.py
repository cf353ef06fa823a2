"""The LangChain tools, played through LangChain's own agent with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from unittest.mock import MagicMock

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from langsmith import Client
from pydantic import Field, SecretStr

from persona_block import Runner, Sandbox
from persona_block.hosts import ConsentRequest, Selection, Toolbox, langchain
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

TASK: Any = {"messages": [("user", "Check the newest inquiry in review and approve it if it is clean.")]}
APPROVE: Any = Command(resume={"decisions": [{"type": "approve"}]})


class ScriptedModel(BaseChatModel):
    """Says what its script says, and keeps all it was shown."""

    script: Script
    saw: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Runnable[Any, AIMessage]:
        self.saw.append(json.dumps([convert_to_openai_tool(tool) for tool in tools]))
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **options: Any,
    ) -> ChatResult:
        self.saw.append(repr(messages))
        turn = self.script([str(message.content) for message in messages if isinstance(message, ToolMessage)])
        if isinstance(turn, str):
            message = AIMessage(turn)
        else:
            message = AIMessage("", tool_calls=[{"name": turn.name, "args": turn.arguments, "id": turn.id}])
        return ChatResult(generations=[ChatGeneration(message=message)])


def run(thread: str = "one", **configurable: Any) -> Any:
    return {"configurable": {"thread_id": thread, **configurable}}


def agent(toolbox: Toolbox, script: Script) -> tuple[Any, ScriptedModel]:
    model = ScriptedModel(script=script)
    return create_agent(model, tools=langchain.tools(toolbox), checkpointer=InMemorySaver()), model


async def test_all_or_the_chosen_tools(make_toolbox: MakeToolbox) -> None:
    assert {each.name for each in langchain.tools()} == {spec.tool_id for spec in catalog.load_all()}
    chosen = langchain.tools(make_toolbox(Selection.of(tools=["get_case"])))
    assert [each.name for each in chosen] == ["persona_get_case"]


async def test_a_conversation_with_the_consent_hook(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    asked: list[ConsentRequest] = []

    async def consent(request: ConsentRequest) -> bool:
        asked.append(request)
        return True

    inquiry, before = in_review(sandbox), len(sandbox.effects)
    async with make_toolbox(consent=consent) as toolbox:
        played, model = agent(toolbox, onboarding)
        result = await played.ainvoke(TASK, run())
    assert result["messages"][-1].content == DONE
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert [request.object_id for request in asked] == [inquiry]
    assert all(sandbox.api_key not in seen for seen in model.saw)


async def test_an_interrupt_asks_and_the_graph_goes_on(sandbox: Sandbox, toolbox: Toolbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    played, model = agent(toolbox, onboarding)
    result = await played.ainvoke(TASK, run())
    (waiting,) = result["__interrupt__"]
    (asked,) = waiting.value["action_requests"]
    assert asked["name"] == "persona_approve_inquiry"
    assert f"Approve inquiry {inquiry}?" in asked["description"]
    assert "inquiry.approved" not in dict(changes(sandbox, before))
    result = await played.ainvoke(APPROVE, run())
    assert result["messages"][-1].content == DONE
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert all(sandbox.api_key not in seen for seen in model.saw)
    await toolbox.aclose()


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
    played, _ = agent(make_toolbox(runner=runner), onboarding)
    assert played.invoke(TASK, run())["__interrupt__"]
    assert played.invoke(APPROVE, run())["messages"][-1].content == DONE
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
    played, _ = agent(toolbox, onboarding)
    await played.ainvoke(TASK, run())
    before, sent = len(sandbox.effects), len(sandbox.requests)
    result = await played.ainvoke(Command(resume=answer), run())
    assert "did not agree" in result["messages"][-1].content
    assert changes(sandbox, before) == []
    assert len(sandbox.requests) == sent
    await toolbox.aclose()


async def test_outside_a_graph_nobody_can_be_asked(sandbox: Sandbox, toolbox: Toolbox) -> None:
    (approve,) = (each for each in langchain.tools(toolbox) if each.name == "persona_approve_inquiry")
    message = await _call(approve, {"inquiryId": in_review(sandbox)})
    assert message.status == "error"
    assert "cannot ask a person here" in message.content
    assert sandbox.requests == []


async def test_without_a_checkpointer_nothing_is_decided(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played = create_agent(ScriptedModel(script=onboarding), tools=langchain.tools(toolbox))
    before = len(sandbox.effects)
    result = await played.ainvoke(TASK)
    assert "__interrupt__" not in result
    assert "cannot ask a person here" in result["messages"][-1].content
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]
    await toolbox.aclose()


async def test_a_call_that_cannot_be_made_asks_nobody(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_approve_inquiry", inquiryId="..", coment="x"))
    result = await played.ainvoke(TASK, run())
    assert "__interrupt__" not in result
    assert "- inquiryId:" in result["messages"][-1].content
    assert "- coment:" in result["messages"][-1].content


async def test_the_answer_and_its_artifact(sandbox: Sandbox, toolbox: Toolbox) -> None:
    tools = {each.name: each for each in langchain.tools(toolbox)}
    message = await _call(tools["persona_get_inquiry"], {"inquiryId": in_review(sandbox), "outputFields": ["status"]})
    assert message.status == "success"
    assert json.loads(str(message.content)) == message.artifact
    assert message.artifact["inquiry"]["status"] == "needs_review"
    message = await _call(tools["persona_get_inquiry"], {"inquiryId": "inq_none"})
    assert message.status == "error"
    assert "Nothing was changed" not in message.content, "a read changes nothing anyway"
    await toolbox.aclose()


async def test_what_was_read_before_an_error_goes_to_the_model(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    async with make_toolbox(runner=failing_on_the_second_page(sandbox)) as toolbox:
        (tool,) = [each for each in langchain.tools(toolbox) if each.name == two_pages().name]
        message = await _call(tool, two_pages().arguments)
    assert message.status == "error"
    check_partial(str(message.content))


@pytest.mark.parametrize("wrap", [str, SecretStr])
async def test_a_run_brings_its_own_key(sandbox: Sandbox, make_toolbox: MakeToolbox, wrap: type[Any]) -> None:
    async with make_toolbox(api_key="persona_production_wrong") as toolbox:
        played, model = agent(toolbox, one_call("persona_list_cases", maxItems=1))
        result = await played.ainvoke(TASK, run(persona_api_key=wrap(sandbox.sandbox_key)))
    assert json.loads(result["messages"][-1].content)["cases"] == [], "the other environment has no cases"
    assert [request.environment for request in sandbox.requests] == ["sandbox"]
    assert all(sandbox.sandbox_key not in seen for seen in model.saw)


async def test_a_secret_key_is_in_no_trace_and_no_checkpoint(sandbox: Sandbox, toolbox: Toolbox) -> None:
    client, saver = MagicMock(spec=Client), InMemorySaver()
    model = ScriptedModel(script=one_call("persona_list_cases", maxItems=1))
    played: Any = create_agent(model, tools=langchain.tools(toolbox), checkpointer=saver)
    config = run(persona_api_key=SecretStr(sandbox.sandbox_key))
    await played.ainvoke(TASK, {**config, "callbacks": [LangChainTracer(client=client)]})
    assert "persona_list_cases" in repr(client.mock_calls)
    kept = repr((client.mock_calls, saver.storage, saver.writes, saver.blobs))
    assert sandbox.sandbox_key not in kept
    assert "ToolRuntime" not in kept
    assert [request.environment for request in sandbox.requests] == ["sandbox"]
    await toolbox.aclose()


async def test_a_blank_key_does_not_fall_back(sandbox: Sandbox, toolbox: Toolbox) -> None:
    played, _ = agent(toolbox, one_call("persona_list_cases"))
    result = await played.ainvoke(TASK, run(persona_api_key=" "))
    assert "blank persona_api_key" in result["messages"][-1].content
    assert sandbox.requests == []


async def test_a_model_cannot_bring_a_config(sandbox: Sandbox, toolbox: Toolbox) -> None:
    arguments = {"config": {"configurable": {"persona_api_key": sandbox.sandbox_key}}, "maxItems": 1}
    played, _ = agent(toolbox, one_call("persona_list_cases", **arguments))
    await played.ainvoke(TASK, run())
    assert [request.environment for request in sandbox.requests] == ["production"]
    await toolbox.aclose()


async def _call(tool: BaseTool, arguments: dict[str, Any]) -> ToolMessage:
    message = await tool.ainvoke({"type": "tool_call", "id": "call_1", "name": tool.name, "args": arguments})
    assert isinstance(message, ToolMessage)
    return message
