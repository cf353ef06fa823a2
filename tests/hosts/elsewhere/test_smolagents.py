"""smolagents: the blocking callables, and LangChain's tools through its own `Tool.from_langchain`."""

from __future__ import annotations

from typing import Any

import pytest
from smolagents import ChatMessage, Model, Tool, ToolCallingAgent, tool
from smolagents.models import ChatMessageToolCall, ChatMessageToolCallFunction, MessageRole

from persona_block.hosts import Toolbox, langchain
from tests.hosts.elsewhere.conversation import TASK, Conversation, held
from tests.support.scripted_model import DONE, ToolCall


class ScriptedModel(Model):
    """Says what the conversation's script says."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(model_id="scripted")
        self.conversation = conversation

    def generate(self, messages: list[Any], *_: Any, **_options: Any) -> ChatMessage:
        """Return the next call, or the last words as smolagents takes them."""
        results = [each for each in messages if each.role == MessageRole.TOOL_RESPONSE]
        turn = self.conversation.next([each.content[0]["text"] for each in results])
        call = ToolCall("final_answer", {"answer": turn}) if isinstance(turn, str) else turn
        function = ChatMessageToolCallFunction(name=call.name, arguments=call.arguments)
        return ChatMessage(MessageRole.ASSISTANT, "", [ChatMessageToolCall(function=function, id=call.id, type="function")])


def from_callables(toolbox: Toolbox) -> list[Any]:
    return [tool(each) for each in toolbox.callables(blocking=True)]


def from_langchain(toolbox: Toolbox) -> list[Any]:
    return [Tool.from_langchain(each) for each in langchain.tools(toolbox)]


@pytest.mark.parametrize("tools", [from_callables, from_langchain])
def test_a_conversation(tools: Any) -> None:
    with held() as conversation:
        agent = ToolCallingAgent(tools=tools(conversation.toolbox), model=ScriptedModel(conversation), verbosity_level=0)
        assert agent.run(TASK) == DONE
