"""Haystack: the blocking callables as tools of its Agent."""

from __future__ import annotations

from typing import Any

from haystack import component
from haystack.components.agents import Agent
from haystack.dataclasses import ChatMessage, ToolCall
from haystack.tools import create_tool_from_function

from tests.hosts.elsewhere.conversation import TASK, Conversation, held
from tests.support.scripted_model import DONE


@component
class ScriptedModel:
    """Says what the conversation's script says."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation

    @component.output_types(replies=list[ChatMessage])
    def run(self, messages: list[ChatMessage], tools: Any = None) -> dict[str, list[ChatMessage]]:
        """Return the next call or the last words."""
        assert tools
        turn = self.conversation.next([str(each.tool_call_result.result) for each in messages if each.tool_call_result])
        if isinstance(turn, str):
            return {"replies": [ChatMessage.from_assistant(turn)]}
        call = ToolCall(tool_name=turn.name, arguments=turn.arguments, id=turn.id)
        return {"replies": [ChatMessage.from_assistant(tool_calls=[call])]}


def test_a_conversation() -> None:
    with held() as conversation:
        tools = [create_tool_from_function(each) for each in conversation.toolbox.callables(blocking=True)]
        agent = Agent(chat_generator=ScriptedModel(conversation), tools=tools)
        assert agent.run(messages=[ChatMessage.from_user(TASK)])["last_message"].text == DONE
