"""The runner for code without an event loop of its own: scripts, threads and notebooks."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sized
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from .call.callers_rows import Asked, CallersRows, SizedCallersRows
from .call.inputs import sealed
from .credentials import ApiKey
from .runner import Runner, RunnerOptions

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

    from .call.bulk import Mapped, RowKey, Rows
    from .call.caller import Output, Params
    from .call.progress import Progress
    from .call.result import ToolResult
    from .call.waiting import Until
    from .files.reference import FileRef
    from .files.store import FileStore
    from .spec.grammar import OperationName
    from .typed.blocking import as_call, as_map, as_paginate, as_run, as_run_sync, as_wait
else:
    as_call = as_map = as_paginate = as_run = as_run_sync = as_wait = lambda function: function

Result = TypeVar("Result")

_WAKE_EVERY: float | None = 0.2 if sys.platform == "win32" else None
"""Seconds after which a waiting thread sees whether it was interrupted; Windows wakes none for Ctrl-C before Python 3.14
(github.com/python/cpython/issues/125541).
"""


class BlockingRunner:
    """A Runner whose methods return when their work is done.

    It takes the options of Runner, and each method the arguments of the method of the same name there. One may be used by
    several threads at once, and where an event loop is running, which waits meanwhile. Its own loop runs in a thread, which
    ends with `close` or with the process; progress is told from that thread. Ctrl-C ends the call that is waited for. A
    closed one, one in a forked process, and one while the interpreter shuts down raise RuntimeError.

    Use it in a `with`, or call `close`.
    """

    def __init__(self, **options: Unpack[RunnerOptions]) -> None:
        self._runner = Runner(**options)
        # A finalizer or a signal handler may use the runner in the middle of what holds the lock.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._portal: BlockingPortal | None = None
        self._process = os.getpid()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Cancel what is still under way, close the connections and end the thread; not possible from within that thread."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("what a call tells of its progress, or asks, cannot close the runner")
        if not self._is_alive():
            self._closed = True
            return
        with self._lock:
            self._closed = True
            portal, thread = self._portal, self._thread
            self._portal = None
        if portal is None or thread is None:
            return
        try:
            portal.call(self._runner.aclose)
        finally:
            portal.call(portal.stop, True)
            thread.join()

    @as_run
    def run(
        self,
        operation: OperationName,
        params: Params | None = None,
        *,
        all_pages: bool = False,
        wait: bool | float = False,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> ToolResult:
        """Return the envelope of `operation`, as `Runner.run` does."""
        params = sealed(params)
        return self._wait_for(
            lambda: self._runner.run(
                operation,
                params,
                all_pages=all_pages,
                wait=wait,
                idempotency_key=idempotency_key,
                progress=progress,
                store=store,
                overwrite=overwrite,
            )
        )

    @as_call
    def call(
        self,
        operation: OperationName,
        params: Params | None = None,
        *,
        idempotency_key: str | None = None,
        store: FileStore | None = None,
        overwrite: bool = False,
    ) -> Output:
        """Return the output of one call of `operation`, as `Runner.call` does; raises PersonaError."""
        params = sealed(params)
        options: dict[str, Any] = {"idempotency_key": idempotency_key, "store": store, "overwrite": overwrite}
        return self._wait_for(lambda: self._runner.call(operation, params, **options))

    @as_paginate
    def paginate(
        self,
        operation: OperationName,
        params: Params | None = None,
        *,
        max_items: int | None = None,
        page_size: int | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Output]:
        """Return every page of a list operation, as `Runner.paginate` does; raises PersonaError."""
        params = sealed(params)
        pages = self._runner.paginate(operation, params, max_items=max_items, page_size=page_size, progress=progress)
        return self._iterate(pages)

    @as_wait
    def wait(
        self,
        operation: OperationName,
        params: Params | None = None,
        *,
        until: Until | None = None,
        delay: float | None = None,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> Output:
        """Return the output of `operation` once it has come to an end, as `Runner.wait` does; raises PersonaError."""
        params = sealed(params)
        return self._wait_for(
            lambda: self._runner.wait(
                operation,
                params,
                until=until,
                delay=delay,
                deadline=deadline,
                idempotency_key=idempotency_key,
                progress=progress,
            )
        )

    @as_map
    def map(
        self,
        operation: OperationName,
        rows: Rows,
        *,
        concurrency: int = 16,
        key: RowKey | None = None,
        done: Collection[object] = (),
        ordered: bool = True,
        progress: Progress | None = None,
    ) -> Iterator[Mapped]:
        """Run `operation` for each row and return what became of each, as `Runner.map` does.

        An iterable of rows is read in the caller's thread, so it may call this runner; an async one in the runner's own.
        """
        asked: Asked = queue.SimpleQueue()
        rows = sealed(rows)
        if isinstance(rows, Iterable) and not isinstance(rows, str | bytes | Mapping | AsyncIterable):
            rows = SizedCallersRows(rows, asked) if isinstance(rows, Sized) else CallersRows(rows, asked)
        items = self._runner.map(
            operation, rows, concurrency=concurrency, key=key, done=done, ordered=ordered, progress=progress
        )
        return self._iterate(items, asked)

    def download(self, file: str | Mapping[str, Any], store: FileStore | None = None, *, overwrite: bool = False) -> FileRef:
        """Store a file of Persona's, as `Runner.download` does; raises PersonaError."""
        return self._wait_for(lambda: self._runner.download(file, store, overwrite=overwrite))

    def _iterate(self, items: AsyncIterator[Result], asked: Asked | None = None) -> Iterator[Result]:
        """Yield what an async generator yields, and close it where the iteration is left.

        asked: what the generator asks of the caller's thread meanwhile.
        """
        end: Any = object()

        async def following() -> Any:
            return await anext(items, end)

        async def close() -> None:
            await items.aclose()  # type: ignore[attr-defined]

        try:
            while (item := self._wait_for(following, asked)) is not end:
                yield item
        finally:
            # The garbage collector may come by in the runner's own thread, where the loop closes what is left by itself.
            if self._is_alive() and not self._closed and threading.current_thread() is not self._thread:
                self._wait_for(close)

    def _wait_for(self, work: Callable[[], Awaitable[Result]], asked: Asked | None = None) -> Result:
        """Return what `work` gives, doing meanwhile what is asked of this thread.

        Where the caller is interrupted, the work is cancelled and waited for before that is raised.
        """
        portal = self._started()
        ended, settled = threading.Event(), threading.Event()

        async def watched() -> Result:
            try:
                return await work()
            finally:
                ended.set()

        future = portal.start_task_soon(watched)
        try:
            if asked is not None:
                future.add_done_callback(lambda _: asked.put(None))
                while (answer := _next_asked(asked)) is not None:
                    answer()
            future.add_done_callback(lambda _: settled.set())
            _wait_until(settled)
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                _wait_until(ended)
            raise

    def _is_alive(self) -> bool:
        """Return whether the loop's thread can run: a fork has none, and one that shuts down stops those of its daemons."""
        return self._process == os.getpid() and not sys.is_finalizing()

    def _started(self) -> BlockingPortal:
        """Return the portal to the runner's loop, which is started with the first call."""
        if self._process != os.getpid():
            raise RuntimeError("this runner was made in another process; make one in this one")
        if sys.is_finalizing():
            raise RuntimeError("the interpreter shuts down, so nothing can be called any more")
        with self._lock:
            if self._closed:
                raise RuntimeError("this runner is closed; make a new one")
            if self._portal is None:
                from anyio.from_thread import BlockingPortal

                started: Future[BlockingPortal] = Future()
                name = "persona-block runner"
                # A daemon, so that a runner which nobody closes keeps no script from ending.
                self._thread = threading.Thread(
                    target=asyncio.run, args=(_serve(BlockingPortal, started),), name=name, daemon=True
                )
                self._thread.start()
                self._portal = started.result()
            return self._portal


def _wait_until(event: threading.Event) -> None:
    while not event.wait(_WAKE_EVERY):
        pass


def _next_asked(asked: Asked) -> Callable[[], None] | None:
    while True:
        try:
            return asked.get(timeout=_WAKE_EVERY)
        except queue.Empty:
            pass


async def _serve(portal_type: type[BlockingPortal], started: Future[BlockingPortal]) -> None:
    """Run what comes through a portal until it is stopped."""
    async with portal_type() as portal:
        started.set_result(portal)
        await portal.sleep_until_stopped()


@as_run_sync
def run_sync(
    operation: OperationName,
    params: Params | None = None,
    *,
    api_key: str | ApiKey | None = None,
    base_url: str | None = None,
    files: FileStore | None = None,
) -> ToolResult:
    """Return the envelope of one call, from a script, a thread or a notebook; for several calls, use a BlockingRunner."""
    api_key, params = ApiKey.of(api_key), sealed(params)
    with BlockingRunner(api_key=api_key, base_url=base_url, files=files) as runner:
        return runner.run(operation, params)
