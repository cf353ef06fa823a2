"""A tool call on behalf of one run of a framework's agent: with the run's key, and once even if the run repeats a step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from ..credentials import ApiKey
from ..errors import InputError, Problem
from .answer import ToolAnswer, failure_answer
from .arguments import Arguments
from .consent import Approval
from .toolbox import Toolbox

RUN_KEY_NAME = "persona_api_key"
"""Where a run may carry an API key of its own: an attribute, or a key of a mapping, of what the host gives the run."""


async def dispatch_for_run(
    toolbox: Toolbox,
    name: str,
    arguments: Arguments,
    run: object,
    approval: Approval | None = None,
    idempotency_key: str | None = None,
) -> ToolAnswer:
    """Call a tool for a run, with the API key that the run carries or else the toolbox's.

    run: what the host gives the run, which may carry a key under RUN_KEY_NAME.
    approval: a person's word as the framework took it, None where it took none; the toolbox's own `consent` comes first.
    idempotency_key: a call that is made again under one key happens once; the default is a new key.
    """
    try:
        api_key = run_key(run)
    except InputError as error:
        return failure_answer(error)
    return await toolbox.dispatch(name, arguments, api_key=api_key, approval=approval, idempotency_key=idempotency_key)


def step_idempotency_key(step: tuple[object, ...], call_id: str | None, digest: str | None) -> str | None:
    """Return the idempotency key of a tool call: the same when its run repeats the step, and that of no other step or call.

    step: the run and the place of the model's message in it; where it holds None there is no key.
    call_id: the call's id, by which calls of one message are told apart; without one there is no key.
    digest: what stands for the call, as `Toolbox.call_digest` gives it; None for a call that cannot be made, and has no key.
    """
    if not call_id or None in step or digest is None:
        return None
    try:
        identity = json.dumps([step, call_id, digest], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
    return sha256(identity.encode()).hexdigest()


def run_key(run: object) -> ApiKey | None:
    """Return the run's own key, or None; raises InputError for a blank one, which does not fall back to another's."""
    carried = run.get(RUN_KEY_NAME) if isinstance(run, Mapping) else getattr(run, RUN_KEY_NAME, None)
    if carried is None:
        return None
    api_key = ApiKey.of(carried.get_secret_value() if hasattr(carried, "get_secret_value") else carried)
    if not api_key.is_text:
        raise InputError("tools", [Problem("host", f"gave this run a blank {RUN_KEY_NAME}; whoever runs it has to set it")])
    return api_key
