"""The order in which the steps of a workflow begin, which another run of it has to repeat.

The engine knows steps by their number. Where two branches that run at once take several steps each, the answers decide which
of them takes its next step first; after a crash the order may be another, and one branch would get what the other one's step
gave. That is refused as it happens.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dbos import DBOS, DBOSContextEnsure

Given = TypeVar("Given")
Task = asyncio.Task[object]


class _Order:
    """The steps of one run of a workflow: when each of its tasks had one under way, counted in beginnings and ends."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self._latest: weakref.WeakKeyDictionary[Task, tuple[float, float]] = weakref.WeakKeyDictionary()
        """The latest step of each task."""
        self._followed: weakref.WeakKeyDictionary[Task, tuple[float, float]] = weakref.WeakKeyDictionary()
        """From the first to the last step of each task that another one of the same task followed."""

    def begin(self, task: Task, *, is_several: bool) -> None:
        """Note that a task begins a step, or several; raises RuntimeError where answers decide its place."""
        now = float(next(self._ticks))
        before = (now, math.inf) if is_several else self._latest.get(task)
        if before is not None:
            for other, (began, ended) in self._followed.items():
                if other is not task and before[0] < ended and began < before[1]:
                    raise RuntimeError(
                        "two branches of this workflow take several steps at the same time, and another run of it could mix"
                        " them up: let each branch take one step, or make it a workflow of its own, started in turn"
                    )
            first = self._followed.get(task, before)[0]
            self._followed[task] = (min(first, before[0]), before[1])
        self._latest[task] = (now, math.inf)

    def end(self, task: Task, *, is_several: bool) -> None:
        """Note that a task has ended what it began."""
        now = float(next(self._ticks))
        self._latest[task] = (self._latest[task][0], now)
        if is_several:
            self._followed[task] = (self._followed[task][0], now)


_orders: weakref.WeakKeyDictionary[object, _Order] = weakref.WeakKeyDictionary()
"""The order of each run of a workflow."""


@contextmanager
def in_order(*, is_several: bool = False) -> Iterator[None]:
    """Hold a step, or several that follow each other, to an order that another run repeats.

    Raises RuntimeError where two branches take several steps at the same time. Outside a workflow it does nothing.
    """
    task = asyncio.current_task()
    if task is None or DBOS.workflow_id is None or DBOS.step_status is not None:
        yield
        return
    with DBOSContextEnsure() as run:
        order = _orders.setdefault(run, _Order())
    order.begin(task, is_several=is_several)
    try:
        yield
    finally:
        order.end(task, is_several=is_several)


async def several(steps: Callable[[], Awaitable[Given]]) -> Given:
    """Return what steps that follow each other give, held to an order that another run repeats."""
    with in_order(is_several=True):
        return await steps()
