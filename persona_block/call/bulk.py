"""One operation for many rows of params, so many at a time, with a result for each."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any, Generic

from ..errors import InputError, PersonaError, Problem, TookEffect
from ..spec.grammar import ToolSpec
from .inputs import sealed
from .result import OutputT, ToolResult, failed_result
from .row_keys import is_stable, key_text
from .trace import Trace

log = logging.getLogger("persona_block")

Rows = Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
RowKey = Callable[[Mapping[str, Any]], object] | str
RunRow = Callable[[Any, str | None], Awaitable[ToolResult]]
"""Runs the params of a row under an idempotency key, or under a new one for None; it raises no PersonaError."""

LOOK_AHEAD = 2
"""How many rows are read ahead of the row that is due, for each of those that may run at once."""

_RATE_LIMITED = 10
"""How many times a row that the rate limit refused is run again."""


@dataclass(frozen=True, slots=True)
class Mapped(Generic[OutputT]):
    """What became of one row.

    index: its place among the rows, from 0; rows that were done before count.
    key: its key as text; None where rows have none.
    params: its params as they came, with the API key hidden.
    result: the envelope of its call.

    Its `repr` shows neither key nor params, which may name a person.
    """

    index: int
    key: str | None = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)
    result: ToolResult[OutputT]


class RowSource:
    """Rows as a caller gave them; they may hold API keys, so nothing shows what they are."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    @property
    def is_usable(self) -> bool:
        """Whether these are rows at all."""
        return not isinstance(self._rows, str | bytes | Mapping) and isinstance(self._rows, Iterable | AsyncIterable)

    @property
    def total(self) -> int | None:
        """How many rows there are; None where nobody knows."""
        return len(self._rows) if isinstance(self._rows, Sized) else None

    def __aiter__(self) -> AsyncIterator[Any]:
        return aiter(self._rows) if isinstance(self._rows, AsyncIterable) else _each(iter(self._rows))


