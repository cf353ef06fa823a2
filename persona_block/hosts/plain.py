"""The tools as plain dicts, for a loop of your own over a model provider's API.

    tools = anthropic_tools()
    …
    answer = await dispatch(block.name, block.input)
    results.append(anthropic_result(block.id, answer))

Shapes: Anthropic's Messages API, `tools` and `tool_result`; OpenAI's Responses API, `tools` and `function_call_output`;
OpenAI's Chat Completions API, `tools` and messages of the role `tool`. They are typed Any, so that they go where a
provider's library wants its own types.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal

from .answer import ToolAnswer
from .arguments import Arguments
from .toolbox import Toolbox

Form = Literal["responses", "chat"]
"""Which of OpenAI's APIs a dict is for."""


def anthropic_tools(toolbox: Toolbox | None = None) -> list[Any]:
    """Return the tools as dicts that Anthropic's Messages API takes; None offers all."""
    return [
        {"name": tool.name, "description": tool.description, "input_schema": deepcopy(tool.input_schema)}
        for tool in (toolbox or Toolbox()).tools
    ]


def openai_tools(toolbox: Toolbox | None = None, form: Form = "responses") -> list[Any]:
    """Return the tools as dicts that OpenAI's Responses or Chat Completions API takes; None offers all."""
    functions: list[dict[str, Any]] = [
        {"name": tool.name, "description": tool.description, "parameters": deepcopy(tool.input_schema)}
        for tool in (toolbox or Toolbox()).tools
    ]
    if form == "chat":
        return [{"type": "function", "function": function} for function in functions]
    # The Responses API takes a missing `strict` for true, which free-form `fields` cannot keep.
    return [{"type": "function", **function, "strict": False} for function in functions]


async def dispatch(name: str, arguments: Arguments = None, *, toolbox: Toolbox | None = None) -> ToolAnswer:
    """Call a tool with the arguments that a model gave, as an object or as JSON text; an error is an answer too.

    Without a toolbox it uses PERSONA_API_KEY, offers all tools, refuses what needs a person's consent, and connects anew for
    each call.
    """
    if toolbox is not None:
        return await toolbox.dispatch(name, arguments)
    async with Toolbox() as own:
        return await own.dispatch(name, arguments)


def anthropic_result(tool_use_id: str, answer: ToolAnswer) -> Any:
    """Return an answer as the content block that goes back to Anthropic."""
    return {"type": "tool_result", "tool_use_id": tool_use_id, "content": answer.content, "is_error": answer.is_error}


def openai_result(call_id: str, answer: ToolAnswer, form: Form = "responses") -> Any:
    """Return an answer as the input item, or for Chat Completions the message, that goes back to OpenAI."""
    if form == "chat":
        return {"role": "tool", "tool_call_id": call_id, "content": answer.content}
    return {"type": "function_call_output", "call_id": call_id, "output": answer.content}
