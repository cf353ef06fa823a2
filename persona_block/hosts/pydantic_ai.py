"""The tools for Pydantic AI: `Agent(model, tools=pydantic_ai.tools(toolbox))`.

A run's own API key is the attribute `persona_api_key` of its deps, or that key of a mapping: `agent.run(text, deps=…)`.

Without a `consent` of the toolbox, what decides or erases is a deferred call: with `DeferredToolRequests` among the agent's
output types the run ends with the `approvals` it waits for, their questions in `metadata[call.tool_call_id]["message"]`, and
goes on with a person's answers. Without that output type the run ends with a UserError. The answers need the metadata of the
requests, which says what the person was asked; call ids do not, as models use them again:

    DeferredToolResults(approvals={call.tool_call_id: True}, metadata=result.output.metadata)

An approval without that metadata is refused, and so is one of another call: by metadata of other requests, or by
`override_args`. The object is read when the run ends and once more before anything is sent: where it has changed, the call is
refused, and the model may make it again to ask anew.

A `POST` of a run that a durable workflow executes again under its `run_id` goes out under the same idempotency key.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict
from typing import Any

from pydantic_core import SchemaValidator, core_schema

from ..errors import InputError, PersonaError, Problem
from .answer import ToolAnswer, failure_answer
from .consent import Approval
from .run import dispatch_for_run, run_key, step_idempotency_key
from .tool import Tool as PersonaTool
from .toolbox import Toolbox

try:
    from pydantic_ai import ApprovalRequired, ModelRetry, RunContext, Tool, UserError
    from pydantic_ai.exceptions import ToolFailed
    from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
except ImportError as error:
    raise ImportError("persona_block.hosts.pydantic_ai needs Pydantic AI: pip install 'persona-block[pydantic-ai]'") from error

_OBJECT = SchemaValidator(core_schema.dict_schema(core_schema.str_schema()))


def tools(toolbox: Toolbox | None = None) -> list[Tool[Any]]:
    """Return the toolbox's tools, or all.

    Arguments that the model can put right are a ModelRetry; every other error is a ToolFailed, which asks for no second try.
    """
    box = toolbox or Toolbox()
    return [_framework_tool(box, tool) for tool in box.tools]


def _framework_tool(toolbox: Toolbox, tool: PersonaTool) -> Tool[Any]:
    async def invoke(context: RunContext[Any], /, **arguments: Any) -> str:
        approval = None
        try:
            if toolbox.needs_approval(tool.name, arguments):
                if not context.tool_call_approved:
                    api_key = run_key(context.deps)
                    request = await toolbox.consent_request(tool.name, arguments, api_key=api_key)
                    raise ApprovalRequired(metadata=asdict(request) if request else None)
                approval = _approval(tool.name, context)
        except PersonaError as error:
            raise ToolFailed(failure_answer(error).content) from None
        digest = toolbox.call_digest(tool.name, arguments)
        idempotency_key = step_idempotency_key(_step(context), context.tool_call_id, digest)
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


def _approval(tool_name: str, context: RunContext[Any]) -> Approval:
    """Return a person's approval, which is of the call that they were asked about; raises InputError where none is named."""
    metadata = context.tool_call_metadata
    digest, state = (metadata.get("digest"), metadata.get("state")) if isinstance(metadata, dict) else (None, None)
    if not isinstance(digest, str) or not isinstance(state, str):
        text = (
            "gave an approval that does not say what a person was asked; whoever runs it has to pass the metadata of the"
            " requests, DeferredToolResults(approvals=…, metadata=requests.metadata)"
        )
        raise InputError(tool_name, [Problem("host", text)])
    return Approval(True, digest, state)


def _step(context: RunContext[Any]) -> tuple[object, ...]:
    """Return the run and the place of the newest message with the call's id, which stay when the call is made again.

    A model may use an id again, and means the call it makes now.
    """
    messages = _messages(context)
    for position in reversed(range(len(messages))):
        message = messages[position]
        if not isinstance(message, ModelResponse):
            continue
        for part in message.parts:
            if isinstance(part, ToolCallPart) and part.tool_call_id == context.tool_call_id:
                return "pydantic-ai", message.run_id or context.run_id, position
    return "pydantic-ai", context.run_id, context.run_step


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
