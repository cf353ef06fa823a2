"""Rows that one thread reads for another, which goes through them in its event loop."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

Asked = queue.SimpleQueue[Callable[[], None] | None]
"""What the thread with the event loop asks of the other, as functions that take their answers back; None ends the asking."""

_END: Any = object()


class CallersRows:
    """Rows of a caller who waits in a thread of its own: an iterable may belong to that thread, or need the event loop."""

    def __init__(self, rows: Iterable[Any], asked: Asked) -> None:
        self._rows = rows
        self._iterator: Iterator[Any] | None = None
        self._asked = asked

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        loop = asyncio.get_running_loop()
        coming: asyncio.Future[Any] = loop.create_future()

        def answer() -> None:
            row, error = _END, None
            try:
                self._iterator = iter(self._rows) if self._iterator is None else self._iterator
                row = next(self._iterator, _END)
            except Exception as raised:
                error = raised
            loop.call_soon_threadsafe(_settle, coming, row, error)

        self._asked.put(answer)
        row = await coming
        if row is _END:
            raise StopAsyncIteration
        return row


class SizedCallersRows(CallersRows):
    """Such rows whose number is known."""

    def __len__(self) -> int:
        return len(self._rows)  # type: ignore[arg-type]


def _settle(coming: asyncio.Future[Any], row: Any, error: Exception | None) -> None:
    """Give a row, or the error of reading it, to whoever still waits for it."""
    if coming.done():
        return
    if error is None:
        coming.set_result(row)
    else:
        coming.set_exception(error)
