"""The tools for the OpenAI Agents SDK: `Agent(tools=openai_agents.tools(toolbox))`.

A run's own API key is the attribute `persona_api_key` of its context, `Runner.run(agent, text, context=…)`, or that key of a
mapping. Make it a pydantic `SecretStr` where a run's state is stored: plain text of a dataclass or a dict is stored with it.
Before 0.24 such a state is stored by `to_string(context_serializer=…)` alone.

Without a `consent` of the toolbox, what decides or erases needs the SDK's approval: the run stops with `interruptions`, and
goes on after `state.approve(item)`. The question of one is `(await toolbox.to_approve(item.name, item.arguments)).message`.
The object is read when a run stops and once more before anything is sent, and where it has changed the call is refused. A run
that goes on in another process has no memory of the object; there, what has been decided or erased meanwhile is left alone. An
approval is of one call and its arguments; with `always_approve` it would be of calls that nobody has seen, and is refused.

A state that is resumed a second time sends no write again that Persona knows by its idempotency key. That takes an identity of
the run: the `trace_id` of its RunConfig, new for each run, or else its own trace. Without tracing, or under a trace of another
name around several runs, it has none. Runs of one `trace_id` and one input count as one run that is repeated.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from copy import deepcopy
from typing import Any, cast

from ..errors import InputError, PersonaError, Problem
from .answer import failure_answer
from .consent import NEEDS_CONSENT, Approval
from .run import dispatch_for_run, run_key, step_idempotency_key
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


_ASKED_LIMIT = 10_000
"""How many calls are remembered; the oldest go first."""


def tools(toolbox: Toolbox | None = None) -> list[Tool]:
    """Return the toolbox's tools, or all; an error goes to the model as text and never ends the run."""
    box, asked = toolbox or Toolbox(), _Asked()
    return [_function_tool(box, tool, asked) for tool in box.tools]


def _function_tool(toolbox: Toolbox, tool: PersonaTool, asked: _Asked) -> FunctionTool:
    async def invoke(context: ToolContext[Any], arguments: str) -> str:
        digest = toolbox.call_digest(tool.name, arguments)
        approval = None
        try:
            if digest is not None and toolbox.needs_approval(tool.name, arguments):
                asked.raise_failure(digest, context.tool_call_id)
                approval = _approval(context, arguments, digest, asked)
        except PersonaError as error:
            return failure_answer(error).content
        idempotency_key = step_idempotency_key(_run_identity(context), context.tool_call_id, digest)
        answer = await dispatch_for_run(toolbox, tool.name, arguments, context.context, approval, idempotency_key)
        return answer.content

    async def needs_approval(context: RunContextWrapper[Any], arguments: dict[str, Any], call_id: str) -> bool:
        digest = toolbox.call_digest(tool.name, arguments)
        if digest is None or not toolbox.needs_approval(tool.name, arguments):
            return False
        if asked.has(digest, call_id) and context.is_tool_approved(tool.name, call_id) is not None:
            return True
        try:
            request = await toolbox.consent_request(tool.name, arguments, api_key=run_key(context.context))
        except PersonaError as error:
            asked.keep(digest, call_id, error)
            return False
        asked.keep(digest, call_id, request.state if request else "")
        return True

    return FunctionTool(
        name=tool.name,
        description=tool.description,
        params_json_schema=deepcopy(tool.input_schema),
        on_invoke_tool=invoke,
        strict_json_schema=False,
        needs_approval=needs_approval if tool.spec.effect in NEEDS_CONSENT else False,
    )


class _Asked:
    """What came of reading the objects that people were asked about, by call: their states, or why they could not be read."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[tuple[str, str], str | PersonaError] = OrderedDict()

    def keep(self, digest: str, call_id: str, outcome: str | PersonaError) -> None:
        """Keep what came of reading for a call, in the place of what came of it before."""
        self._outcomes[digest, call_id] = outcome
        self._outcomes.move_to_end((digest, call_id))
        if len(self._outcomes) > _ASKED_LIMIT:
            self._outcomes.popitem(last=False)

    def has(self, digest: str, call_id: str) -> bool:
        """Return whether the state of a call's object is kept."""
        return self.state(digest, call_id) is not None

    def state(self, digest: str, call_id: str) -> str | None:
        """Return the state of a call's object, as it was when a person was asked; None where it is not known."""
        outcome = self._outcomes.get((digest, call_id))
        return outcome if isinstance(outcome, str) else None

    def raise_failure(self, digest: str, call_id: str) -> None:
        """Raise, once, the error because of which nobody was asked about a call."""
        if isinstance(self._outcomes.get((digest, call_id)), PersonaError):
            raise cast(PersonaError, self._outcomes.pop((digest, call_id)))


def _approval(context: ToolContext[Any], arguments: str, digest: str, asked: _Asked) -> Approval | None:
    """Return a person's word about a call with these arguments, or None; raises InputError for a word about every call."""
    # What is approved under the id of no call is approved for every call.
    if _is_approved(context, arguments, f"no-call-{secrets.token_hex(8)}"):
        text = "approved every such call beforehand, and each one needs a person's word of its own; do not try again"
        raise InputError(context.tool_name, [Problem("host", text)])
    approved = _is_approved(context, arguments, context.tool_call_id)
    return None if approved is None else Approval(approved, digest, asked.state(digest, context.tool_call_id))


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
