"""The tools for Pydantic AI: `Agent(model, tools=pydantic_ai.tools(toolbox))`.

A run's own API key is the attribute `persona_api_key` of its deps, or that key of a mapping: `agent.run(text, deps=…)`.

Without a `consent` of the toolbox, what decides or erases is a deferred call: with `DeferredToolRequests` among the agent's
output types the run ends with the `approvals` it waits for, their questions in `metadata[call.tool_call_id]["message"]`, and
goes on with the `DeferredToolResults` of a person's answers. Without that output type the run ends with a UserError.

A `POST` of a run that a durable workflow executes again under its `run_id` goes out under the same idempotency key.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from typing import Any

from pydantic_core import SchemaValidator, core_schema

from .answer import Answer
from .run import call, step_key
from .tool import Tool as PersonaTool
from .toolbox import Toolbox

try:
    from pydantic_ai import ApprovalRequired, ModelRetry, RunContext, Tool
    from pydantic_ai.exceptions import ToolFailed
    from pydantic_ai.messages import ModelResponse, ToolCallPart
except ImportError as error:
    raise ImportError("persona_block.hosts.pydantic_ai needs Pydantic AI: pip install 'persona-block[pydantic-ai]'") from error

_OBJECT = SchemaValidator(core_schema.dict_schema(core_schema.str_schema()))


def tools(toolbox: Toolbox | None = None) -> list[Tool[Any]]:
    """The toolbox's tools, or all.

    Arguments that the model can put right are a ModelRetry; every other error is a ToolFailed, which asks for no second try.
    """
    box = toolbox or Toolbox()
    return [_native(box, tool) for tool in box.tools]


def _native(toolbox: Toolbox, tool: PersonaTool) -> Tool[Any]:
    async def invoke(context: RunContext[Any], /, **arguments: Any) -> str:
        request = toolbox.to_approve(tool.name, arguments)
        if request and not context.tool_call_approved:
            raise ApprovalRequired(metadata=asdict(request))
        approved = context.tool_call_approved or None
        key = step_key(_step(context), context.tool_call_id, tool.name, arguments)
        answer = await call(toolbox, tool.name, arguments, context.deps, approved, key)
        if not answer.is_error:
            return answer.content
        raise ModelRetry(answer.content) if _is_correctable(answer) else ToolFailed(answer.content)

    native: Tool[Any] = Tool.from_schema(
        invoke, name=tool.name, description=tool.description, json_schema=deepcopy(tool.input_schema), takes_ctx=True
    )
    native.strict = False
    # Made from a schema it takes any JSON for arguments, and a list would end the run instead of being tried again.
    native.function_schema.validator = _OBJECT
    return native


def _step(context: RunContext[Any]) -> tuple[object, ...]:
    """The message that made the call: its run and its place stay, however often the call is approved or made again."""
    for place, message in enumerate(context.messages):
        made = [part.tool_call_id for part in message.parts if isinstance(part, ToolCallPart)]
        if isinstance(message, ModelResponse) and context.tool_call_id in made:
            return "pydantic-ai", message.run_id or context.run_id, place
    return "pydantic-ai", context.run_id, context.run_step


def _is_correctable(answer: Answer) -> bool:
    """Whether the arguments alone are wrong; what the host lacks no model can give."""
    problems = answer.data["error"].get("problems", [])
    return bool(problems) and all(problem["param"] != "host" for problem in problems)