async def _each(iterator: Iterator[Any]) -> AsyncIterator[Any]:
    # A row by a name would stand in the frame of an exception that reading the next one raises.
    with contextlib.suppress(StopIteration):
        while True:
            yield next(iterator)


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows are gone through: see `Runner.map`."""

    spec: ToolSpec
    concurrency: int
    key: RowKey | None
    done: frozenset[str]
    ordered: bool

    @classmethod
    def of(
        cls, spec: ToolSpec, source: RowSource, concurrency: int, key: RowKey | None, done: Collection[object], ordered: bool
    ) -> Plan:
        """Return a plan for rows whose every part can be used; raises InputError with each that cannot."""
        problems = []
        if type(concurrency) is not int or concurrency < 1:
            problems.append(Problem("concurrency", "must be a whole number, at least 1"))
        if not (key is None or callable(key) or (isinstance(key, str) and key)):
            problems.append(Problem("key", "must be the name of a param, or a function of a row"))
        if isinstance(done, str | bytes) or not isinstance(done, Collection):
            problems.append(Problem("done", "must be a collection of keys"))
        elif done and key is None:
            problems.append(Problem("key", "is required where rows are done already"))
        if not source.is_usable:
            problems.append(Problem("rows", "must be a list or another iterable of params"))
        if problems:
            raise InputError(spec.name, problems)
        return cls(spec, concurrency, key, frozenset(map(key_text, done)), ordered)


async def mapped(plan: Plan, source: RowSource, run_row: RunRow, trace: Trace) -> AsyncIterator[Mapped]:
    """Yield what became of each row; a row that fails, or is none, is a result too.

    What reading the rows raises is raised once the rows before it have ended. Where the iteration is left, the rows that are
    under way are cancelled.
    """
    work = _Work(plan, run_row, _Tally(trace, source.total))
    rows = aiter(source)
    reading: asyncio.Task[Any] | None = None
    broken: Exception | None = None
    at_end = False
    try:
        while True:
            if reading is None and not at_end and work.has_room():
                reading = asyncio.create_task(_next(rows))
            under_way = {*work.running, *([] if reading is None else [reading])}
            if not under_way:
                break
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if reading is not None and reading.done():
                broken = _error_of(reading)
                at_end = broken is not None or reading.result() is _END
                if not at_end:
                    work.begin(reading.result())
                reading = None
            for each in work.ended():
                yield each
        if broken is not None:
            raise broken
    finally:
        left = [*work.running, *([] if reading is None else [reading])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class _Work:
    """The rows that were read and not yet given out."""

    def __init__(self, plan: Plan, run_row: RunRow, tally: _Tally) -> None:
        self.running: set[asyncio.Task[None]] = set()
        self._plan = plan
        self._run_row = run_row
        self._tally = tally
        self._count = 0
        self._due: deque[int] = deque()
        self._results: dict[int, Mapped] = {}
        self._keys: set[str] = set()

    def has_room(self) -> bool:
        """Return whether another row may be read."""
        return len(self.running) < self._plan.concurrency and len(self._due) < self._plan.concurrency * LOOK_AHEAD

    def begin(self, row: Any) -> None:
        """Run a row, or pass it over where it is done."""
        index = self._count
        self._count += 1
        params: Any = {}
        row_key: str | None = None
        try:
            params = self._sealed(row)
            row_key = self._row_key(params)
            if row_key is not None and row_key in self._plan.done:
                self._tally.skip()
                return
        except InputError as error:
            self._end(Mapped(index, row_key, params, failed_result(error)))
        else:
            task = asyncio.create_task(self._run(index, row_key, params))
            self.running.add(task)
            task.add_done_callback(self.running.discard)
        self._due.append(index)

    def ended(self) -> Iterator[Mapped]:
        """Return the results that are due; those of rows that ended early wait where the order counts."""
        if not self._plan.ordered:
            for index in list(self._results):
                self._due.remove(index)
                yield self._results.pop(index)
        while self._due and self._due[0] in self._results:
            yield self._results.pop(self._due.popleft())

    async def _run(self, index: int, row_key: str | None, params: Any) -> None:
        idempotency_key = None if row_key is None else row_idempotency_key(self._plan.spec, row_key)
        try:
            result = await self._run_row(params, idempotency_key)
            for _ in range(_RATE_LIMITED):
                if not _is_held_back(result):
                    break
                await asyncio.sleep((result.error_details or {}).get("retryAfter") or 1.0)
                result = await self._run_row(params, idempotency_key)
        except Exception as error:  # one row that trips us must not end the others
            log.error("%s failed inside: %s", self._plan.spec.name, type(error).__name__)
            result = failed_result(_inner_error(self._plan.spec, error, idempotency_key))
        self._end(Mapped(index, row_key, params, result))

    def _end(self, one: Mapped) -> None:
        self._results[one.index] = one
        self._tally.count(one.result.success)

    def _sealed(self, row: Any) -> Any:
        try:
            return sealed(row)
        except Exception as error:  # a row may be any object of the caller's
            message = f"cannot be read: {type(error).__name__}"
            raise InputError(self._plan.spec.name, [Problem("params", message)]) from None

    def _row_key(self, params: Any) -> str | None:
        """Return the key of a row as text; raises InputError for one that has none, or that of a row before."""
        if self._plan.key is None:
            return None
        try:
            named = params[self._plan.key] if isinstance(self._plan.key, str) else self._plan.key(params)
            is_same_each_run, row_key = is_stable(named), key_text(named)
        except Exception as error:
            if isinstance(self._plan.key, str) and isinstance(error, KeyError):
                raise self._refused(f"is to be {self._plan.key}, which this row lacks") from None
            raise self._refused(f"cannot be made of this row: {type(error).__name__}") from None
        if not is_same_each_run:
            raise self._refused(f"must be text or a number, the same in every run, and is a {type(named).__name__}")
        if not row_key:
            raise self._refused("is blank in this row; every row needs one of its own")
        if row_key in self._keys:
            raise self._refused("is that of a row before; every row needs one of its own")
        self._keys.add(row_key)
        return row_key

    def _refused(self, message: str) -> InputError:
        return InputError(self._plan.spec.name, [Problem("key", message)])


class _Tally:
    """The counts of rows, told after each."""

    def __init__(self, trace: Trace, total: int | None) -> None:
        self._trace = trace
        self._total = total
        self._started = time.monotonic()
        self._done = self._failed = self._skipped = 0

    def count(self, success: bool) -> None:
        """Count a row that has ended."""
        self._done += success
        self._failed += not success
        self._tell()

    def skip(self) -> None:
        """Count a row that was done before."""
        self._skipped += 1
        self._tell()

    def _tell(self) -> None:
        ended = self._done + self._failed
        rate = ended / max(time.monotonic() - self._started, 1e-6)
        left = None if self._total is None else max(0, self._total - ended - self._skipped)
        parts = [f"{ended + self._skipped}{'' if self._total is None else f' of {self._total}'} rows"]
        parts += [f"{self._failed} failed"] if self._failed else []
        parts += [f"{self._skipped} skipped"] if self._skipped else []
        self._trace.tell(
            ", ".join(parts),
            done=self._done,
            failed=self._failed,
            skipped=self._skipped,
            total=self._total,
            rate=rate,
            time_left=left / rate if left is not None and rate else None,
        )


def row_idempotency_key(spec: ToolSpec, row_key: str) -> str:
    """Return the idempotency key of a row: the same for the same operation and key of the row, whatever its params are."""
    return "row-" + hashlib.sha256(f"{spec.name}\n{row_key}".encode("utf-8", "surrogatepass")).hexdigest()


def _is_held_back(result: ToolResult) -> bool:
    """Return whether the rate limit refused a row, which changed nothing."""
    details = result.error_details or {}
    return bool(details.get("kind") == "rate_limited" and details["retryable"] and details["tookEffect"] != "unknown")


def _inner_error(spec: ToolSpec, error: Exception, idempotency_key: str | None) -> PersonaError:
    took_effect: TookEffect | None = None if spec.effect == "read" else "unknown"
    key_in_use = idempotency_key if spec.request.method == "POST" else None
    message = f"{spec.name} failed inside: {type(error).__name__}."
    return PersonaError(message, took_effect=took_effect, idempotency_key=key_in_use)


_END = object()


def _error_of(reading: asyncio.Task[Any]) -> Exception | None:
    """Return what the reading of a row raised; a cancellation is raised again."""
    error = reading.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error


async def _next(rows: AsyncIterator[Any]) -> Any:
    return await anext(rows, _END)
