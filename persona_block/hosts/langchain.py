"""The tools for LangChain and LangGraph agents: `create_agent(model, tools=langchain.tools(toolbox))`.

A run's own API key goes into its config, as a pydantic `SecretStr` because traces and checkpoints copy plain text from there:

    await agent.ainvoke(messages, {"configurable": {"persona_api_key": SecretStr(key)}})

Without a `consent` of the toolbox, what decides or erases interrupts the graph, in the form of LangChain's own
human-in-the-loop middleware, and goes on after `Command(resume={"decisions": [{"type": "approve"}]})`; any other answer
refuses it. That takes LangGraph and a checkpointer; outside a graph it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from .consent import ConsentRequest
from .run import call
from .tool import Tool
from .toolbox import Toolbox

try:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool, StructuredTool, ToolException
except ImportError as error:
    raise ImportError("persona_block.hosts.langchain needs LangChain: pip install 'persona-block[langchain]'") from error

_APPROVAL = {"decisions": [{"type": "approve"}]}

Result = tuple[str, dict[str, Any]]
"""The content for the model, and the data as the message's artifact."""


def tools(toolbox: Toolbox | None = None) -> list[BaseTool]:
    """The toolbox's tools, or all; they work in `invoke` and in `ainvoke`, which keeps its connections.

    An error is a ToolException that the tool itself turns into a message with the status `error`.
    """
    box = toolbox or Toolbox()
    return [_native(box, tool) for tool in box.tools]


def _native(toolbox: Toolbox, tool: Tool) -> BaseTool:
    async def acall(config: RunnableConfig, **arguments: Any) -> Result:
        return await _call(toolbox, tool.name, arguments, config)

    def call_blocking(config: RunnableConfig, **arguments: Any) -> Result:
        async def once() -> Result:
            async with toolbox:
                return await _call(toolbox, tool.name, arguments, config)

        return asyncio.run(once())

    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=deepcopy(tool.input_schema),
        func=call_blocking,
        coroutine=acall,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


async def _call(toolbox: Toolbox, name: str, arguments: Mapping[str, Any], config: RunnableConfig) -> Result:
    request = toolbox.to_approve(name, arguments)
    approved = _interrupt(request, name, arguments) if request else None
    answer = await call(toolbox, name, arguments, config.get("configurable"), approved)
    if answer.is_error:
        raise ToolException(answer.content)
    return answer.content, answer.data


def _interrupt(request: ConsentRequest, name: str, arguments: Mapping[str, Any]) -> bool | None:
    """Whether the person who resumes the graph approved; None outside a graph, where nobody can be asked."""
    try:
        from langgraph.types import interrupt

        asked = {"name": name, "args": dict(arguments), "description": request.message}
        review = {"action_name": name, "allowed_decisions": ["approve", "reject"]}
        return bool(interrupt({"action_requests": [asked], "review_configs": [review]}) == _APPROVAL)
    except (ImportError, RuntimeError, KeyError):
        return None
