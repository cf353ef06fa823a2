"""The commands `flow run` and `flow worker`, which run flows in this process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import InputError, PersonaError, Problem
from .exits import FAILURE, INTERRUPTED, SUCCESS
from .flow_manage import check_id
from .flow_offline import Offline, offline
from .flow_options import database_of, document_of, encryption_keys_of, flows_installed, inputs_of
from .output import print_json
from .terminal import print_error, print_lines

if TYPE_CHECKING:
    from ..flows import Engine

_POLL = 0.2
"""Seconds between two looks at whether a flow has ended."""


@asynccontextmanager
async def engine_of(arguments: argparse.Namespace, played: Offline | None = None) -> AsyncIterator[Engine]:
    """Run flows of the command's database while the context lasts; raises InputError where this process cannot.

    played: the offline Persona, whose applicants are played meanwhile.
    """
    from ..credentials import KEY_VARIABLE, ApiKey
    from ..flows import Engine, Ports, Settings
    from ..runner import Runner

    if played is None and ApiKey.of_environment().is_absent:
        # Without one, every flow that comes to a call would fail for good.
        raise InputError(
            "flow", [Problem(KEY_VARIABLE, "set it to the API key that flows call Persona with, or use --sandbox")]
        )
    quick = {"first_poll": 0.5, "wake_poll": 0.1} if played else {}
    settings: dict[str, Any] = {
        "encryption_keys": encryption_keys_of(arguments),
        "concurrency": arguments.concurrency,
        "shared": arguments.shared,
        # What fails is told by the log of flows; the engine below would show tracebacks.
        "log_level": "CRITICAL",
        **quick,
    }
    if arguments.files:
        settings["files"] = arguments.files
    elif played:
        settings["files"] = str(played.files)
    if arguments.first_poll:
        settings["first_poll"] = float(arguments.first_poll)
    ports = Ports(played.notifiers()) if played else Ports()
    engine = Engine(
        database_of(arguments), runner=played.runner if played else Runner, ports=ports, settings=Settings(**settings)
    )
    async with engine:
        with played.playing() if played else nullcontext():
            yield engine


def run(arguments: argparse.Namespace) -> int:
    """Run a flow to its end, and print what came of it."""
    document = document_of(arguments.name)
    if not arguments.sandbox and (arguments.applicant or arguments.answer):
        option = "--applicant" if arguments.applicant else "--answer"
        raise InputError("flow", [Problem(option, "is only for --sandbox")])
    workflow_id = check_id(arguments.id) or str(uuid.uuid4())
    with flows_installed(), offline(arguments) as played:
        inputs = inputs_of(arguments, document)
        if played:
            inputs = played.with_defaults(document, inputs)
        from ..flows.checker import check

        check(document, inputs)
        show_warnings()
        try:
            return asyncio.run(_run(arguments, document, inputs, workflow_id, played))
        except KeyboardInterrupt:
            print_error(
                "", f"Interrupted. The flow goes on with: persona-block flow run {arguments.name} … --id {workflow_id}"
            )
            return INTERRUPTED


async def _run(
    arguments: argparse.Namespace,
    document: Mapping[str, Any],
    inputs: Mapping[str, Any],
    workflow_id: str,
    played: Offline | None,
) -> int:
    from ..flows import template

    began = time.monotonic()
    print_error(f"Flow {workflow_id}")
    async with engine_of(arguments, played) as engine:
        showing = asyncio.create_task(_show_steps(engine, workflow_id, partial(print_error)))
        try:
            results = await template(document, inputs, workflow_id=workflow_id)
        except PersonaError as error:
            print_error(f"The flow failed: {error.message}", f"  persona-block flow status {workflow_id}")
            return FAILURE
        finally:
            await asyncio.sleep(_POLL)
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
    if arguments.json:
        print_json(results)
        return SUCCESS
    for name, result in results.items():
        url = result.get("url") if isinstance(result, Mapping) else None
        if isinstance(url, str):
            print_lines(f"{name}: {url}")
    print_lines(f"Done in {time.monotonic() - began:.1f} s: {', '.join(results) or 'no step was taken'}")
    return SUCCESS


async def _show_steps(engine: Engine, workflow_id: str, show: Any) -> None:
    """Show each step once it is done; outputs are personal, and so are not shown."""
    from ..flows.overview import history

    shown: set[str] = set()
    while True:
        await asyncio.sleep(_POLL)
        try:
            told = await history(engine.client, workflow_id)
        except InputError:  # it is only about to be started
            continue
        for step in told.steps:
            for each in step.taken:
                if each.ended_at is None or each.label in shown or each.label in told.flow.waiting_steps:
                    continue
                shown.add(each.label)
                show(f"  {each.label:<12} {step.does:<22} {f'failed: {each.error}' if each.error else 'done'}")


def worker(arguments: argparse.Namespace) -> int:
    """Run the flows of a database until this is ended."""
    from ..sandbox.serving.interruption import interruption

    async def main() -> int:
        with offline(arguments) as played:
            async with engine_of(arguments, played) as engine:
                if played:
                    print_error(f"{engine.executor_id} runs the flows of the sandbox; Ctrl-C ends it.")
                else:
                    print_error(f"{engine.executor_id} runs flows; Ctrl-C ends it, and they go on with the next worker.")
                await interruption()
        return SUCCESS

    with flows_installed():
        show_warnings()
        return asyncio.run(main())


def show_warnings() -> None:
    """Have warnings of flows shown on stderr, where nobody has set up logging."""
    logger = logging.getLogger("persona_block.flows")
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
