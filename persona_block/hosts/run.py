"""A call on behalf of one run of a framework's agent: with whose key it is made, and whether a person approved it."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import InputError, Problem
from .answer import Answer, failed
from .arguments import Arguments
from .toolbox import Toolbox

RUN_KEY = "persona_api_key"
"""Where a run may carry an API key of its own: an attribute, or a key of a mapping, of what the host gives the run."""


async def call(toolbox: Toolbox, name: str, arguments: Arguments, run: object, approved: bool | None = None) -> Answer:
    """Call a tool for a run, with the key that the run carries or else the toolbox's.

    `approved` is a person's word as the framework took it, None where it took none; the toolbox's own `consent` comes first.
    """
    try:
        key = _key(run)
    except InputError as error:
        return failed(error)
    if approved is None or toolbox.to_approve(name, arguments) is None:
        return await toolbox.dispatch(name, arguments, api_key=key)
    return await toolbox.dispatch(name, arguments, api_key=key, consent=lambda request: approved)


def _key(run: object) -> str | None:
    """The run's own key, or None; a run whose key is blank does not fall back to another's."""
    held = run.get(RUN_KEY) if isinstance(run, Mapping) else getattr(run, RUN_KEY, None)
    if held is None:
        return None
    key = held.get_secret_value() if hasattr(held, "get_secret_value") else held
    if not isinstance(key, str) or not key.strip():
        raise InputError("tools", [Problem("host", f"gave this run a blank {RUN_KEY}; whoever runs it has to set it")])
    return key
