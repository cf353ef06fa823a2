"""Asking the person behind an MCP client before something is decided or erased; where nobody can be asked, it is refused.

A client of the handshake era is asked while its call waits. Since 2026-07-28 the call is answered with the question, and made
again with the person's answer and a sealed state; the state is bound to the call, its arguments and its caller, and holds what
stands for the call and the idempotency key under which it is made, so that an answer sent twice decides once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ...spec.grammar import TOOL_PREFIX
from ..answer import ToolAnswer, not_agreed_answer, unsent_answer
from ..consent import ConsentRequest, SettlingEffect

_QUESTION = "confirm"
"""The name of the one question in an answer, and of the one field in its form."""


@dataclass(frozen=True)
class Agreement:
    """The person's agreement to the call of a digest, or the operator's beforehand.

    idempotency_key: the key that the call is made under, where it may be made again; None makes a new one.
    """

    digest: str
    idempotency_key: str | None = None


async def ask(
    ctx: ServerRequestContext[Any, Any],
    params: types.CallToolRequestParams,
    request: ConsentRequest,
    allowed: frozenset[SettlingEffect],
) -> Agreement | ToolAnswer | types.InputRequiredResult:
    """Ask the person: return the agreement, the answer that refuses, or the question for the client to bring to them first.

    allowed: the effects that need no asking where a client cannot ask.
    """
    if not can_ask(ctx):
        return Agreement(request.digest) if request.effect in allowed else _cannot_ask_answer(request)
    form = types.ElicitRequestFormParams(message=request.message, requested_schema=_form(request))
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        try:
            result = await ctx.session.elicit_form(form.message, form.requested_schema, ctx.request_id)
        except MCPError:
            return _cannot_ask_answer(request)
        return Agreement(request.digest) if _agrees(request, result) else not_agreed_answer(request)
    responses = params.input_responses
    if params.request_state is None or responses is None:
        questions: types.InputRequests = {_QUESTION: types.ElicitRequest(params=form)}
        state = f"consent-{secrets.token_urlsafe(24)} {request.digest}"
        return types.InputRequiredResult(input_requests=questions, request_state=state)
    idempotency_key, _, digest = params.request_state.partition(" ")
    response = responses.get(_QUESTION)
    if digest == request.digest and isinstance(response, types.ElicitResult) and _agrees(request, response):
        return Agreement(digest, idempotency_key)
    return not_agreed_answer(request)


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
