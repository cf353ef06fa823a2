"""The command `flow campaign`: a flow for each row of a CSV file, with a live bar, and a report at the end."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..call.progress import ProgressUpdate
from ..errors import InputError
from .exits import FAILURE, INTERRUPTED, SUCCESS
from .flow_offline import offline
from .flow_options import client_of, database_of, document_of, flows_installed, inputs_of
from .flow_run import engine_of, show_warnings
from .output import harmless
from .progress import progress_display
from .terminal import is_terminal, print_error, print_lines

if TYPE_CHECKING:
    from ..flows import FlowClient
    from ..flows.campaign import Campaign

_LOOK = 1.0
"""Seconds between two looks at how the flows stand."""
_WINDOW = 60.0
"""Seconds over which the rate is taken."""


def campaign(arguments: argparse.Namespace) -> int:
    """Start what is not started yet, and show how the flows stand until all have ended."""
    from ..flows.campaign import campaign as read_campaign

    with flows_installed():
        document = document_of(arguments.name)
        label = arguments.campaign or f"{Path(arguments.name).stem}: {Path(arguments.items).stem}"
        constants = inputs_of(arguments, document)
        found = read_campaign(label, document, arguments.items, constants, row_key=arguments.row_key)
        if arguments.report:
            _check_writable(arguments.report)
        show_warnings()
        try:
            return asyncio.run(_run(arguments, found))
        except KeyboardInterrupt:
            print_error("", "Interrupted. The same command goes on; no row is started twice.")
            return INTERRUPTED


async def _run(arguments: argparse.Namespace, found: Campaign) -> int:
    if found.repeated:
        print_error(f"Rows that say what one before them says, and so start no flow of their own: {found.repeated}")
    async with _client(arguments) as client:
        known = sum((await _counts(client, found)).values())
        try:
            await client.start_many(found.document, found.runs())
            started = sum((await _counts(client, found)).values())
            print_error(f"Campaign {found.name}: {len(found.rows)} rows, {started - known} started now, {known} before")
            if not arguments.start_only:
                await _watch(client, found)
        finally:
            if arguments.report:
                await _report(client, found, Path(arguments.report))
        standing = await _counts(client, found)
    print_lines(", ".join(f"{number} {state}" for state, number in standing.items() if number))
    return FAILURE if standing["failed"] else SUCCESS


@asynccontextmanager
async def _client(arguments: argparse.Namespace) -> AsyncIterator[FlowClient]:
    """Give a client, with flows run in this process unless another one runs those of the file."""
    if arguments.start_only:
        async with client_of(arguments) as client:
            yield client
        return
    with offline(arguments) as played:
        try:
            async with engine_of(arguments, played) as engine:
                yield engine.client
        except InputError as error:
            if not any(problem.param == "database" and "another process" in problem.message for problem in error.problems):
                raise
        else:
            return
    print_error(f"Another process runs the flows of {_shown(database_of(arguments))}; this one starts and watches them.")
    async with client_of(arguments) as client:
        yield client


def _shown(database: str) -> str:
    return database.rpartition("@")[2]


async def _counts(client: FlowClient, found: Campaign) -> Mapping[str, int]:
    from ..flows.overview import counts

    return await counts(client, found.prefix)


async def _watch(client: FlowClient, found: Campaign) -> None:
    """Show how the flows stand until all have ended."""
    display = progress_display()
    ended_at: deque[tuple[float, int]] = deque()
    shown: Mapping[str, int] | None = None
    try:
        while True:
            standing = await _counts(client, found)
            done, failed = standing["done"], standing["failed"] + standing["cancelled"]
            ended_at.append((time.monotonic(), done + failed))
            while len(ended_at) > 2 and ended_at[-1][0] - ended_at[0][0] > _WINDOW:
                ended_at.popleft()
            took, ended = ended_at[-1][0] - ended_at[0][0], ended_at[-1][1] - ended_at[0][1]
            rate = ended / took if took else 0.0
            # Not what is missing of the rows: flows that ended long ago are deleted by and by.
            left = standing["waiting"] + standing["running"] + standing["queued"]
            if not is_terminal(sys.stderr) and standing == shown:
                await asyncio.sleep(_LOOK)
                continue
            shown = standing
            display.show(
                ProgressUpdate(
                    f"{standing['waiting']} waiting, {standing['running']} running, {standing['queued']} queued",
                    done=done,
                    failed=failed,
                    total=len(found.rows),
                    rate=rate,
                    time_left=left / rate if rate else None,
                )
            )
            if left <= 0:
                return
            await asyncio.sleep(_LOOK)
    finally:
        display.close()


def _check_writable(report: str) -> None:
    folder = Path(report).resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        from ..errors import Problem

        raise InputError("campaign", [Problem("--report", "must be a file in a folder that is there and can be written to")])


async def _report(client: FlowClient, found: Campaign, path: Path) -> None:
    """Write how each row stands; the file appears whole, and only its owner can read it."""
    from ..flows.overview import flows_by_id

    columns = list(found.document.get("inputs", {}))
    flows = await flows_by_id(client, [row.workflow_id for row in found.rows])
    over = await client.over([row.workflow_id for row in found.rows if row.workflow_id not in flows])
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["row", *columns, "flow", "state", "started", "ended", "waits for"])
    for row in found.rows:
        flow = flows.get(row.workflow_id)
        cells = [str(row.number), *(_cell(row.inputs.get(name)) for name in columns), row.workflow_id]
        if flow is None:
            cells += ["deleted after its end" if row.workflow_id in over else "not started", "", "", ""]
        else:
            waits = [each.resource_id for each in flow.waits] + ["an answer" for _ in flow.questions]
            cells += [flow.state, _time(flow.created_at), _time(flow.ended_at), "; ".join(waits)]
        writer.writerow([harmless(cell) for cell in cells])
    written = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(lines.getvalue())
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)
    print_error(f"How each row stands is in {path}")


def _cell(value: object) -> str:
    import json

    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
