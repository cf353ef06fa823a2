"""The tools for Pydantic AI: `Agent(model, tools=pydantic_ai.tools(toolbox))`.

A run's own API key is the attribute `persona_api_key` of its deps, or that key of a mapping: `agent.run(text, deps=…)`.

Without a `consent` of the toolbox, what decides or erases is a deferred call: with `DeferredToolRequests` among the agent's
output types the run ends with the `approvals` it waits for, their questions in `metadata[call.tool_call_id]["message"]`, and
goes on with the `DeferredToolResults` of a person's answers. Without that output type the run ends with a UserError.

An approval is of the arguments that the model gave: one with `override_args` is refused. Give the results the `metadata` of
the requests too, and an approval that came to another call, by a call id that a model used again, is refused as well.

A `POST` of a run that a durable workflow executes again under its `run_id` goes out under the same idempotency key.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import SchemaValidator, core_schema

from .answer import ToolAnswer
from .arguments import Arguments
from .consent import ConsentRequest
from .run import Approval, dispatch_for_run, step_idempotency_key
from .tool import Tool as PersonaTool
from .toolbox import Toolbox

try:
    from pydantic_ai import ApprovalRequired, ModelRetry, RunContext, Tool, UserError
    from pydantic_ai.exceptions import ToolFailed
    from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
except ImportError as error:
    raise ImportError("persona_block.hosts.pydantic_ai needs Pydantic AI: pip install 'persona-block[pydantic-ai]'") from error

_OBJECT = SchemaValidator(core_schema.dict_schema(core_schema.str_schema()))


@dataclass(frozen=True)
class _Step:
    """The message that made a call: its run and its place stay, however often the call is approved or made again.

    arguments: what the model gave; None where the message is not known.
    """

    identity: tuple[object, ...]
    arguments: Arguments = None


def tools(toolbox: Toolbox | None = None) -> list[Tool[Any]]:
    """Return the toolbox's tools, or all.

    Arguments that the model can put right are a ModelRetry; every other error is a ToolFailed, which asks for no second try.
    """
    box = toolbox or Toolbox()
    return [_framework_tool(box, tool) for tool in box.tools]


def _framework_tool(toolbox: Toolbox, tool: PersonaTool) -> Tool[Any]:
    async def invoke(context: RunContext[Any], /, **arguments: Any) -> str:
        request = toolbox.to_approve(tool.name, arguments)
        if request and not context.tool_call_approved:
            raise ApprovalRequired(metadata=asdict(request))
        step, digest = _step(context), toolbox.call_digest(tool.name, arguments)
        approval = _approval(toolbox, request, context, step) if request else None
        idempotency_key = step_idempotency_key(step.identity, context.tool_call_id, digest)
        answer = await dispatch_for_run(toolbox, tool.name, arguments, context.deps, approval, idempotency_key)
        if not answer.is_error:
            return answer.content
        raise ModelRetry(answer.content) if _is_correctable(answer) else ToolFailed(answer.content)

    framework_tool: Tool[Any] = Tool.from_schema(
        invoke, name=tool.name, description=tool.description, json_schema=deepcopy(tool.input_schema), takes_ctx=True
    )
    framework_tool.strict = False
    # Made from a schema it takes any JSON for arguments, and a list would end the run instead of being tried again.
    framework_tool.function_schema.validator = _OBJECT
    return framework_tool


def _approval(toolbox: Toolbox, request: ConsentRequest, context: RunContext[Any], step: _Step) -> Approval:
    """Return a person's approval, which is of the call that they were asked about and of nothing else."""
    metadata = context.tool_call_metadata
    asked = metadata.get("digest") if isinstance(metadata, dict) else None
    given = request.digest if step.arguments is None else toolbox.call_digest(request.operation, step.arguments)
    return Approval(agreed=True, digest=(given or "") if asked in (None, given) else "")


def _step(context: RunContext[Any]) -> _Step:
    """Return the newest message with the call's id: a model may use an id again, and means the call it makes now."""
    messages = _messages(context)
    for position in reversed(range(len(messages))):
        message = messages[position]
        if not isinstance(message, ModelResponse):
            continue
        for part in message.parts:
            if isinstance(part, ToolCallPart) and part.tool_call_id == context.tool_call_id:
                return _Step(("pydantic-ai", message.run_id or context.run_id, position), part.args or {})
    return _Step(("pydantic-ai", context.run_id, context.run_step))


def _messages(context: RunContext[Any]) -> list[ModelMessage]:
    """Return the messages so far; none in a durable workflow that hands a tool nothing but plain values."""
    try:
        return context.messages
    except UserError:
        return []


def _is_correctable(answer: ToolAnswer) -> bool:
    """Return whether the arguments alone are wrong: what the host lacks no model can give."""
    problems = answer.data["error"].get("problems", [])
    return bool(problems) and all(problem["param"] != "host" for problem in problems)
