"""The tools for the OpenAI Agents SDK: `Agent(tools=openai_agents.tools(toolbox))`.

A run's own API key is the attribute `persona_api_key` of its context, `Runner.run(agent, text, context=…)`, or that key of a
mapping. Make it a pydantic `SecretStr` where a run's state is stored: plain text of a dataclass or a dict is stored with it.

Without a `consent` of the toolbox, what decides or erases needs the SDK's approval: the run stops with `interruptions`, and
goes on after `state.approve(item)`. The question of one is `toolbox.to_approve(item.name, item.arguments).message`.

A state that is resumed a second time sends no write again that Persona knows by its idempotency key. That takes an identity of
the run: the `trace_id` of its RunConfig, new for each run, or else its own trace. Without tracing, or under a trace of another
name around several runs, it has none. Where your model repeats the ids of calls, give each run a `trace_id`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .consent import NEEDS_CONSENT
from .run import dispatch_for_run, step_idempotency_key
from .tool import Tool as PersonaTool
from .toolbox import Toolbox

try:
    from agents import FunctionTool, RunContextWrapper, Tool
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
        approved = context.is_tool_approved(context.qualified_tool_name, context.tool_call_id)
        idempotency_key = step_idempotency_key(_run_identity(context), context.tool_call_id, tool.name, arguments)
        answer = await dispatch_for_run(toolbox, tool.name, arguments, context.context, approved, idempotency_key)
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


def _run_identity(context: ToolContext[Any]) -> tuple[object, ...]:
    """Return what a run keeps when its state is stored and resumed, and shares with no other.

    Runs inside a tool share its trace, so their input tells them apart.
    """
    config, trace = context.run_config, get_current_trace()
    own = trace.trace_id if trace and config and trace.name == config.workflow_name else None
    return "openai-agents", (config and config.trace_id) or own, context.turn_input
