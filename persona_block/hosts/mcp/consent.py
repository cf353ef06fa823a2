"""Asking the person behind an MCP client before something is decided or erased; where nobody can be asked, it is refused.

A client of the handshake era is asked while its call waits. Since 2026-07-28 the call is answered with the question, and made
again with the person's answer and a sealed state; the state is bound to the call, its arguments and its caller, and holds the
idempotency key under which the call is made, so that an answer sent twice decides once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ...spec.grammar import TOOL_PREFIX
from ..answer import Answer, refused
from ..consent import ConsentRequest

_QUESTION = "confirm"
"""The key of the one question in an answer, and of the one field in its form."""


@dataclass(frozen=True)
class Agreed:
    """The person agreed, or the operator did beforehand; the call is made under this key."""

    idempotency_key: str


async def ask(
    ctx: ServerRequestContext[Any, Any],
    params: types.CallToolRequestParams,
    request: ConsentRequest,
    allowed: frozenset[str],
) -> Agreed | Answer | types.InputRequiredResult:
    """Ask the person: agreement, or the answer that refuses, or the question that the client has to bring to them first.

    `allowed` are the effects that need no asking where a client cannot ask.
    """
    if not can_ask(ctx):
        return Agreed(_new_key()) if request.effect in allowed else _cannot_ask(request)
    form = types.ElicitRequestFormParams(message=request.message, requested_schema=_form(request))
    if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        try:
            result = await ctx.session.elicit_form(form.message, form.requested_schema, ctx.request_id)
        except MCPError:
            return _cannot_ask(request)
        return Agreed(_new_key()) if _agrees(request, result.action, result.content) else refused(request)
    answers = params.input_responses
    if params.request_state is None or answers is None:
        questions: types.InputRequests = {_QUESTION: types.ElicitRequest(params=form)}
        return types.InputRequiredResult(input_requests=questions, request_state=_new_key())
    said = answers.get(_QUESTION)
    if isinstance(said, types.ElicitResult) and _agrees(request, said.action, said.content):
        return Agreed(params.request_state)
    return refused(request)


def can_ask(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Whether the client said that it can show its person a form; without a session one of the handshake era has no say."""
    capabilities = ctx.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _form(request: ConsentRequest) -> types.ElicitRequestedSchema:
    """One field: the id to type before an erasure, a box to tick before a decision."""
    if request.effect == "erase":
        field = {"type": "string", "title": "Id", "description": f"{request.prompt}."}
    else:
        field = {"type": "boolean", "title": "I agree", "description": f"{request.title} {request.object_id}."}
    return {"type": "object", "properties": {_QUESTION: field}, "required": [_QUESTION]}


def _agrees(request: ConsentRequest, action: str, content: Mapping[str, Any] | None) -> bool:
    given = (content or {}).get(_QUESTION) if action == "accept" else None
    if request.effect == "erase":
        return isinstance(given, str) and request.is_agreed(given)
    return given is True


def _cannot_ask(request: ConsentRequest) -> Answer:
    text = (
        f"{TOOL_PREFIX}{request.operation} needs a person's word, and this client cannot ask for it. Nothing was sent or"
        f" changed. Do not try again: whoever runs this server can allow it by starting it with --allow {request.effect}."
    )
    return Answer({"error": {"kind": "consent_unavailable", "message": text, "tookEffect": "no"}}, text, is_error=True)


def _new_key() -> str:
    return f"consent-{secrets.token_urlsafe(24)}"
