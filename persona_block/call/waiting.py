"""Waiting for what an operation reads, or what it started, by reading it again and again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..errors import InputError, PersonaError, Problem, WaitFailed, WaitTimedOut
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Then, ToolSpec
from .caller import Caller, Output, Params
from .parse import first
from .trace import Trace

Until = Collection[str] | Callable[[Output], bool]
"""What is waited for: statuses, or a function of the output."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and for what; None takes what the spec says.

    delay: seconds between two looks.
    deadline: seconds in all.
    until: the statuses to wait for, or a function of the output.
    """

    delay: float | None = None
    deadline: float | None = None
    until: Until | None = None

    def __post_init__(self) -> None:
        problems = [
            Problem(name, "must be a number of seconds, at least 0")
            for name, value in (("delay", self.delay), ("deadline", self.deadline))
            if value is not None and not (type(value) in (int, float) and 0 <= value < math.inf)
        ]
        if problems:
            raise InputError("wait", problems)


AS_THE_SPEC_SAYS = Patience()


async def wait(
    caller: Caller,
    spec: ToolSpec,
    params: Params,
    trace: Trace,
    patience: Patience = AS_THE_SPEC_SAYS,
    idempotency_key: str | None = None,
) -> Output:
    """Return the output once what `spec` reads, or what it started, has ended well.

    Raises WaitFailed where it ended badly and WaitTimedOut where it did not end in time, each with the last output.
    """
    if spec.then is None:
        return await _poll(caller, spec, params, trace, patience)
    started = await caller.call(spec.name, params, trace, idempotency_key)
    ids = {name: first(started, pointer) for name, pointer in spec.then.params.items()}
    api_key = {name: value for name, value in params.items() if name == API_KEY_PARAM}
    try:
        return await wait(caller, catalog.load(spec.then.operation), api_key | ids, trace, patience)
    except PersonaError as error:
        raise _after_start(error, spec, spec.then, started, ids) from None


async def _poll(caller: Caller, spec: ToolSpec, params: Params, trace: Trace, patience: Patience) -> Output:
    if spec.wait is None:
        raise InputError(spec.name, [Problem("operation", "has nothing to wait for")])
    delay = spec.wait.delay if patience.delay is None else patience.delay
    loop = asyncio.get_running_loop()
    ends = loop.time() + (delay * spec.wait.attempts if patience.deadline is None else patience.deadline)
    while True:
        output = await caller.call(spec.name, params, trace)
        status = first(output, spec.wait.for_)
        trace.tell(f"{spec.name}: {status}")
        if status in spec.wait.success:
            return output
        if status in spec.wait.failure:
            raise WaitFailed(f"{spec.name} ended as {status}.", output=output)
        if loop.time() + delay > ends:
            raise WaitTimedOut(f"{spec.name} is still {status}; wait longer, or read it again later.", output=output)
        await asyncio.sleep(delay)


def _after_start(error: PersonaError, spec: ToolSpec, then: Then, started: Output, ids: Output) -> PersonaError:
    """Return an error of the waiting that does not read as if nothing had been started: sent again, it would start another."""
    named = ", ".join(f"{name} {value}" for name, value in ids.items())
    message = f"{spec.name} was done, but waiting for it was not: {error.message} Go on with {then.operation} ({named})."
    return error.revised(message, output=error.output or started, took_effect="yes", retryable=False)
