"""The event loop ticks on, whatever a `file` param holds and however slow it is."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from persona_block import FileRules, FileStore, Runner
from persona_block.files.store import LocalFolder
from persona_block.files.threads import run_in_thread

CSV = b"reference_id\nc1\n"
LONGEST_GAP = 0.25
"""Seconds between two ticks of the loop that are still no standstill."""
SLOW = 0.6
"""Seconds that each step of something slow takes."""


def _answer(request: httpx.Request) -> httpx.Response:
    if request.method == "GET":
        return httpx.Response(200, content=b"%PDF-1.7", headers={"Content-Type": "application/pdf"})
    request.read()
    return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})


async def longest_gap(work: asyncio.Task[Any]) -> float:
    """Return the longest time between two ticks of the loop until the work is done, in seconds."""
    longest, last = 0.0, time.monotonic()
    while not work.done():
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest


async def ticks_on(call: Callable[[Runner], Any], **options: Any) -> list[Any]:
    """Return what each of up to three calls gave, the last of which left the loop ticking; another process may disturb one."""
    outcomes = []
    async with Runner(api_key="k", transport=httpx.MockTransport(_answer), **options) as runner:
        for _ in range(3):
            work = asyncio.create_task(call(runner))
            gap = await longest_gap(work)
            outcomes.append(work.result())
            if gap < LONGEST_GAP:
                return outcomes
    raise AssertionError(f"the loop stood still for {gap:.2f} s")


async def imported(source: Callable[[], Any], **rules: Any) -> Any:
    """Return the result of an import that left the loop ticking."""
    outcomes = await ticks_on(lambda runner: runner.run("import_accounts", {"file": source()}), file_rules=FileRules(**rules))
    return outcomes[-1]


class Slow:
    """A file-like object that takes its time."""

    def __init__(self, content: bytes = CSV, seconds: float = SLOW) -> None:
        self._pieces = [content]
        self._seconds = seconds

    def seekable(self) -> bool:
        time.sleep(self._seconds)
        return False

    def read(self, _size: int = -1) -> bytes:
        time.sleep(self._seconds)
        return self._pieces.pop() if self._pieces else b""


class SlowStorage(MemoryFileSystem):  # type: ignore[misc]
    """Storage that takes its time."""

    protocol = "slow"

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return super()._strip_protocol(str(path).removeprefix("slow:/"))

    def open(self, *args: Any, **options: Any) -> Any:
        time.sleep(SLOW)
        return super().open(*args, **options)

    def exists(self, *args: Any, **options: Any) -> Any:
        time.sleep(SLOW)
        return super().exists(*args, **options)

    def put_file(self, *args: Any, **options: Any) -> Any:
        time.sleep(SLOW)
        return super().put_file(*args, **options)


@pytest.fixture
def storage() -> SlowStorage:
    fsspec.register_implementation("slow", SlowStorage, clobber=True)
    storage = SlowStorage()
    storage.pipe("/crew.csv", CSV)
    return storage


@contextmanager
def written_to_later(path: Path) -> Iterator[None]:
    """Let whoever waits for a writer of a pipe go on after a while, so that a test fails instead of standing still."""

    def write() -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return  # nobody waits
        os.write(descriptor, CSV)
        os.close(descriptor)

    timer = threading.Timer(SLOW, write)
    timer.start()
    yield
    timer.join()


@pytest.mark.slow
@pytest.mark.parametrize("check", [True, False])
async def test_while_the_file_is_a_pipe(check: bool, tmp_path: Path) -> None:
    path = tmp_path / "crew.csv"
    os.mkfifo(path)
    with written_to_later(path):
        result = await imported(lambda: path, check=check)
    assert "is a pipe" in result.error


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
@pytest.mark.parametrize("check", [True, False])
async def test_while_the_file_is_a_device(path: str, check: bool) -> None:
    assert "is a character device" in (await imported(lambda: path, check=check)).error


def _one_line(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(400_000_000)


def _one_row(path: Path) -> None:
    path.write_bytes(b"reference_id,name_first\n" + b'"' + b'a\n","' * 4_000_000)


def _one_cell(path: Path) -> None:
    path.write_bytes(b'name_first\n"' + b"a\n" * 4_000_000)


def _columns(path: Path) -> None:
    path.write_bytes(b"reference_id," * 80_000 + b"\nc1\n")


def _long_values(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"reference_id\n")
        for number in range(400):
            stream.write(b"%d" % number + b"x" * 100_000 + b"\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_one_line, "the row that begins in line 1 is over 1048576 characters long"),
        (_one_row, "the row that begins in line 2 is over 1048576 characters long"),
        (_one_cell, "has a cell over 131072 characters long"),
        (_columns, "column 2 of line 1 repeats reference_id"),
        (_long_values, None),
    ],
)
async def test_while_a_large_file_is_looked_through_in_little_memory(
    write: Callable[[Path], None], message: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "crew.csv"
    write(path)
    tracemalloc.start()
    try:
        async with Runner(api_key="k", transport=httpx.MockTransport(lambda _: pytest.fail("sent"))) as runner:
            if message is None:
                path.write_bytes(path.read_bytes() + b"0" + b"x" * 100_000 + b"\n")
                tracemalloc.reset_peak()
                message = "line 402: reference_id stands in line 2 already"
            result = await runner.run("import_accounts", {"file": path})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message in (result.error or "")
    assert peak < 24_000_000
    assert message in (await imported(lambda: path)).error


@pytest.mark.slow
async def test_while_storage_is_slow(storage: SlowStorage) -> None:
    assert (await imported(lambda: "slow://crew.csv", schemes=("slow",))).success
    outcomes = await ticks_on(
        lambda runner: runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}), files=FileStore("slow://prints")
    )
    assert outcomes[0]["file"]["url"] == "slow://prints/inq_1.pdf"
    assert storage.cat("/prints/inq_1.pdf") == b"%PDF-1.7"


@pytest.mark.slow
@pytest.mark.parametrize("check", [True, False])
async def test_while_an_open_file_is_slow(check: bool) -> None:
    assert (await imported(Slow, check=check)).success


@pytest.mark.slow
async def test_while_a_pipe_that_the_caller_opened_is_slow() -> None:
    reading, writing = os.pipe()

    def write() -> None:
        os.write(writing, CSV)
        os.close(writing)

    timer = threading.Timer(SLOW, write)
    with os.fdopen(reading, "rb") as pipe:
        async with Runner(api_key="k", transport=httpx.MockTransport(_answer)) as runner:
            task = asyncio.create_task(runner.run("import_accounts", {"file": pipe}))
            timer.start()
            assert await longest_gap(task) < SLOW
            assert task.result().success
    timer.join()


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", [False, True])
async def test_a_file_that_is_stored_after_its_caller_went_away_is_removed_unless_it_took_anothers_place(
    overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_stored, let_go = threading.Event(), threading.Event()
    take = LocalFolder.take

    def take_slowly(place: LocalFolder, part: Path, name: str, overwrite: bool) -> Any:
        taken = take(place, part, name, overwrite)
        is_stored.set()
        let_go.wait(5)
        return taken

    monkeypatch.setattr(LocalFolder, "take", take_slowly)
    async with Runner(api_key="k", transport=httpx.MockTransport(_answer), files=FileStore(tmp_path)) as runner:
        call = asyncio.create_task(runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}, overwrite=overwrite))
        await asyncio.to_thread(is_stored.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert [path.name for path in tmp_path.iterdir()] == ["inq_1.pdf"]
    let_go.set()
    if overwrite:
        await asyncio.to_thread(_join_file_threads)
        assert [path.name for path in tmp_path.iterdir()] == ["inq_1.pdf"]
        return
    async with asyncio.timeout(5):
        while list(tmp_path.iterdir()):  # noqa: ASYNC110 - a folder tells nobody of its change
            await asyncio.sleep(0.01)


def _join_file_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "persona-block file":
            thread.join(5)


# --- callers that go away --------------------------------------------------------------------------------------------------


class Blocked:
    """A file-like object whose bytes come when they are let go."""

    def __init__(self) -> None:
        self.is_read, self.let_go = threading.Event(), threading.Event()

    def read(self, _size: int = -1) -> bytes:
        self.is_read.set()
        self.let_go.wait(5)
        return b""


def test_a_file_that_never_comes_holds_up_no_caller_and_no_loop() -> None:
    blocked = Blocked()

    async def give_up() -> None:
        async with Runner(api_key="k", transport=httpx.MockTransport(_answer)) as runner:
            call = asyncio.create_task(runner.call("import_accounts", {"file": blocked}))
            await asyncio.to_thread(blocked.is_read.wait, 10)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    started = time.monotonic()
    asyncio.run(give_up())
    assert time.monotonic() - started < 10
    assert not blocked.let_go.is_set()
    blocked.let_go.set()


async def test_files_that_never_come_keep_nobody_from_the_threads_of_the_loop() -> None:
    blocked = [Blocked() for _ in range(40)]
    async with Runner(api_key="k", transport=httpx.MockTransport(_answer)) as runner:
        calls = [asyncio.create_task(runner.run("import_accounts", {"file": each})) for each in blocked]
        async with asyncio.timeout(10):
            for each in blocked:
                await run_in_thread(partial(each.is_read.wait, 10), bool)
            assert await asyncio.to_thread(lambda: "free") == "free"
        for each in blocked:
            each.let_go.set()
        assert len(await asyncio.gather(*calls)) == 40


async def test_what_comes_too_late_is_discarded() -> None:
    let_go, discarded = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> str:
        let_go.wait(10)
        return "late"

    def discard(result: str) -> None:
        assert result == "late"
        loop.call_soon_threadsafe(discarded.set)

    task = asyncio.create_task(run_in_thread(work, discard))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    let_go.set()
    await asyncio.wait_for(discarded.wait(), 10)


async def test_what_is_done_when_the_caller_goes_away_is_discarded_too() -> None:
    discarded: list[str] = []
    is_done = threading.Event()

    def work() -> str:
        is_done.set()
        return "done"

    task = asyncio.create_task(run_in_thread(work, discarded.append))
    await asyncio.sleep(0)
    is_done.wait(10)
    time.sleep(0.05)  # noqa: ASYNC251 - the result is there and the loop has not seen it
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert discarded == ["done"]


async def test_what_fails_too_late_is_nobodys() -> None:
    let_go = threading.Event()

    def work() -> str:
        let_go.wait(10)
        raise OSError("late")

    task = asyncio.create_task(run_in_thread(work, lambda _: pytest.fail("there is nothing to discard")))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    let_go.set()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("error", [StopIteration(), OSError(), KeyError()])
async def test_whatever_the_work_raises_is_raised(error: BaseException) -> None:
    def work() -> str:
        raise error

    with pytest.raises(RuntimeError if isinstance(error, StopIteration) else type(error)):
        await asyncio.wait_for(run_in_thread(work, lambda _: None), 10)
