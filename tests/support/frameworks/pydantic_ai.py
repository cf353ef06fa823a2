"""Pydantic AI's own agent with a scripted model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from persona_block.hosts import Toolbox, pydantic_ai
from tests.support.frameworks.driver import TASK, Driver, Setup, Turn
from tests.support.scripted_model import Script


@dataclass
class Tenant:
    """Dependencies that carry an API key as an attribute."""

    persona_api_key: str | SecretStr


class ScriptedModel(Model):
    """Says what its script says, and keeps all it was shown and how each call came out."""

    model_name = "scripted"
    system = "test"

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.shown: list[Any] = []
        self.outcomes: list[str] = []

    @property
    def saw(self) -> list[str]:
        """All that the model was shown, as text."""
        return [repr(shown) for shown in self.shown]

    async def request(
        self,
        messages: list[ModelMessage],
        _model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the next turn of the script."""
        self.shown.append((list(messages), model_request_parameters.function_tools))
        parts = [part for message in messages for part in message.parts if part.part_kind in ("tool-return", "retry-prompt")]
        self.outcomes = [getattr(part, "outcome", None) or part.part_kind for part in parts]
        turn = self.script([str(getattr(part, "content", "")) for part in parts])
        if isinstance(turn, str):
            return ModelResponse([TextPart(turn)])
        return ModelResponse([ToolCallPart(turn.name, turn.json, tool_call_id=turn.id)])


def scripted_agent(toolbox: Toolbox, script: Script, **options: Any) -> tuple[Agent[Any, Any], ScriptedModel]:
    """Return an agent that may end a run with deferred calls, and its model."""
    model = ScriptedModel(script)
    types: Any = [str, DeferredToolRequests]
    options = {"output_type": types, **options}
    return Agent(model, tools=pydantic_ai.tools(toolbox), **options), model


class PydanticAIDriver(Driver):
    """An agent whose runs end with the calls that wait for approval."""

    name = "pydantic_ai"
    takes_text = True
    key_carriers = (Tenant, lambda key: Tenant(SecretStr(key)), lambda key: {"persona_api_key": key})

    def __init__(self, setup: Setup, script: Script) -> None:
        super().__init__(setup, script)
        self._agent, self._model = scripted_agent(self.toolbox, self.play, deps_type=object)
        self._waiting: Any = None

    @property
    def saw(self) -> list[str]:
        return self._model.saw

    async def offered(self) -> list[str]:
        return [tool.name for tool in pydantic_ai.tools(self.toolbox)]

    async def start(self, key_carrier: Any = None) -> Turn:
        return self._turn(await self._agent.run(TASK, deps=key_carrier))

    async def answer(self, approved: bool) -> Turn:
        requests = self._waiting.output
        (call,) = requests.approvals
        results = DeferredToolResults(approvals={call.tool_call_id: approved}, metadata=requests.metadata)
        history = self._waiting.all_messages()
        return self._turn(await self._agent.run(message_history=history, deferred_tool_results=results, deps=None))

    def _turn(self, result: Any) -> Turn:
        if not isinstance(result.output, DeferredToolRequests):
            return Turn(str(result.output))
        self._waiting = result
        (call,) = result.output.approvals
        return Turn(question=result.output.metadata[call.tool_call_id]["message"])
