"""The OpenAI Agents SDK's own runner with a scripted model."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from agents import Agent, FunctionTool, Model, ModelBehaviorError, ModelResponse, RunConfig, Runner, RunState, Usage
from agents.items import TResponseStreamEvent
from agents.tool_context import ToolContext
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from pydantic import SecretStr

from persona_block.hosts import Toolbox, openai_agents
from tests.support.frameworks.driver import TASK, Driver, Setup, Turn
from tests.support.scripted_model import Script, ToolCall

QUIET = RunConfig(tracing_disabled=True)


@dataclass
class Tenant:
    """A context that carries an API key as an attribute."""

    persona_api_key: str | SecretStr


class ScriptedModel(Model):
    """Says what its script says, and keeps all it was shown."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.shown: list[Any] = []

    @property
    def saw(self) -> list[str]:
        """All that the model was shown, as text."""
        return [repr(shown) for shown in self.shown]

    async def get_response(
        self, system_instructions: str | None, input: Any, *_: Any, tools: list[Any] | None = None, **_more: Any
    ) -> ModelResponse:
        """Return the next turn of the script."""
        schemas = [(tool.name, tool.description, tool.params_json_schema) for tool in tools or ()]
        items = [] if isinstance(input, str) else list(input)
        self.shown.append((system_instructions, input if isinstance(input, str) else items, schemas))
        turn = self.script([str(item["output"]) for item in items if item.get("type") == "function_call_output"])
        if isinstance(turn, str):
            text = ResponseOutputText(annotations=[], text=turn, type="output_text")
            message = ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
            return ModelResponse(output=[message], usage=Usage(), response_id=None)
        call = ResponseFunctionToolCall(arguments=turn.json, call_id=turn.id, name=turn.name, type="function_call")
        return ModelResponse(output=[call], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **_more: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Refuse to stream, which no test asks for."""
        raise NotImplementedError("no test streams")


def function_tools(toolbox: Toolbox) -> list[FunctionTool]:
    """Return the toolbox's tools by their own type."""
    return [tool for tool in openai_agents.tools(toolbox) if isinstance(tool, FunctionTool)]


def scripted_agent(toolbox: Toolbox, script: Script) -> tuple[Agent[Any], ScriptedModel]:
    """Return an agent and its model."""
    model = ScriptedModel(script)
    return Agent(name="Reviewer", model=model, tools=openai_agents.tools(toolbox)), model


class OpenAIAgentsDriver(Driver):
    """An agent whose runs have trace ids of their own and are stored as text while they wait."""

    name = "openai_agents"
    repeated_id_error = ModelBehaviorError
    takes_text = True
    calls_directly = True
    key_carriers = (Tenant, lambda key: Tenant(SecretStr(key)), lambda key: {"persona_api_key": key})

    def __init__(self, setup: Setup, script: Script) -> None:
        super().__init__(setup, script)
        self._agent, self._model = scripted_agent(self.toolbox, self.play)
        self._config = QUIET
        self._stored = ""

    @property
    def saw(self) -> list[str]:
        return self._model.saw

    async def offered(self) -> list[str]:
        return [tool.name for tool in openai_agents.tools(self.toolbox)]

    async def start(self, key_carrier: Any = None) -> Turn:
        self._config = RunConfig(tracing_disabled=True, trace_id=f"trace_{secrets.token_hex(16)}")
        return await self._turn(await Runner.run(self._agent, TASK, context=key_carrier, run_config=self._config))

    async def answer(self, approved: bool) -> Turn:
        state: Any = await RunState.from_string(self._agent, self._stored)
        (item,) = state.get_interruptions()
        if approved:
            state.approve(item)
        else:
            state.reject(item)
        return await self._turn(await Runner.run(self._agent, state, run_config=self._config))

    async def answer_to(self, call: ToolCall) -> str | None:
        """Call the tool as the runner does: the runner itself cannot count a call with a lone surrogate."""
        tool = next(each for each in function_tools(self.toolbox) if each.name == call.name)
        context: Any = ToolContext(None, tool_name=call.name, tool_call_id=call.id, tool_arguments=call.json)
        if callable(tool.needs_approval):
            needs_approval = await tool.needs_approval(context, call.arguments, call.id)
            assert needs_approval in (True, False)
        return str(await tool.on_invoke_tool(context, call.json))

    async def _turn(self, result: Any) -> Turn:
        if not result.interruptions:
            return Turn(str(result.final_output))
        (item,) = result.interruptions
        self._stored = result.to_state().to_string()
        question = await self.toolbox.to_approve(item.name, item.arguments)
        assert question is not None
        return Turn(question=question.message)
