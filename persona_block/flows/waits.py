"""Waiting at Persona as a durable step of a flow: for minutes or weeks, through crashes and deploys."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbos import DBOS

from ..call.parse import first
from ..call.waiting import Patience, Until, truth
from ..errors import InputError, PersonaError, Problem, WaitError, WaitFailed, WaitTimedOut
from ..spec import catalog
from ..spec.grammar import PLACEHOLDER, ToolSpec
from .calls import Output, Params, named, perform, resource_ids
from .engine import Engine, current
from .order import several
from .step import Step, durable, next_step
from .tables import Waiter

if TYPE_CHECKING:
    from ..typed.flows import as_wait
else:
    as_wait = lambda function: function  # noqa: E731


@as_wait
def wait(
    operation: str,
    params: Params | None = None,
    *,
    until: Until | None = None,
    timeout: float | None = None,
    step: str | None = None,
) -> Coroutine[Any, Any, Output]:
    """Return the output of `operation` once what it reads, or what it started, has come to an end, as durable steps.

    until: the statuses to wait for, or a function of the output that tells whether it is what is waited for; by default every
        ending of the operation's spec, of which the bad ones raise.
    timeout: seconds in all; None, the default, waits for as long as it takes.
    step: the name of the steps, by default the operation's.

    A webhook event that is delivered to the flow's engine or client ends the waiting at once. Without one, the flow looks by
    itself, ever more rarely. Raises WaitFailed where it ended otherwise than asked for and nothing changes any more by itself,
    WaitTimedOut where the time ran out, each with the last output, and PersonaError where a look failed for good.
    """
    spec = named(operation, params)
    patience = Patience(deadline=timeout, until=until)
    place = next_step(step or spec.name)
    return several(lambda: wait_at(spec, dict(params or {}), place, patience))


async def wait_at(spec: ToolSpec, params: dict[str, Any], step: Step, patience: Patience) -> Output:
    """Wait at a step that is known; arguments and errors are those of `wait`."""
    if spec.then is None:
        return await _outcome(spec, params, step, patience)
    started = await perform(spec, params, step)
    ids = {name: first(started, pointer) for name, pointer in spec.then.params.items()}
    try:
        return await _outcome(catalog.load(spec.then.operation), ids, step, patience)
    except PersonaError as error:
        raise error.revised(output=error.output or started, took_effect="yes", retryable=False) from None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One waiting: what is looked at, by which step, and for what."""

    spec: ToolSpec
    params: Mapping[str, Any]
    step: Step
    patience: Patience

    @property
    def topic(self) -> str:
        """Where messages wake it: a name of its own, so that those of another waiting do not."""
        return f"wait-{self.step.key}"

    def statuses(self) -> tuple[str, ...] | None:
        """Return the statuses that end it; None where a function of the output decides."""
        until, polled = self.patience.until, self.spec.wait
        if callable(until) or polled is None:
            return None
        if until is None:
            return (*polled.success, *polled.failure)
        return (*until, *polled.final)

    def resource_id(self) -> str | None:
        """Return the id of the object that is looked at; None where it is not a single one."""
        names = PLACEHOLDER.findall(self.spec.request.path)
        return str(self.params.get(names[0])) if len(names) == 1 else None

    def verdict(self, output: Output) -> str:
        """Return `reached`, `failed` or `open`."""
        until, polled = self.patience.until, self.spec.wait
        if callable(until):
            try:
                is_reached = truth(until, output)
            except Exception as error:  # it is the author's function
                raise WaitError(f"{self.spec.name}: until failed with {type(error).__name__}.", output=output) from None
            status = first(output, polled.for_) if polled else None
            return "reached" if is_reached else "failed" if polled and status in polled.final else "open"
        if polled is None:
            raise InputError(self.spec.name, [Problem("operation", "has nothing to wait for; give until a function")])
        status = first(output, polled.for_)
        if until is None:
            return "reached" if status in polled.success else "failed" if status in polled.failure else "open"
        return "reached" if status in until else "failed" if status in polled.final else "open"


async def _outcome(spec: ToolSpec, params: dict[str, Any], step: Step, patience: Patience) -> Output:
    waiting = _Waiting(spec, params, step, patience)
    if spec.wait is None and not callable(patience.until):
        raise InputError(spec.name, [Problem("operation", "has nothing to wait for; give until a function of the output")])
    settings = current().settings
    pause = settings.first_poll if settings.first_poll is not None else spec.wait.delay if spec.wait else 60.0
    ends: float | None = None
    while True:
        looked = await _look(waiting, ends)
        if looked["verdict"] == "reached":
            return dict(looked["output"])
        if looked["verdict"] == "failed":
            raise WaitFailed(f"{spec.name} ended as {looked['status']}.", output=looked["output"])
        if looked["verdict"] == "over":
            raise WaitTimedOut(f"{spec.name} is still {looked['status']}; the time to wait is over.", output=looked["output"])
        if ends is None:
            ends = math.inf if patience.deadline is None else looked["at"] + patience.deadline
        await DBOS.recv_async(waiting.topic, timeout_seconds=max(0.0, min(pause, ends - looked["at"])))
        pause = min(max(settings.longest_poll, pause), pause * 2)


async def _look(waiting: _Waiting, ends: float | None) -> dict[str, Any]:
    """Note that the flow waits, and look, as one durable step; raises PersonaError.

    Noted first, it misses no event: one that comes while it looks wakes it once more.
    """

    async def made() -> dict[str, Any]:
        engine = current()
        await _note(engine, waiting)
        at = engine.now()
        output = await engine.runner.call(waiting.spec.name, waiting.params)
        verdict = waiting.verdict(output)
        if verdict == "open" and ends is not None and at >= ends:
            verdict = "over"
        status = first(output, waiting.spec.wait.for_) if waiting.spec.wait else None
        if verdict == "open":
            # The output is not kept: a flow that waits for a month looks hundreds of times.
            return {"verdict": verdict, "at": at, "status": status}
        # The output is, and whoever it is about may be erased.
        ids = resource_ids(waiting.params, output)
        await asyncio.to_thread(engine.tables.note_dealt_with, waiting.step.workflow_id, ids)
        await asyncio.to_thread(engine.tables.end_wait, waiting.topic)
        return {"verdict": verdict, "at": at, "status": status, "output": output}

    looked: dict[str, Any] = await durable(f"{waiting.step.label}: look", made)
    return looked


async def _note(engine: Engine, waiting: _Waiting) -> None:
    resource_id = waiting.resource_id()
    if resource_id is not None:
        waiter = Waiter(
            topic=waiting.topic,
            workflow_id=waiting.step.workflow_id,
            resource_id=resource_id,
            step=waiting.step.label,
            statuses=waiting.statuses(),
            since=engine.now(),
        )
        await asyncio.to_thread(engine.tables.note_wait, waiter)
        await asyncio.to_thread(engine.tables.note_dealt_with, waiting.step.workflow_id, [resource_id])
