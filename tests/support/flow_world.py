"""A small world for flows: an engine on a sandbox with stand-ins, and what happened in it."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from dbos import DBOS, SetWorkflowID

from persona_block import Sandbox
from persona_block.flows import Engine, Settings
from persona_block.webhooks import Event
from tests.support.flow_ports import People, Shelf, ports


def engine(
    database: str, sandbox: Sandbox, people: People | None = None, shelf: Shelf | None = None, **options: Any
) -> Engine:
    """Return an engine on a sandbox, with stand-ins for what it is wired to; options are those of Settings, and `runner`."""
    runner = options.pop("runner", sandbox.runner)
    settings = {"first_poll": 30.0, "wake_poll": 0.02, **options}
    return Engine(database, runner=runner, ports=ports(people or People(), shelf), settings=Settings(**settings))


async def started(workflow: Any, workflow_id: str, *arguments: Any) -> Any:
    """Start a workflow under an id, and return its handle."""
    with SetWorkflowID(workflow_id):
        return await DBOS.start_workflow_async(workflow, *arguments)


async def result(workflow_id: str) -> Any:
    """Return the result of a workflow that was started before."""
    handle: Any = await DBOS.retrieve_workflow_async(workflow_id)
    return await handle.get_result(polling_interval_sec=0.02)


async def until(condition: Any) -> Any:
    """Return what an async function gives, once that is something; raises AssertionError after ten seconds."""
    for _ in range(1000):
        found = await condition()
        if found:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def waiter(running: Engine) -> Any:
    """Return what a flow waits for, once one does."""
    return (await until(running.client.waiting))[0]


async def question(running: Engine) -> Any:
    """Return what a flow asks, once one does."""
    return (await until(running.client.questions))[0]


def writes(sandbox: Sandbox) -> list[str]:
    """Return the names of the changes at Persona, oldest first."""
    return [effect.name for effect in sandbox.effects]


def event_of(inquiry: dict[str, Any], number: int = 1, status: str | None = None) -> Event:
    """Return an event about an inquiry of an output, with its own status or another."""
    data = {"type": "inquiry", "id": inquiry["id"], "attributes": {"status": status or inquiry["status"]}}
    return Event(f"evt_{number}", "inquiry.changed", dt.datetime.now(dt.UTC), "inquiry", inquiry["id"], data, (), {})
