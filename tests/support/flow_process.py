"""A process of flows that kills itself at a chosen point, as a power cut would, and the next one that goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dbos import DBOS, SetWorkflowID

from persona_block import Runner, flows
from persona_block.files.rules import FileRules
from persona_block.flows import Content, Message, Reply, StoredRef
from tests.support.flow_ports import ports

Phase = Literal["before", "inside", "after"]
"""Before a step is begun, once it took effect and before that is noted, or once it is noted."""


@dataclass(frozen=True)
class Play:
    """One run of a flow in processes of its own: where, on what, and what its people say.

    record: the file that the stand-ins write down in what they are given, a line each.
    """

    database: str
    base_url: str
    api_key: str
    record: Path
    document: dict[str, Any]
    inputs: dict[str, Any]
    option: str
    options: dict[str, Any] = field(default_factory=dict)

    def lines(self) -> list[dict[str, Any]]:
        """Return what the stand-ins were given, oldest first."""
        return [json.loads(line) for line in self.record.read_text("utf-8").splitlines()] if self.record.exists() else []


def run(play: Play, kill_at: int | None = None, phase: Phase = "before", change: Callable[[], None] | None = None) -> Any:
    """Run a flow in a new process, to its end or to a point where the process kills itself; return what the flow gave.

    kill_at: which step that is made, counted from 1; None kills at none. change: called in the process before it begins.
    None is returned where it was killed; fewer steps than kill_at end the flow undisturbed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.flow_process", "persona_block.flows.templates", "persona_block.sandbox"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(play, kill_at, phase, change, theirs))
    process.start()
    theirs.close()
    try:
        told = ours.recv() if ours.poll(60) else {"error": "nothing happened for a minute"}
    except EOFError:
        told = None
    process.join(30)
    if process.exitcode == -signal.SIGKILL:
        return None
    if told is None or "error" in told:
        raise AssertionError(f"the process of the flow failed: {told}, exit code {process.exitcode}")
    return told["results"]


def _main(play: Play, kill_at: int | None, phase: Phase, change: Callable[[], None] | None, pipe: Any) -> None:
    logging.disable(logging.CRITICAL)
    if change is not None:
        change()
    if kill_at is not None:
        _kill_at(kill_at, phase)
    try:
        pipe.send({"results": asyncio.run(_flow(play))})
    except BaseException as error:
        pipe.send({"error": f"{type(error).__name__}: {error}"})
    finally:
        pipe.close()
    # A DBOS thread that is slow to end holds no one up.
    os._exit(0)


async def _flow(play: Play) -> Any:
    people = _Recorded(play)
    made = {"first_poll": 0.05, "wake_poll": 0.02, "executor_id": "tested", **play.options}
    engine = flows.Engine(
        play.database,
        runner=lambda: Runner(api_key=play.api_key, base_url=play.base_url, file_rules=FileRules(hosts=("127.0.0.1",))),
        ports=ports(people, people),  # type: ignore[arg-type]
        settings=flows.Settings(**made),
    )
    async with engine:
        with SetWorkflowID("one"):
            return await flows.template(play.document, play.inputs)


class _Recorded:
    """People and a store that write down each thing in a file before they answer."""

    def __init__(self, play: Play) -> None:
        self._play = play

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        self._note({"to": target, "text": message.text, "dedupeId": dedupe_id})
        chosen = self._play.option if self._play.option in message.options else None
        return Reply(chosen or message.options[0], "Looks right") if message.options else None

    async def put(self, content: Content, url: str, dedupe_id: str) -> StoredRef:
        self._note({"url": url, "name": content.name, "dedupeId": dedupe_id})
        return StoredRef(f"{url}/{dedupe_id}-{content.name}")

    def _note(self, line: dict[str, Any]) -> None:
        with self._play.record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _kill_at(number: int, phase: Phase) -> None:
    """Have this process kill itself at the step that it makes as number so and so."""
    original = DBOS.run_step_async
    made = 0

    async def counted(options: Any, function: Any, *arguments: Any) -> Any:
        is_reached = False

        async def step() -> Any:
            nonlocal made, is_reached
            made += 1
            is_reached = made == number
            if is_reached and phase == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            given = await function(*arguments)
            if is_reached and phase == "inside":
                os.kill(os.getpid(), signal.SIGKILL)
            return given

        given = await original(options, step)
        if is_reached and phase == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    DBOS.run_step_async = counted  # type: ignore[method-assign, assignment]
