"""Waiting until somebody ends the program."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack, suppress


async def interruption() -> None:
    """Wait until the program is asked to end, by Ctrl-C or SIGTERM."""
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    with ExitStack() as handlers:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Where a loop takes no handlers, asyncio.run cancels this task on Ctrl-C.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, interrupted.set)
                handlers.callback(loop.remove_signal_handler, number)
        await interrupted.wait()
