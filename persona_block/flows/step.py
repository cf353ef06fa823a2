"""A durable step: its name and key, which stay the same through retries, crashes and deploys, and how it is tried again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import weakref
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSContextEnsure

from ..errors import InputError, PersonaError, Problem
from . import failures
from .engine import Engine, current
from .observe import Tries, observed_step

logger = logging.getLogger("persona_block.flows")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two tries of a step, doubling from the first to the longest."""

Made = Callable[[], Awaitable[Any]]

_counts: weakref.WeakKeyDictionary[Any, Counter[str]] = weakref.WeakKeyDictionary()
"""How often each step name was used so far, by run of a workflow."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a flow: its name, which use of the name it is, and the position of the entry that it is for, if any."""

    workflow_id: str
    name: str
    occurrence: int
    index: int | None = None

    @property
    def key(self) -> str:
        """A name for the step that is unique among all flows: 48 hex digits, made of the step's place and nothing else."""
        place = [self.workflow_id, self.name, str(self.occurrence), "" if self.index is None else str(self.index)]
        return hashlib.sha256("\x00".join(place).encode("utf-8", "backslashreplace")).hexdigest()[:48]

    @property
    def label(self) -> str:
        """The step as logs and the engine's table call it, such as `link`, or `print[3]` for an entry of a list."""
        repeated = self.name if self.occurrence == 1 else f"{self.name}#{self.occurrence}"
        return repeated if self.index is None else f"{repeated}[{self.index}]"

    def at(self, index: int) -> Step:
        """Return the same step for one entry of a list."""
        return Step(self.workflow_id, self.name, self.occurrence, index)


def next_step(name: str) -> Step:
    """Return the step of this name that a workflow is at.

    A name may be used again, in a loop say: then its uses are counted in the order in which they begin. Raises RuntimeError
    outside a workflow and within a step, where nothing is durable, and InputError for a name that is none.
    """
    if not isinstance(name, str) or not name or len(name) > 100:
        raise InputError("flows", [Problem("step", "must be a name of 1 to 100 characters")])
    workflow_id = DBOS.workflow_id
    if workflow_id is None or DBOS.step_status is not None:
        raise RuntimeError("a step of flows belongs into a function that is decorated with DBOS.workflow, outside its steps")
    with DBOSContextEnsure() as run:
        counts = _counts.setdefault(run, Counter())
    counts[name] += 1
    return Step(workflow_id, name, counts[name])


async def durable(label: str, made: Made, *, bounded: bool = True) -> Any:
    """Run a function as a durable step, and return what it gave as JSON data; a PersonaError is stored and raised alike.

    Done once, it is not done again: another run of the workflow gets what was stored. Killed before that was stored, it is
    done again. What fails in a way that may pass is tried again for as long as the engine's settings say.

    bounded: whether it is one of the calls that the engine's settings bound; a step that waits for a person is none.
    """
    engine = current()
    engine.watch(asyncio.current_task())

    async def kept() -> dict[str, Any]:
        tries = Tries()
        with observed_step(label, str(DBOS.workflow_id), tries) as ended:
            try:
                stored = {"output": await _tried(engine, label, made, bounded, tries)}
            except PersonaError as error:
                stored = {"error": failures.to_json(error)}
                ended(error)
        return stored if tries.made == 1 else {**stored, "tries": tries.made}

    stored = await DBOS.run_step_async({"name": label}, kept)
    if "error" in stored:
        raise failures.from_json(stored["error"])
    return stored["output"]


async def _tried(engine: Engine, label: str, made: Made, bounded: bool, tries: Tries) -> Any:
    """Return what a function gives, which is called again while it fails in a way that may pass.

    A database that is away or full fails so too: each write of a step comes after it has noted there that it means to.
    """
    ends = engine.now() + engine.settings.retry_for
    while True:
        tries.made += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries.made - 1, 30))
        try:
            async with engine.slots if bounded else contextlib.nullcontext():
                return await made()
        except PersonaError as error:
            pause = max(pause, error.retry_after or 0.0)
            if not error.retryable or engine.now() + pause > ends:
                raise
            reason = error.kind
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            if engine.now() + pause > ends:
                raise
            reason = f"the database of flows failed with {type(getattr(error, 'orig', None) or error).__name__}"
        logger.warning("%s of flow %s: %s; trying again in %.0f s", label, DBOS.workflow_id, reason, pause)
        await asyncio.sleep(pause)
