"""LlamaIndex: the callables as `FunctionTool`s of a FunctionAgent."""

from __future__ import annotations

from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, LLMMetadata, MessageRole
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import FunctionTool

from tests.hosts.elsewhere.conversation import TASK, held
from tests.support.scripted_model import DONE, ToolCall


class ScriptedModel(FunctionCallingLLM):
    """Says what the conversation's script says."""

    conversation: Any = None

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_function_calling_model=True, model_name="scripted")

    async def achat_with_tools(self, *_: Any, chat_history: Any = None, **_options: Any) -> ChatResponse:
        """Return the next call or the last words."""
        messages = chat_history or []
        turn = self.conversation.next([str(each.content) for each in messages if each.role == MessageRole.TOOL])
        content = turn if isinstance(turn, str) else ""
        return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=content), raw=turn)

    def get_tool_calls_from_response(self, response: ChatResponse, *_: Any, **_options: Any) -> list[ToolSelection]:
        """Return the call of a response."""
        call = response.raw
        if not isinstance(call, ToolCall):
            return []
        return [ToolSelection(tool_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)]

    def _prepare_chat_with_tools(self, *_: Any, **_options: Any) -> dict[str, Any]:
        return {}

    def _refuse(self, *_: Any, **_options: Any) -> Any:
        raise NotImplementedError("no test asks for this")

    chat = achat = stream_chat = astream_chat = complete = acomplete = stream_complete = astream_complete = _refuse


async def test_a_conversation() -> None:
    with held() as conversation:
        tools = [FunctionTool.from_defaults(async_fn=each) for each in conversation.toolbox.callables()]
        agent = FunctionAgent(tools=tools, llm=ScriptedModel(conversation=conversation), streaming=False)
        assert str(await agent.run(TASK)) == DONE
        await conversation.toolbox.aclose()
