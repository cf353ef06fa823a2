"""LangChain's own agent with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from pydantic import Field, SecretStr

from persona_block.hosts import Toolbox, langchain
from tests.support.frameworks.driver import TASK, Driver, Setup, Turn
from tests.support.scripted_model import Script, ToolCall

START: Any = {"messages": [("user", TASK)]}
APPROVED: Any = {"decisions": [{"type": "approve"}]}
REJECTED: Any = {"decisions": [{"type": "reject"}]}
APPROVE: Any = Command(resume=APPROVED)


class ScriptedModel(BaseChatModel):
    """Says what its script says, and keeps all it was shown."""

    script: Script
    shown: list[Any] = Field(default_factory=list)

    @property
    def saw(self) -> list[str]:
        """All that the model was shown, as text."""
        return [json.dumps(shown) if isinstance(shown, dict) else repr(shown) for shown in self.shown]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_options: Any) -> Runnable[Any, AIMessage]:
        """Keep the tools as a model provider would get them."""
        self.shown.append({tool.name: convert_to_openai_tool(tool) for tool in tools})
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **_options: Any) -> ChatResult:
        self.shown.append(list(messages))
        turn = self.script([str(message.content) for message in messages if isinstance(message, ToolMessage)])
        if isinstance(turn, str):
            message = AIMessage(turn)
        else:
            message = AIMessage("", tool_calls=[{"name": turn.name, "args": turn.arguments, "id": turn.id}])
        return ChatResult(generations=[ChatGeneration(message=message)])


def run_config(thread: str = "one", **configurable: Any) -> Any:
    """Return the config of a run, with what the host gives it."""
    return {"configurable": {"thread_id": thread, **configurable}}


def scripted_agent(toolbox: Toolbox, script: Script) -> tuple[Any, ScriptedModel]:
    """Return an agent that keeps its runs in memory, and its model."""
    model = ScriptedModel(script=script)
    return create_agent(model, tools=langchain.tools(toolbox), checkpointer=InMemorySaver()), model


class LangChainDriver(Driver):
    """`create_agent` with a checkpointer, which an interrupt needs."""

    name = "langchain"
    key_carriers = (lambda key: {"persona_api_key": key}, lambda key: {"persona_api_key": SecretStr(key)})

    def __init__(self, setup: Setup, script: Script) -> None:
        super().__init__(setup, script)
        self._agent, self._model = scripted_agent(self.toolbox, self.play)
        self._agent_without_checkpointer: Any = create_agent(self._model, tools=langchain.tools(self.toolbox))
        self._runs = 0
        self._waiting: Any = None

    @property
    def saw(self) -> list[str]:
        return self._model.saw

    async def offered(self) -> list[str]:
        return [tool.name for tool in langchain.tools(self.toolbox)]

    async def start(self, key_carrier: Any = None) -> Turn:
        self._runs += 1
        run = run_config(str(self._runs), **(key_carrier or {}))
        return await self._play(START, run)

    async def answer(self, approved: bool) -> Turn:
        return await self._play(Command(resume=APPROVED if approved else REJECTED), self._waiting)

    async def answer_to(self, call: ToolCall) -> str | None:
        """Play the call without a checkpointer, which cannot store every argument; nobody can be asked then."""
        self.script = lambda seen: seen[-1] if seen else call
        state = await self._agent_without_checkpointer.ainvoke(START)
        assert "__interrupt__" not in state
        return str(state["messages"][-1].content)

    async def _play(self, state_or_command: Any, run: Any) -> Turn:
        state = await self._agent.ainvoke(state_or_command, run)
        if "__interrupt__" in state:
            thread = {"configurable": {**run["configurable"], "checkpoint_id": None}}
            self._waiting = (await self._agent.aget_state(thread)).config
            (waiting,) = state["__interrupt__"]
            (request,) = waiting.value["action_requests"]
            return Turn(question=request["description"])
        return Turn(str(state["messages"][-1].content))
