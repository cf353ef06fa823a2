"""A tool call on behalf of one run of a framework's agent: with the run's key, and once even if the run repeats a step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from ..credentials import ApiKey
from ..errors import InputError, Problem
from .answer import ToolAnswer, failure_answer
from .arguments import Arguments
from .toolbox import Toolbox

RUN_KEY_NAME = "persona_api_key"
"""Where a run may carry an API key of its own: an attribute, or a key of a mapping, of what the host gives the run."""


async def dispatch_for_run(
    toolbox: Toolbox,
    name: str,
    arguments: Arguments,
    run: object,
    approved: bool | None = None,
    idempotency_key: str | None = None,
) -> ToolAnswer:
    """Call a tool for a run, with the API key that the run carries or else the toolbox's.

    run: what the host gives the run, which may carry a key under RUN_KEY_NAME.
    approved: a person's word as the framework took it, None where it took none; the toolbox's own `consent` comes first.
    idempotency_key: a call that is made again under one key happens once; the default is a new key.
    """
    try:
        api_key = _run_key(run)
    except InputError as error:
        return failure_answer(error)
    consent = None if approved is None or toolbox.to_approve(name, arguments) is None else lambda _request: approved
    return await toolbox.dispatch(name, arguments, api_key=api_key, consent=consent, idempotency_key=idempotency_key)


def step_idempotency_key(run: tuple[object, ...], call_id: str | None, name: str, arguments: Arguments) -> str | None:
    """Return the idempotency key of one tool call in one run: the same when the run repeats the step, and in no other run.

    `run` identifies the run, or the step of it; where it holds None or the call has no id, there is no key.
    """
    if not call_id or None in run:
        return None
    try:
        by_name = json.loads(arguments) if isinstance(arguments, str) else dict(arguments or {})
        identity = json.dumps([run, call_id, name, by_name], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
    return sha256(identity.encode()).hexdigest()


def _run_key(run: object) -> ApiKey | None:
    """Return the run's own key, or None; a run whose key is blank does not fall back to another's."""
    carried = run.get(RUN_KEY_NAME) if isinstance(run, Mapping) else getattr(run, RUN_KEY_NAME, None)
    if carried is None:
        return None
    api_key = ApiKey.of(carried.get_secret_value() if hasattr(carried, "get_secret_value") else carried)
    if not api_key.is_text:
        raise InputError("tools", [Problem("host", f"gave this run a blank {RUN_KEY_NAME}; whoever runs it has to set it")])
    return api_key
