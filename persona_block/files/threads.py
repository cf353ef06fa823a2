"""Work that may block, done in a thread of its own while the event loop goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def _forget(_result: object) -> None:
    pass


async def run_in_thread(work: Callable[[], Result], discard: Callable[[Result], object] = _forget) -> Result:
    """Return what `work` returns, or raise what it raises.

    work: may block for as long as it likes, even for ever.
    discard: gives up a result that nobody waits for any more, because the caller was cancelled; by default it is forgotten.

    The thread is a daemon of its own and none of the loop's executor, whose few threads also look up host names, and which a
    loop waits for when it closes.
    """
    outcome: Future[Result] = Future()

    def run() -> None:
        outcome.set_running_or_notify_cancel()
        try:
            outcome.set_result(work())
        except StopIteration:  # no future of asyncio takes it, and its waiter would wait for ever
            outcome.set_exception(RuntimeError("the work in a thread raised StopIteration"))
        except BaseException as error:
            outcome.set_exception(error)

    def give_up(late: Future[Result]) -> None:
        if late.exception() is None:
            discard(late.result())

    threading.Thread(target=run, name="persona-block file", daemon=True).start()
    try:
        return await asyncio.wrap_future(outcome)
    except asyncio.CancelledError:
        outcome.add_done_callback(give_up)
        raise
