"""Asking the person behind an MCP client before something is decided or erased; where nobody can be asked, it is refused.

A client of the handshake era is asked while its call waits. Since 2026-07-28 the call is answered with the question, and made
again with the person's answer and a sealed state; the state is bound to the call, its arguments and its caller, and holds what
stands for the call and for the object as the person saw it, and the idempotency key under which the call is made, so that an
answer sent twice decides once.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ...spec.grammar import TOOL_PREFIX
from ..answer import ToolAnswer, not_agreed_answer, unsent_answer
from ..consent import Approval, ConsentRequest, SettlingEffect

_QUESTION = "confirm"
"""The name of the one question in an answer, and of the one field in its form."""


@dataclass(frozen=True)
class Agreement:
    """The person's agreement to a call, or the operator's beforehand.

    idempotency_key: the key that the call is made under, where it may be made again; None makes a new one.
    """

    approval: Approval
    idempotency_key: str | None = None


async def ask(
    ctx: ServerRequestContext[Any, Any],
    params: types.CallToolRequestParams,
    bare: ConsentRequest,
    read_request: Callable[[], Awaitable[ConsentRequest | None]],
    allowed: frozenset[SettlingEffect],
) -> Agreement | ToolAnswer | types.InputRequiredResult:
    """Ask the person: return the agreement, the answer that refuses, or the question for the client to bring to them first.

    bare: what to ask, without the object; read_request: reads the object for it.
    allowed: the effects that need no asking where a client cannot ask.

    Raises PersonaError where the object cannot be read.
    """
    if not can_ask(ctx):
        beforehand = Approval(True, bare.digest, None, beforehand=True)
        return Agreement(beforehand) if bare.effect in allowed else _cannot_ask_answer(bare)
    responses = params.input_responses
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and params.request_state is not None and responses is not None:
        return _agreement(bare, params.request_state, responses.get(_QUESTION))
    request = await read_request() or bare
    form = types.ElicitRequestFormParams(message=request.message, requested_schema=_form(request))
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        questions: types.InputRequests = {_QUESTION: types.ElicitRequest(params=form)}
        state = f"consent-{secrets.token_urlsafe(24)} {request.digest} {request.state}"
        return types.InputRequiredResult(input_requests=questions, request_state=state)
    try:
        result = await ctx.session.elicit_form(form.message, form.requested_schema, ctx.request_id)
    except MCPError:
        return _cannot_ask_answer(request)
    agrees = _agrees(request, result)
    return Agreement(Approval(True, request.digest, request.state)) if agrees else not_agreed_answer(request)


def _agreement(bare: ConsentRequest, request_state: str, response: object) -> Agreement | ToolAnswer:
    """Return what a person's answer comes to, together with the sealed state of the question that they were asked."""
    idempotency_key, _, asked = request_state.partition(" ")
    digest, _, state = asked.partition(" ")
    if digest == bare.digest and isinstance(response, types.ElicitResult) and _agrees(bare, response):
        return Agreement(Approval(True, digest, state), idempotency_key)
    return not_agreed_answer(bare)


def can_ask(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Return whether the client said that it can show a form; without a session, one of the handshake era cannot say so."""
    capabilities = ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _form(request: ConsentRequest) -> types.ElicitRequestedSchema:
    """Return one field: the id to type before an erasure, a box to tick before a decision."""
    if request.effect == "erase":
        field = {"type": "string", "title": "Id", "description": f"{request.prompt}."}
    else:
        field = {"type": "boolean", "title": "I agree", "description": f"{request.title} {request.object_id}."}
    return {"type": "object", "properties": {_QUESTION: field}, "required": [_QUESTION]}


def _agrees(request: ConsentRequest, response: types.ElicitResult) -> bool:
    confirmation = (response.content or {}).get(_QUESTION) if response.action == "accept" else None
    if request.effect == "erase":
        return isinstance(confirmation, str) and request.is_agreed(confirmation)
    return confirmation is True


def _cannot_ask_answer(request: ConsentRequest) -> ToolAnswer:
    text = (
        f"{TOOL_PREFIX}{request.operation} needs a person's word, and this client cannot ask for it. Nothing was sent or"
        f" changed. Do not try again: whoever runs this server can allow it by starting it with --allow {request.effect}."
    )
    return unsent_answer("consent_unavailable", text)
