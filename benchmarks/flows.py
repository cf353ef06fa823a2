"""What durable flows cost: `python -m benchmarks.flows`, on an SQLite file and, where Postgres is installed, on Postgres.

Printed for each database: a step, flows started a second, memory of a waiting flow, what the process needs while they wait,
flows woken a second, and what a restart with waiting flows takes. An offline Persona in this process answers the calls.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbos import DBOS

from persona_block import Sandbox, flows, operation
from persona_block.flows import Engine, Settings
from persona_block.sandbox import TEMPLATES
from persona_block.webhooks import Event
from tests.support.flow_ports import People, ports
from tests.support.postgres import Cluster, programs

STEPS = 300
IDLE = 10.0
"""Seconds for which the flows are watched while they wait."""
MINUTES = 60.0

DOCUMENT: dict[str, Any] = {
    "inputs": {"inquiryId": {"type": "string"}, "team": {"type": "string"}},
    "steps": [
        {"id": "outcome", "operation": "get_inquiry", "params": {"inquiryId": "{input.inquiryId}"}, "wait": True},
        {"id": "tell", "host": "notify", "to": "{input.team}", "text": "It ended as {outcome.inquiry.status}."},
    ],
}


@DBOS.workflow(name="benchmark_steps")
async def _steps(number: int) -> None:
    for _ in range(number):
        await flows.notify("#team", "a step")


async def measure(database: str, waiting: int, folder: Path) -> None:
    """Print what flows cost on one database, so many of them waiting."""
    people = People()
    with Sandbox() as sandbox:
        inquiry_ids = await _inquiries(sandbox, waiting)

        def engine() -> Engine:
            settings = Settings(files=str(folder / "work"), first_poll=10 * MINUTES, executor_id="benchmark")
            return Engine(database, runner=sandbox.runner, ports=ports(people), settings=settings)

        async with engine() as running:
            began = time.perf_counter()
            handle = await DBOS.start_workflow_async(_steps, STEPS)
            await handle.get_result()
            _print("a step", (time.perf_counter() - began) / STEPS * 1000, "ms")

            memory, began = _memory(), time.perf_counter()
            runs = [(f"flow-{each}", {"inquiryId": each, "team": "#team"}) for each in inquiry_ids]
            await running.client.start_many(DOCUMENT, runs)
            _print("starting", len(runs) / (time.perf_counter() - began), "flows a second")
            await _until(lambda: _count_waiting(running, waiting))
            await asyncio.sleep(2)
            _print("until all wait", time.perf_counter() - began, "s")
            _print("memory of a waiting flow", (_memory() - memory) / waiting / 1024, "KB")
            _print("while they wait", await _cpu(IDLE), "% of a core")
        reads, began = len(sandbox.requests), time.perf_counter()
        async with engine() as running:
            await _until_settled()
            _print("restart with them", time.perf_counter() - began, "s")
            _print("requests of the restart", len(sandbox.requests) - reads, "")
            for each in inquiry_ids:
                sandbox.complete(each)
            told, began = len(people.sent), time.perf_counter()
            for number, each in enumerate(inquiry_ids):
                await running.client.deliver(_event(number, each))
            _print("delivering their events", time.perf_counter() - began, "s")
            await _until(lambda: _are_told(people, told + waiting))
            _print("until all are woken", time.perf_counter() - began, "s")
            _print("waking", waiting / (time.perf_counter() - began), "flows a second")


async def _inquiries(sandbox: Sandbox, number: int) -> list[str]:
    async with sandbox.runner() as runner:
        params = [{"inquiryTemplateId": TEMPLATES.inquiry, "referenceId": f"c-{each}"} for each in range(number)]
        outputs = [await runner.call(operation("create_inquiry"), each) for each in params]
    return [output["inquiry"]["id"] for output in outputs]


def _event(number: int, inquiry_id: str) -> Event:
    data = {"attributes": {"status": "completed"}}
    return Event(f"evt_{number}", "inquiry.completed", dt.datetime.now(dt.UTC), "inquiry", inquiry_id, data, (), {})


async def _count_waiting(running: Engine, number: int) -> bool:
    return len(await running.client.waiting()) >= number


async def _are_told(people: People, number: int) -> bool:
    return len(people.sent) >= number


async def _until(condition: Callable[[], Any]) -> None:
    for _ in range(6000):
        if await condition():
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("it did not happen in ten minutes")


async def _until_settled() -> None:
    """Wait until this process has little to do for a second."""
    while await _cpu(1.0) > 35:
        pass


async def _cpu(seconds: float) -> float:
    before = time.process_time()
    await asyncio.sleep(seconds)
    return (time.process_time() - before) / seconds * 100


def _memory() -> int:
    """Return the memory that this process holds, in bytes."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _print(what: str, value: float, unit: str) -> None:
    print(f"  {what:<28} {value:8.1f} {unit}", flush=True)


def main(arguments: list[str]) -> int:
    """Measure both databases, or the one that is named, and return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], help="measure this one alone")
    parser.add_argument("--waiting", type=int, default=1000, help="how many flows wait, by default 1000")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.database in (None, "sqlite"):
            print("SQLite")
            asyncio.run(measure(str(folder / "flows.sqlite"), chosen.waiting, folder))
        if chosen.database == "postgres" or (chosen.database is None and programs() is not None):
            print("Postgres")
            with Cluster(durable=True) as cluster:
                asyncio.run(measure(cluster.database(), chosen.waiting, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
