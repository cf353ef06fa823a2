"""Google ADK: the callables as they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

from tests.hosts.elsewhere.conversation import TASK, Conversation, held
from tests.support.scripted_model import DONE


class ScriptedModel(BaseLlm):
    """Says what the conversation's script says."""

    model: str = "scripted"
    conversation: Any = None

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        """Yield the next call or the last words."""
        assert not stream
        conversation: Conversation = self.conversation
        parts = [part for content in llm_request.contents for part in content.parts or ()]
        responses = [part.function_response.response or {} for part in parts if part.function_response]
        turn = conversation.next([str(each["result"]) for each in responses])
        if isinstance(turn, str):
            part = types.Part(text=turn)
        else:
            part = types.Part(function_call=types.FunctionCall(name=turn.name, args=turn.arguments, id=turn.id))
        yield LlmResponse(content=types.Content(role="model", parts=[part]))


async def test_a_conversation() -> None:
    with held() as conversation:
        model = ScriptedModel(conversation=conversation)
        agent = LlmAgent(name="reviewer", model=model, tools=[*conversation.toolbox.callables()])
        runner = InMemoryRunner(agent=agent, app_name="review")
        session = await runner.session_service.create_session(app_name="review", user_id="somebody")
        message = types.Content(role="user", parts=[types.Part(text=TASK)])
        events = [
            event
            async for event in runner.run_async(user_id="somebody", session_id=session.id, new_message=message)
            if event.is_final_response()
        ]
        assert events[-1].content is not None
        assert (events[-1].content.parts or [])[0].text == DONE
        await conversation.toolbox.aclose()
