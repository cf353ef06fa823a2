"""CrewAI: the blocking callables, and LangChain's tools through its own `Tool.from_langchain`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import tool
from crewai.tools.base_tool import Tool

from persona_block.hosts import Toolbox, langchain
from tests.hosts.elsewhere.conversation import TASK, held
from tests.support.scripted_model import DONE

OBSERVATION = re.compile(r"Observation: ([^\n]*\n\{[^\n]*\})")


class ScriptedModel(BaseLLM):
    """Says what the conversation's script says, in the form that CrewAI's prompt asks for."""

    conversation: Any = None

    def call(self, messages: Any, *_: Any, **_options: Any) -> str:
        """Return the next call or the last words."""
        told = [match[1] for each in messages if (match := OBSERVATION.search(str(each["content"]))) is not None]
        turn = self.conversation.next(told)
        if isinstance(turn, str):
            return f"Thought: It is done.\nFinal Answer: {turn}"
        return f"Thought: On.\nAction: {turn.name}\nAction Input: {turn.json}"

    def supports_function_calling(self) -> bool:
        """Return whether calls have a form of their own."""
        return False


def from_callables(toolbox: Toolbox) -> list[Any]:
    return [tool(each) for each in toolbox.callables(blocking=True)]


def from_langchain(toolbox: Toolbox) -> list[Any]:
    return [Tool.from_langchain(each) for each in langchain.tools(toolbox)]


@pytest.mark.parametrize("tools", [from_callables, from_langchain])
def test_a_conversation(tools: Any) -> None:
    with held() as conversation:
        model: Any = ScriptedModel(model="scripted", conversation=conversation)
        agent = Agent(role="Reviewer", goal="Review.", backstory="None.", llm=model, tools=tools(conversation.toolbox))
        task = Task(description=TASK, expected_output="One word.", agent=agent)
        assert str(Crew(agents=[agent], tasks=[task]).kickoff()) == DONE
