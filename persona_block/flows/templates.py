"""Workflow templates as durable flows: the document is pinned in the flow's input, the interpreter's version in its name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dbos import DBOS, SetWorkflowID

from ..call.waiting import Patience
from ..errors import WaitTimedOut
from .calls import named, perform
from .checker import check
from .document import Actions, Place, run_document
from .engine import current
from .naming import template_workflow
from .order import in_order
from .people import ask_at, notify_at, store_at
from .serialization import pinned
from .step import Step, next_step
from .waits import wait_at


async def template(
    document: Mapping[str, Any], inputs: Mapping[str, Any], *, workflow_id: str | None = None
) -> dict[str, Any]:
    """Run a workflow document as a durable flow, and return what each step gave, by step id.

    document: a template of the manifest, or one of the same grammar.
    inputs: by name; they are stored with the flow, so no key is one of them.
    workflow_id: the flow's id; with that of a flow which was started before, this waits for its end. The default is a new one.

    Within a workflow it is a workflow of its own, and goes on with it. Raises InputError with every problem of document and
    inputs before anything runs, and PersonaError where a step failed.
    """
    with in_order(is_several=True):
        handle = await _started(document, inputs, workflow_id)
        results: dict[str, Any] = await handle.get_result()
    return results


async def start_template(document: Mapping[str, Any], inputs: Mapping[str, Any], *, workflow_id: str | None = None) -> str:
    """Start a flow as `template` does, in this process and at once, and return its id without waiting for its end."""
    with in_order():
        return str((await _started(document, inputs, workflow_id)).get_workflow_id())


async def _started(document: Mapping[str, Any], inputs: Mapping[str, Any], workflow_id: str | None) -> Any:
    check(document, inputs)
    # Of its own from the first run on: what the caller does to theirs later would change a flow that is under way.
    arguments = pinned(document, "document"), pinned(inputs, "inputs")
    engine = current()
    if workflow_id is None:
        return await DBOS.start_workflow_async(run_version_1, *arguments)
    await engine.client.refuse_over(workflow_id)
    with SetWorkflowID(workflow_id):
        return await DBOS.start_workflow_async(run_version_1, *arguments)


@DBOS.workflow(name=template_workflow(1), max_recovery_attempts=None)
async def run_version_1(document: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """Run a document on version 1 of the interpreter."""
    engine = current()
    engine.watch(asyncio.current_task())
    return await run_document(document, inputs, Actions(_call, _wait, _host))


def _step(place: Place) -> Step:
    """Return the durable step of a place: that of the document's step, with the entry's position, whatever came before."""
    workflow_id = DBOS.workflow_id
    if workflow_id is None:
        return next_step(place.step)
    return Step(workflow_id, place.step, 1, place.index)


async def _call(operation: str, params: dict[str, Any], place: Place) -> dict[str, Any]:
    return await perform(named(operation, params), params, _step(place))


async def _wait(operation: str, params: dict[str, Any], place: Place, limit: Mapping[str, Any] | None) -> dict[str, Any]:
    patience = Patience(deadline=limit["seconds"] if limit else None)
    try:
        return await wait_at(named(operation, params), params, _step(place), patience)
    except WaitTimedOut as error:
        if limit is None or limit["then"] != "continue":
            raise
        return error.output


async def _host(kind: str, texts: dict[str, Any], place: Place) -> dict[str, Any]:
    step, to = _step(place), texts["to"]
    if kind == "notify":
        await notify_at(to, texts["text"], step, computed=place.computed_target)
        return {}
    if kind == "store":
        url = await store_at(texts["content"], to, texts["text"], step, computed=place.computed_target)
        return {"url": url}
    timeout = texts.get("timeout")
    seconds = timeout["seconds"] if timeout else None
    try:
        reply = await ask_at(to, texts["text"], texts["options"], seconds, step, computed=place.computed_target)
    except WaitTimedOut:
        if timeout is None or timeout["answer"] is None:
            raise
        return {"answer": timeout["answer"], "comment": None}
    return {"answer": reply.answer, "comment": reply.comment}
