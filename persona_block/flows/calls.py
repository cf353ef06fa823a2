"""Operations as durable steps of a flow: one call, the pages of a list, and one call for each of many rows."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..call.inputs import prepare
from ..call.paging import pagination
from ..call.result import Stopwatch, ToolResult, failed_result
from ..errors import InputError, PersonaError, Problem, ResponseError
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from .engine import Engine, current
from .lookup import look_up
from .order import in_order
from .step import Step, durable, next_step
from .workfiles import step_files

if TYPE_CHECKING:
    from ..typed.flows import as_call, as_map, as_pages
else:
    as_call = as_map = as_pages = lambda function: function

logger = logging.getLogger("persona_block.flows")

Output = dict[str, Any]
Params = Mapping[str, Any]

KEY_LIFETIME = 23 * 3600.0
"""Seconds for which a write can be sent again under its idempotency key: Persona keeps that for 24 hours."""
_RESOURCE_ID = re.compile(r"(?:act|inq|rep|case|ver|doc|txn|mprt)_[A-Za-z0-9]+")


@as_call
async def call(operation: str, params: Params | None = None, *, step: str | None = None) -> Output:
    """Return the output of one call of `operation`, as a durable step of a workflow; raises PersonaError.

    step: the name of the step, by default the operation's. Name and use, in the order of the uses of a name, make the step's
        idempotency key; so a deploy may put steps before it, and must not rename it while flows are on their way to it.

    After a crash, a call whose answer was lost is sent again under its key, and where that may be older than Persona keeps
    keys, the object is looked for first. Raises InputError for an API key among the params: they are stored, and the runner
    of the engine has the key.
    """
    spec = named(operation, params)
    place = next_step(step or spec.name)
    with in_order():
        return await perform(spec, dict(params or {}), place)


@as_pages
async def pages(operation: str, params: Params | None = None, *, step: str | None = None) -> AsyncIterator[Output]:
    """Yield every page of a list operation, each a durable step; raises PersonaError.

    step: the name of the steps, by default the operation's.
    """
    spec = named(operation, params)
    paging = pagination(spec)
    request = {paging.size: spec.params[paging.size].maximum, **(params or {})}
    whole = next_step(step or spec.name)
    seen: set[Any] = {request.get(paging.cursor)}
    number = 0
    while True:
        with in_order():
            page = await perform(spec, request, whole.at(number))
        yield page
        cursor = page[paging.next]
        if cursor is None:
            return
        if cursor in seen:
            message = f"Persona gave {spec.name} the same cursor twice, so its pages would never end."
            raise ResponseError(message, took_effect=None)
        seen.add(cursor)
        request = {**request, paging.cursor: cursor}
        number += 1


@as_map
async def map(operation: str, rows: Iterable[Params], *, step: str | None = None) -> list[ToolResult]:
    """Return the envelope of `operation` for each row of params, in their order; no row's failure is raised.

    rows: params; each is a durable step of its own, and as many run at once as the engine's settings say.
    step: the name of the steps, by default the operation's.
    """
    spec = named(operation, None)
    whole = next_step(step or spec.name)

    async def one(index: int, params: Params) -> ToolResult:
        watch = Stopwatch()
        try:
            named(operation, params)
            output = await perform(spec, dict(params), whole.at(index))
        except PersonaError as error:
            return failed_result(error, watch)
        return ToolResult(success=True, output=output, timing=watch.timing())

    # The engine counts steps as they begin, so all of them begin in the order of the rows.
    with in_order():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(index, params)) for index, params in enumerate(rows)]
    return [task.result() for task in tasks]


def named(operation: Any, params: Any) -> ToolSpec:
    """Return the spec of an operation; raises InputError where there is none, and for params that a flow cannot keep."""
    if not isinstance(operation, str):
        raise InputError("operation", [Problem("operation", "must be the name of an operation")])
    spec = catalog.load(operation)
    if params is not None and not isinstance(params, Mapping):
        raise InputError(spec.name, [Problem("params", "must be an object of params by name")])
    if API_KEY_PARAM in (params or {}):
        message = "is stored with the flow if it is a param; give it to the runner of the engine instead"
        raise InputError(spec.name, [Problem(API_KEY_PARAM, message, "unknown")])
    return spec


async def perform(spec: ToolSpec, params: dict[str, Any], step: Step) -> Output:
    """Return the output of one call at a step that is known; raises PersonaError."""

    async def made() -> Output:
        return await attempt(current(), spec, params, step)

    output: Output = await durable(step.label, made)
    return output


async def attempt(engine: Engine, spec: ToolSpec, params: dict[str, Any], step: Step) -> Output:
    """Make the call of a step, which an earlier run may have made before."""
    if spec.effect == "read":
        output = await _sent(engine, spec, params, step)
        await asyncio.to_thread(engine.tables.note_dealt_with, step.workflow_id, resource_ids(params, output))
        return output
    intent = await asyncio.to_thread(engine.tables.mean, step.key, step.workflow_id, engine.now())
    is_stale = engine.now() - intent.meant_at > KEY_LIFETIME
    if is_stale or (not intent.is_new and spec.request.method != "POST"):
        found = await _found(engine, spec, params, step, intent.meant_at)
        if found is not None:
            return found
        await asyncio.to_thread(engine.tables.mean_anew, step.key, engine.now())
    try:
        output = await _sent(engine, spec, params, step)
    except PersonaError as error:
        # Persona repeats a 500 under its key for good, so nothing but looking tells whether it took effect.
        if error.took_effect != "unknown" or error.retryable:
            raise
        found = await _found(engine, spec, params, step, intent.meant_at)
        if found is None:
            raise
        return found
    await _done(engine, spec, params, step, output)
    return output


async def _sent(engine: Engine, spec: ToolSpec, params: dict[str, Any], step: Step) -> Output:
    files = step_files(engine.settings.files, step.workflow_id, step.key) if spec.file_source else None
    return await engine.runner.call(spec.name, params, idempotency_key=f"flow-{step.key}", store=files, overwrite=True)


async def _found(engine: Engine, spec: ToolSpec, params: dict[str, Any], step: Step, since: float) -> Output | None:
    """Return the output of a write that took effect in an earlier run; None where it did not."""

    async def claimed(ids: list[str]) -> set[str]:
        return await asyncio.to_thread(engine.tables.claimed, ids, step.key)

    sent = prepare(spec, params)
    while True:
        output = await look_up(spec, sent, since, engine.runner.call, claimed)
        if output is None:
            return None
        made = _made_by(spec, output)
        # Another flow that looks at the same time may have found the same object.
        if made is None or await asyncio.to_thread(engine.tables.claim, step.key, made):
            break
    logger.warning(
        "%s of flow %s: %s was meant %.0f s ago, and was found at Persona instead of being sent again",
        step.label,
        step.workflow_id,
        spec.name,
        engine.now() - since,
    )
    await _done(engine, spec, params, step, output, found=True)
    return output


async def _done(engine: Engine, spec: ToolSpec, params: Params, step: Step, output: Output, *, found: bool = False) -> None:
    """Note what a write dealt with and made, and have the engine's copies deleted of what it erased at Persona."""
    made = _made_by(spec, output)
    ids = resource_ids(params, output)
    await asyncio.to_thread(engine.tables.note_written, step.workflow_id, ids, step.key, made, found)
    if spec.effect == "erase":
        await asyncio.to_thread(engine.tables.mark_for_erasure, list(_ids_in(params)))


def resource_ids(params: Params, output: Output) -> list[str]:
    """Return the ids of the objects that a call dealt with: those in its params and output, with their accounts."""
    ids = list(_ids_in(params))
    for value in output.values():
        for resource in value if isinstance(value, list) else [value]:
            if isinstance(resource, Mapping):
                ids += _ids_in({name: resource.get(name) for name in ("id", "accountId", "inquiryId")})
    return ids


def _made_by(spec: ToolSpec, output: Output) -> str | None:
    """Return the id of the object that a call made; None for a call on an object that was there."""
    if "{" in spec.request.path:
        return None
    return next((value["id"] for value in output.values() if isinstance(value, Mapping) and "id" in value), None)


def _ids_in(values: Mapping[str, Any]) -> Iterator[str]:
    texts = (value.strip() for value in values.values() if isinstance(value, str))
    return (text for text in texts if _RESOURCE_ID.fullmatch(text))
