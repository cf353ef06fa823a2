"""Microsoft's Agent Framework: the callables as they are, as tools of an Agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_framework import Agent, BaseChatClient, ChatResponse, Content, FunctionInvocationLayer, Message

from tests.hosts.elsewhere.conversation import TASK, Conversation, held
from tests.support.scripted_model import DONE


class ScriptedModel(FunctionInvocationLayer, BaseChatClient):
    """Says what the conversation's script says."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__()
        self.conversation = conversation

    def _inner_get_response(self, *, messages: Sequence[Message], **_more: Any) -> Any:
        async def respond() -> ChatResponse:
            contents = [content for each in messages for content in each.contents]
            turn = self.conversation.next([str(each.result) for each in contents if each.type == "function_result"])
            if isinstance(turn, str):
                content = Content.from_text(turn)
            else:
                content = Content.from_function_call(turn.id, turn.name, arguments=turn.arguments)
            return ChatResponse(messages=[Message("assistant", [content])])

        return respond()


async def test_a_conversation() -> None:
    with held() as conversation:
        agent = Agent(ScriptedModel(conversation), tools=[*conversation.toolbox.callables()])
        assert (await agent.run(TASK)).text == DONE
        await conversation.toolbox.aclose()
