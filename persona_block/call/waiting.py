"""Waiting for what an operation reads, or what it started, by reading it again and again."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, PersonaError, Problem, WaitError, WaitFailed, WaitTimedOut
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Then, ToolSpec, Wait
from .caller import Caller, Output, Params
from .hints import status_hints
from .parse import first
from .trace import Trace

GROWTH = 1.5
"""How much longer each pause between two looks is than the one before, where the caller names none."""
LONGEST_PAUSE = 60.0
"""Seconds between two looks at most, where the caller names none, and between two that fail."""
LAST_LOOK = 1.0
"""Seconds that a look may take even where the deadline comes first."""

Until = Collection[str] | Callable[[Output], bool]
"""What is waited for: statuses, or a function of the output."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and for what; None takes what the spec says.

    delay: seconds between two looks, always the same.
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
            if value is not None and not (type(value) in (int, float) and 0 <= value <= sys.float_info.max)
        ]
        if isinstance(self.until, str):
            object.__setattr__(self, "until", (self.until,))
        if not (self.until is None or callable(self.until) or _are_statuses(self.until)):
            problems.append(Problem("until", "must be one status or more, or a function of the output"))
        elif inspect.iscoroutinefunction(self.until):
            problems.append(Problem("until", "must be a plain function of the output, and not an async one"))
        if problems:
            raise InputError("wait", problems)

    def pause(self, wait: Wait, number: int) -> float:
        """Return the seconds to pause after look number `number`, from 1."""
        if self.delay is not None:
            return self.delay
        longest = max(wait.delay, LONGEST_PAUSE)
        return min(longest, wait.delay * GROWTH ** min(number - 1, 100))

    def seconds(self, wait: Wait) -> float:
        """Return the seconds to wait in all."""
        if self.deadline is not None:
            return self.deadline
        return wait.attempts * (wait.delay if self.delay is None else self.delay)


AS_THE_SPEC_SAYS = Patience()


async def wait(
    caller: Caller,
    spec: ToolSpec,
    params: Params,
    trace: Trace,
    patience: Patience = AS_THE_SPEC_SAYS,
    idempotency_key: str | None = None,
) -> Output:
    """Return the output once what `spec` reads, or what it started, has come to what is waited for.

    Raises WaitFailed where it ended otherwise and WaitTimedOut where it did not end in time, each with the last output.
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
    """Look again and again: a look that fails in a way that may pass is made again, ever later."""
    if spec.wait is None:
        raise InputError(spec.name, [Problem("operation", "has nothing to wait for")])
    if patience.until is not None and not callable(patience.until):
        for hint in status_hints(spec.wait, patience.until):
            trace.hint(hint)
    loop = asyncio.get_running_loop()
    ends = loop.time() + patience.seconds(spec.wait)
    output: Output = {}
    looks = failures = 0
    while True:
        failure: PersonaError | None = None
        pause = 0.0
        try:
            # The first look has the whole time of a call, so that one is always made.
            async with asyncio.timeout_at(max(ends, loop.time() + LAST_LOOK) if looks + failures else None):
                output = await caller.call(spec.name, params, trace)
        except TimeoutError:
            raise _timed_out(spec, output, None) from None
        except PersonaError as error:
            if not error.retryable:
                raise error.revised(output=error.output or output) from None
            failure = error
            failures += 1
            pause = max(_failure_pause(patience, spec.wait, failures), error.retry_after or 0.0)
        else:
            looks, failures = looks + 1, 0
            pause = patience.pause(spec.wait, looks)
            trace.tell(f"{spec.name}: {_status(output, spec.wait)}", **_counts(output, spec.wait, ends - loop.time()))
            if _is_reached(output, spec, spec.wait, patience.until):
                return output
        left = ends - loop.time()
        if left <= 0:
            raise _timed_out(spec, output, failure)
        pause = min(pause, left)
        if failure is not None:
            trace.tell(f"{spec.name}: {_briefly(failure)}, looking again in {pause:.0f} s", time_left=left)
        await asyncio.sleep(pause)


def _is_reached(output: Output, spec: ToolSpec, wait: Wait, until: Until | None) -> bool:
    """Return whether the output is what is waited for; raises WaitFailed where it cannot become that by itself."""
    status = first(output, wait.for_)
    if until is None:
        reached, is_over = status in wait.success, status in wait.failure
    else:
        reached = _holds(until, output, spec) if callable(until) else status in until
        is_over = status in wait.final
    if is_over and not reached:
        raise WaitFailed(f"{spec.name} ended as {status}.", output=output)
    return reached


def _holds(until: Callable[[Output], bool], output: Output, spec: ToolSpec) -> bool:
    try:
        return truth(until, output)
    except Exception as error:  # what was started must not get lost with it
        raise WaitError(f"{spec.name}: until failed with {type(error).__name__}.", output=output) from error


def truth(until: Callable[[Output], object], output: Output) -> bool:
    """Return whether a function holds for an output; raises TypeError where it gives an awaitable, which is always true."""
    held = until(output)
    if inspect.isawaitable(held):
        if inspect.iscoroutine(held):
            held.close()
        raise TypeError("until gave something to await")
    return bool(held)


def _briefly(error: PersonaError) -> str:
    """Return what kind of error it is; its message may repeat what Persona wrote."""
    status = error.details()["status"]
    return error.kind.replace("_", " ") if status is None else f"{error.kind.replace('_', ' ')} (status {status})"


def _failure_pause(patience: Patience, wait: Wait, failures: int) -> float:
    """Return the seconds to pause after so many looks that failed in a row."""
    return min(LONGEST_PAUSE, max(patience.pause(wait, 1), 1.0) * 2.0 ** min(failures - 1, 100))


def _timed_out(spec: ToolSpec, output: Output, failure: PersonaError | None) -> WaitTimedOut:
    wait_longer = "wait longer, or read it again later."
    if failure is not None:
        return WaitTimedOut(
            f"{spec.name} could not be read until the deadline; {wait_longer} {failure.message}", output=output
        )
    status = _status(output, spec.wait) if output and spec.wait else "not read"
    return WaitTimedOut(f"{spec.name} is still {status}; {wait_longer}", output=output)


def _status(output: Output, wait: Wait) -> str:
    status = first(output, wait.for_)
    return "without a status" if status is None else str(status)


def _counts(output: Output, wait: Wait, time_left: float) -> dict[str, Any]:
    """Return what an output tells of its progress, as the counts of an update."""
    counted = {name: first(output, pointer) for name, pointer in wait.counts.items()}
    return {name: count for name, count in counted.items() if type(count) is int} | {"time_left": max(0.0, time_left)}


def _are_statuses(value: Any) -> bool:
    return isinstance(value, Collection) and bool(value) and all(isinstance(each, str) and each for each in value)


def _after_start(error: PersonaError, spec: ToolSpec, then: Then, started: Output, ids: Output) -> PersonaError:
    """Return an error of the waiting that does not read as if nothing had been started: sent again, it would start another."""
    named = ", ".join(f"{name} {value}" for name, value in ids.items())
    message = f"{spec.name} was done, but waiting for it was not: {error.message} Go on with {then.operation} ({named})."
    return error.revised(message, output=error.output or started, took_effect="yes", retryable=False)
