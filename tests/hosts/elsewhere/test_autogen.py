"""AutoGen: the callables as they are, as tools of an AssistantAgent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, FunctionExecutionResultMessage, ModelFamily, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

from tests.hosts.elsewhere.conversation import TASK, Conversation, held
from tests.support.scripted_model import DONE

USAGE = RequestUsage(prompt_tokens=0, completion_tokens=0)
INFO = ModelInfo(vision=False, function_calling=True, json_output=False, family=ModelFamily.UNKNOWN, structured_output=False)


class ScriptedModel(ReplayChatCompletionClient):
    """Says what the conversation's script says."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__([], model_info=INFO)
        self.conversation = conversation

    async def create(self, messages: Sequence[Any], **_options: Any) -> CreateResult:
        """Return the next call or the last words."""
        results = [each for each in messages if isinstance(each, FunctionExecutionResultMessage)]
        turn = self.conversation.next([result.content for each in results for result in each.content])
        if isinstance(turn, str):
            return CreateResult(finish_reason="stop", content=turn, usage=USAGE, cached=False)
        call = FunctionCall(id=turn.id, name=turn.name, arguments=turn.json)
        return CreateResult(finish_reason="function_calls", content=[call], usage=USAGE, cached=False)


async def test_a_conversation() -> None:
    with held() as conversation:
        agent = AssistantAgent(
            "reviewer", ScriptedModel(conversation), tools=[*conversation.toolbox.callables()], max_tool_iterations=10
        )
        result: Any = await agent.run(task=TASK)
        assert result.messages[-1].content == DONE
        await conversation.toolbox.aclose()
