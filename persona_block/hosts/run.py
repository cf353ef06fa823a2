"""A call on behalf of one run of a framework's agent: whose key, a person's word, and once even if the run repeats a step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from ..errors import InputError, Problem
from .answer import Answer, failed
from .arguments import Arguments
from .toolbox import Toolbox

RUN_KEY = "persona_api_key"
"""Where a run may carry an API key of its own: an attribute, or a key of a mapping, of what the host gives the run."""


async def call(
    toolbox: Toolbox,
    name: str,
    arguments: Arguments,
    run: object,
    approved: bool | None = None,
    idempotency_key: str | None = None,
) -> Answer:
    """Call a tool for a run, with the key that the run carries or else the toolbox's.

    `approved` is a person's word as the framework took it, None where it took none; the toolbox's own `consent` comes first.
    """
    try:
        key = _key(run)
    except InputError as error:
        return failed(error)
    consent = None if approved is None or toolbox.to_approve(name, arguments) is None else lambda request: approved
    return await toolbox.dispatch(name, arguments, api_key=key, consent=consent, idempotency_key=idempotency_key)


def step_key(run: tuple[object, ...], call_id: str | None, name: str, arguments: Arguments) -> str | None:
    """The idempotency key of one tool call in one run: the same when the run repeats the step, and in no other run.

    `run` identifies the run, or the step of it; where it holds None or the call has no id, there is no key.
    """
    if not call_id or None in run:
        return None
    try:
        given = json.loads(arguments) if isinstance(arguments, str) else dict(arguments or {})
        identity = json.dumps([run, call_id, name, given], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return None
    return sha256(identity.encode()).hexdigest()


def _key(run: object) -> str | None:
    """The run's own key, or None; a run whose key is blank does not fall back to another's."""
    held = run.get(RUN_KEY) if isinstance(run, Mapping) else getattr(run, RUN_KEY, None)
    if held is None:
        return None
    key = held.get_secret_value() if hasattr(held, "get_secret_value") else held
    if not isinstance(key, str) or not key.strip():
        raise InputError("tools", [Problem("host", f"gave this run a blank {RUN_KEY}; whoever runs it has to set it")])
    return key
