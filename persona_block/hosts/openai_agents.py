"""The tools for the OpenAI Agents SDK: `Agent(tools=openai_agents.tools(toolbox))`.

A run's own API key is the attribute `persona_api_key` of its context, `Runner.run(agent, text, context=…)`, or that key of a
mapping. Make it a pydantic `SecretStr` where a run's state is stored: plain text of a dataclass or a dict is stored with it.
Before 0.24 such a state is stored by `to_string(context_serializer=…)` alone.

Without a `consent` of the toolbox, what decides or erases needs the SDK's approval: the run stops with `interruptions`, and
goes on after `state.approve(item)`. The question of one is `toolbox.to_approve(item.name, item.arguments).message`. An
approval is of one call and its arguments; with `always_approve` it would be of calls that nobody has seen, and is refused.

A state that is resumed a second time sends no write again that Persona knows by its idempotency key. That takes an identity of
the run: the `trace_id` of its RunConfig, new for each run, or else its own trace. Without tracing, or under a trace of another
name around several runs, it has none. Runs of one `trace_id` and one input count as one run that is repeated.
"""

from __future__ import annotations

import secrets
from copy import deepcopy
from typing import Any

from ..errors import InputError, Problem
from .answer import failure_answer
from .consent import NEEDS_CONSENT, ConsentRequest
from .run import Approval, dispatch_for_run, step_idempotency_key
from .tool import Tool as PersonaTool
from .toolbox import Toolbox

try:
    from agents import FunctionTool, ModelBehaviorError, RunContextWrapper, Tool, ToolApprovalItem
    from agents.tool_context import ToolContext
    from agents.tracing import get_current_trace
except ImportError as error:
    raise ImportError(
        "persona_block.hosts.openai_agents needs the OpenAI Agents SDK: pip install 'persona-block[openai-agents]'"
    ) from error


def tools(toolbox: Toolbox | None = None) -> list[Tool]:
    """Return the toolbox's tools, or all; an error goes to the model as text and never ends the run."""
    box = toolbox or Toolbox()
    return [_function_tool(box, tool) for tool in box.tools]


def _function_tool(toolbox: Toolbox, tool: PersonaTool) -> FunctionTool:
    async def invoke(context: ToolContext[Any], arguments: str) -> str:
        request = toolbox.to_approve(tool.name, arguments)
        try:
            approval = _approval(context, arguments, request) if request else None
        except InputError as error:
            return failure_answer(error).content
        digest = toolbox.call_digest(tool.name, arguments)
        idempotency_key = step_idempotency_key(_run_identity(context), context.tool_call_id, digest)
        answer = await dispatch_for_run(toolbox, tool.name, arguments, context.context, approval, idempotency_key)
        return answer.content

    async def needs_approval(_context: RunContextWrapper[Any], arguments: dict[str, Any], _call_id: str) -> bool:
        return toolbox.to_approve(tool.name, arguments) is not None

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=deepcopy(tool.input_schema),
        on_invoke_tool=invoke,
        strict_json_schema=False,
        needs_approval=needs_approval if tool.spec.effect in NEEDS_CONSENT else False,
    )


def _approval(context: ToolContext[Any], arguments: str, request: ConsentRequest) -> Approval | None:
    """Return a person's word about a call with these arguments, or None; raises InputError for a word about every call."""
    # What is approved under the id of no call is approved for every call.
    if _is_approved(context, arguments, f"no-call-{secrets.token_hex(8)}"):
        text = "approved every such call beforehand, and each one needs a person's word of its own; do not try again"
        raise InputError(context.tool_name, [Problem("host", text)])
    approved = _is_approved(context, arguments, context.tool_call_id)
    return None if approved is None else Approval(approved, request.digest)


def _is_approved(context: ToolContext[Any], arguments: str, call_id: str) -> bool | None:
    """Return the SDK's word about a call id and these arguments: it keeps with an approval what was approved."""
    call = context.tool_call
    agent: Any = context.agent
    if call is None or agent is None:
        return None
    made = call.model_copy(update={"arguments": arguments, "call_id": call_id})
    item = ToolApprovalItem(agent, made, context.tool_name, tool_namespace=context.tool_namespace)
    try:
        return context.get_approval_status(
            context.tool_name,
            call_id,
            tool_namespace=context.tool_namespace,
            tool_lookup_key=item.tool_lookup_key,
            current_invocation=item,
        )
    except (ModelBehaviorError, ValueError):
        return None


def _run_identity(context: ToolContext[Any]) -> tuple[object, ...]:
    """Return what a run keeps when its state is stored and resumed, and shares with no other.

    Within one run the SDK takes a call's id once. Runs inside a tool share its trace, so their input tells them apart.
    """
    config, trace = context.run_config, get_current_trace()
    own = trace.trace_id if trace and config and trace.name == config.workflow_name else None
    return "openai-agents", (config and config.trace_id) or own, context.turn_input
