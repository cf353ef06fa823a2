"""Arguments as no schema asks for them: every framework gets an answer or asks a person, and no exception leaves a tool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from agents import Runner
from agents.tool_context import ToolContext
from langchain.agents import create_agent

from persona_block import Sandbox
from persona_block.hosts import Toolbox, langchain
from tests.hosts import test_langchain, test_openai_agents, test_pydantic_ai
from tests.support.scripted_model import Script, ToolCall, in_review

VALUES: list[Any] = [
    "[" * 100_000,
    '{"a":' * 100_000,
    "\0",
    "\ud800",
    "x" * 1_000_000,
    "1" * 10_000,
    "NaN",
    float("inf"),
    10**400,
    -1,
    True,
    [],
    {},
    [[["\ud800"]]],
    {"a": {"b": "\0"}},
    "../../etc/passwd",
]
"""What stands in the place of an argument, of whatever type it is."""

TEXTS = ["", "null", "[]", '"x"', "{", "\0", '{"outputFields":' + "[" * 100_000, r'{"inquiryId":"\ud800"}', "[" * 100_000]
"""What stands in the place of all arguments, where a model sends text."""

TOOLS = ("list_inquiries", "get_report", "approve_inquiry", "redact_account", "create_report", "import_accounts")
by_tool = pytest.mark.parametrize("name", [f"persona_{name}" for name in TOOLS])


@dataclass(frozen=True)
class TextCall(ToolCall):
    """A call whose arguments are this text, JSON or not."""

    text: str = ""

    @property
    def json(self) -> str:
        """The text as it is."""
        return self.text


def calls(toolbox: Toolbox, name: str, *alone: str) -> Iterator[ToolCall]:
    """All arguments at once, then each of `alone`, or each there is, beside sound required ones."""
    schema = toolbox.find(name).input_schema
    sound = {each: "inq_1" for each in schema.get("required", ())}
    for value in VALUES:
        yield ToolCall(name, dict.fromkeys(schema["properties"], value))
        for each in alone or schema["properties"]:
            yield ToolCall(name, {**sound, each: value})


def once(call: ToolCall, answers: list[str]) -> Script:
    """Make one call, and keep what it said."""

    def script(seen: Any) -> ToolCall | str:
        answers.extend(seen)
        return "done" if seen else call

    return script


@by_tool
async def test_plain(toolbox: Toolbox, name: str) -> None:
    for call in calls(toolbox, name):
        answer = await toolbox.dispatch(name, call.arguments)
        assert answer.content.encode(), "it can be sent on"
        assert "fault of its own" not in answer.content
    for text in TEXTS:
        answer = await toolbox.dispatch(name, text)
        assert "fault of its own" not in answer.content
    await toolbox.aclose()


@by_tool
async def test_langchain_tools(toolbox: Toolbox, name: str) -> None:
    """Without a checkpointer, which could not store a call with such a number."""
    for call in calls(toolbox, name, "outputFields"):
        answers: list[str] = []
        model = test_langchain.ScriptedModel(script=once(call, answers))
        state = await create_agent(model, tools=langchain.tools(toolbox)).ainvoke(test_langchain.TASK)
        assert answers
        assert "__interrupt__" not in state
        assert all(each.encode() for each in answers)
    await toolbox.aclose()


@by_tool
async def test_openai_agents_tools(toolbox: Toolbox, name: str) -> None:
    """Without the runner, which itself cannot count a call with a lone surrogate."""
    tool = next(each for each in test_openai_agents.native(toolbox) if each.name == name)
    for call in [*calls(toolbox, name), *(TextCall(name, {}, text) for text in TEXTS)]:
        context: Any = ToolContext(None, tool_name=name, tool_call_id=call.id, tool_arguments=call.json)
        if callable(tool.needs_approval):
            assert await tool.needs_approval(context, call.arguments, call.id) in (True, False)
        assert (await tool.on_invoke_tool(context, call.json)).encode()
    await toolbox.aclose()


@pytest.mark.parametrize("fields", ["[" * 100_000, ["id", 1], "\0"], ids=["deep", "mixed", "nul"])
async def test_the_openai_runner_goes_on(sandbox: Sandbox, toolbox: Toolbox, fields: Any) -> None:
    answers: list[str] = []
    call = ToolCall("persona_approve_inquiry", {"inquiryId": in_review(sandbox), "outputFields": fields})
    played, _ = test_openai_agents.agent(toolbox, once(call, answers))
    result = await Runner.run(played, "Do it.", run_config=test_openai_agents.QUIET)
    assert result.final_output == "done"
    assert "- outputFields:" in answers[0]


@by_tool
async def test_pydantic_ai_tools(toolbox: Toolbox, name: str) -> None:
    for call in [*calls(toolbox, name, "outputFields"), *(TextCall(name, {}, text) for text in TEXTS)]:
        answers: list[str] = []
        played, _ = test_pydantic_ai.agent(toolbox, once(call, answers))
        result = await played.run("Do it.")
        assert answers or result.output.approvals
    await toolbox.aclose()
