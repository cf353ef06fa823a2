"""The blocking runner: the whole surface from scripts, threads, a running loop and a notebook, and Ctrl-C that ends a call."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block import (
    BlockingRunner,
    FileRef,
    FileStore,
    InputError,
    NotFound,
    ProgressUpdate,
    Runner,
    Sandbox,
    run_sync,
)
from persona_block.runner import RunnerOptions
from persona_block.sandbox import Settings
from persona_block.typed import CreateInquiryParams, GetAccountParams

KEY = "persona_sandbox_blocking-test"


def options(sandbox: Sandbox) -> RunnerOptions:
    return {"api_key": sandbox.api_key, "base_url": sandbox.base_url, "transport": sandbox.transport}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings=Settings(report_delay=0)) as offline:
        yield offline


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) - before == set()


def test_the_whole_surface(sandbox: Sandbox, tmp_path: Path) -> None:
    told: list[ProgressUpdate] = []
    template: CreateInquiryParams = {"inquiryTemplateId": sandbox.templates.inquiry}
    with BlockingRunner(**options(sandbox)) as runner:
        results = list(
            runner.map("create_inquiry", [template | {"referenceId": name} for name in "abc"], progress=told.append)
        )
        assert [item.result.success for item in results] == [True] * 3
        assert told[-1].done == 3
        inquiry_id = results[0].result.output["inquiry"]["id"]
        sandbox.complete(inquiry_id, "pass")
        assert runner.wait("get_inquiry", {"inquiryId": inquiry_id}, until={"completed"})["inquiry"]["id"] == inquiry_id
        assert runner.run("get_inquiry", {"inquiryId": " "}).error_details is not None
        assert [len(page["inquiries"]) for page in runner.paginate("list_inquiries", page_size=2)] == [2, 1]
        printed = runner.call("print_inquiry_pdf", {"inquiryId": inquiry_id}, store=FileStore(tmp_path))
        assert FileRef.model_validate(printed["file"]).path == str(tmp_path / f"{inquiry_id}.pdf")
        with pytest.raises(InputError, match="must be a file URL"):
            runner.download({})
        with pytest.raises(NotFound):
            runner.call("get_inquiry", {"inquiryId": "inq_nobody"})


def test_it_has_the_methods_of_the_runner_with_their_arguments() -> None:
    for name in ("run", "call", "paginate", "wait", "map", "download"):
        theirs, own = (inspect.signature(getattr(kind, name)).parameters for kind in (Runner, BlockingRunner))
        assert {each: param.default for each, param in own.items()} == {each: param.default for each, param in theirs.items()}
    constructor = inspect.signature(Runner.__init__).parameters
    assert set(RunnerOptions.__annotations__) == set(constructor) - {"self"}


async def test_inside_a_running_loop(sandbox: Sandbox) -> None:
    await asyncio.sleep(0)
    with BlockingRunner(**options(sandbox)) as runner:
        assert runner.call("list_inquiries") == {"inquiries": [], "nextCursor": None}


@pytest.mark.usefixtures("_no_key")
async def test_run_sync_inside_a_running_loop() -> None:
    await asyncio.sleep(0)
    result = run_sync("get_inquiry", {"inquiryId": "inq_1"})
    assert (result.error_details or {})["problems"][0]["code"] == "no_key"


@pytest.fixture
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)


def _answering(answer: Any) -> RunnerOptions:
    return {"api_key": KEY, "transport": httpx.MockTransport(answer), "deadline": 0.1}


def test_many_threads_share_one() -> None:
    together = threading.Barrier(8)
    all_there = asyncio.Barrier(8)

    async def answer(request: httpx.Request) -> httpx.Response:
        await all_there.wait()
        return httpx.Response(200, json={"data": {"type": "inquiry", "id": request.url.path.rpartition("/")[2]}})

    ids: list[str] = []
    with BlockingRunner(**(_answering(answer) | {"deadline": 20.0})) as runner:

        def call(number: int) -> None:
            together.wait()
            ids.append(runner.call("get_inquiry", {"inquiryId": f"inq_{number}"})["inquiry"]["id"])

        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(ids) == [f"inq_{number}" for number in range(8)]


def test_what_is_left_of_an_iteration_is_closed() -> None:
    running = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal running
        if request.url.path.endswith("inq_0"):
            return httpx.Response(200, json={"data": {"type": "inquiry", "id": "inq_0"}})
        running += 1
        try:
            await asyncio.sleep(30)
        finally:
            running -= 1
        raise AssertionError

    with BlockingRunner(**_answering(answer)) as runner:
        for item in runner.map("get_inquiry", [{"inquiryId": f"inq_{number}"} for number in range(4)]):
            assert item.index == 0
            break
        assert running == 0


def test_rows_are_read_in_the_callers_thread_and_may_call_the_runner() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/accounts"):
            return httpx.Response(200, json={"data": [{"type": "account", "id": f"act_{n}"} for n in range(3)], "links": {}})
        return httpx.Response(200, json={"data": {"type": "account", "id": request.url.path.rpartition("/")[2]}})

    readers: list[int] = []

    def rows(runner: BlockingRunner, fails: bool = False) -> Iterator[GetAccountParams]:
        for page in runner.paginate("list_accounts"):
            for account in page["accounts"]:
                readers.append(threading.get_ident())
                yield {"accountId": account["id"]}
        if fails:
            raise OSError("the disk")

    with BlockingRunner(**_answering(answer)) as runner:
        ids = [item.params["accountId"] for item in runner.map("get_account", rows(runner), concurrency=2)]
        assert ids == ["act_0", "act_1", "act_2"]
        assert set(readers) == {threading.get_ident()}
        with pytest.raises(OSError, match="the disk"):
            list(runner.map("get_account", rows(runner, fails=True)))
        for _ in runner.map("get_account", rows(runner), concurrency=1):
            break


def test_closing_ends_what_is_under_way() -> None:
    begun, errors = threading.Event(), []

    async def answer(_request: httpx.Request) -> httpx.Response:
        begun.set()
        await asyncio.sleep(30)
        raise AssertionError

    runner = BlockingRunner(**(_answering(answer) | {"deadline": 60.0}))

    def call() -> None:
        try:
            runner.call("get_inquiry", {"inquiryId": "inq_1"})
        except BaseException as error:
            errors.append(type(error).__name__)

    thread = threading.Thread(target=call)
    thread.start()
    begun.wait()
    runner.close()
    thread.join(10)
    assert errors == ["CancelledError"]
    runner.close()
    with pytest.raises(RuntimeError, match="closed; make a new one"):
        runner.call("get_inquiry", {"inquiryId": "inq_1"})


def test_what_is_told_of_progress_cannot_close_it() -> None:
    page = {"data": [], "links": {"next": None}}
    with BlockingRunner(**_answering(lambda _: httpx.Response(200, json=page))) as runner:
        assert len(list(runner.paginate("list_inquiries", progress=lambda _: runner.close()))) == 1
        thread = next(each for each in threading.enumerate() if each.name == "persona-block runner")
        assert runner.run("list_inquiries").success
    assert not thread.is_alive()


def test_it_starts_no_thread_before_its_first_call() -> None:
    before = threading.active_count()
    runner = BlockingRunner(api_key=KEY)
    assert threading.active_count() == before
    runner.close()


def test_the_callers_context_goes_along() -> None:
    request_name = contextvars.ContextVar[str]("request_name")
    seen: list[str] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        seen.append(request_name.get("none"))
        return httpx.Response(200, json={"data": {"type": "inquiry", "id": "inq_1"}})

    with BlockingRunner(**_answering(answer)) as runner:
        runner.call("get_inquiry", {"inquiryId": "inq_1"})
        request_name.set("signup")
        runner.call("get_inquiry", {"inquiryId": "inq_1"})
    assert seen == ["none", "signup"]


def test_a_forked_process_needs_a_runner_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads do not come along, so a call would wait for ever."""
    with BlockingRunner(**_answering(lambda _: httpx.Response(500))) as runner:
        runner.run("get_inquiry", {"inquiryId": "inq_1"})
        with monkeypatch.context() as forked:
            forked.setattr(os, "getpid", lambda: -1)
            with pytest.raises(RuntimeError, match="another process"):
                runner.run("get_inquiry", {"inquiryId": "inq_1"})


@pytest.mark.process
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_leaves_what_it_took_along() -> None:
    code = f"""
import os
import queue
{_HALF_READ.replace(", Late()]", "]")}
if os.fork() == 0:
    left.clear()
    runner.close()
    print("left", flush=True)
    os._exit(0)
os.wait()
left.clear()
runner.close()
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("left\n")


@pytest.mark.process
def test_a_runner_that_nobody_closes_keeps_no_script_from_ending() -> None:
    code = "from persona_block import BlockingRunner\nrunner = BlockingRunner(api_key='k')\nrunner.run('get_inquiry', {})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_wait_is_without_an_end_where_ctrl_c_does_not_break_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, a thread that waits for a lock notices Ctrl-C only once the wait is over."""
    waits: list[float | None] = []

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return super().wait(timeout)

    class Queue:
        def __init__(self) -> None:
            self.items: list[Any] = []

        def put(self, item: Any) -> None:
            self.items.append(item)

        def get(self, timeout: float | None = None) -> Any:
            waits.append(timeout)
            if self.items:
                return self.items.pop(0)
            time.sleep(timeout or 0)
            raise queue.Empty

    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        return httpx.Response(404, json={"errors": []})

    with BlockingRunner(**_answering(answer)) as runner:
        runner.run("get_inquiry", {"inquiryId": "inq_1"})  # starts the thread, whose own start waits for its beginning
        with monkeypatch.context() as windows:
            windows.setattr("persona_block.blocking._WAKE_EVERY", 0.01)
            windows.setattr(threading, "Event", Event)
            windows.setattr(queue, "SimpleQueue", Queue)
            results = list(runner.map("get_inquiry", [{"inquiryId": "inq_1"}]))
            assert not runner.run("get_inquiry", {"inquiryId": "inq_1"}).success
    assert len(results) == 1
    assert len(waits) > 5
    assert set(waits) == {0.01}


_HALF_READ = """
import httpx
from persona_block import BlockingRunner

PAGE = {"data": [], "links": {"next": "/api/v1/inquiries?page[after]=inq_1"}}

def pages():
    with BlockingRunner(api_key="k", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=PAGE))) as runner:
        yield from runner.paginate("list_inquiries")

runner = BlockingRunner(api_key="k", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=PAGE)))

class Late:
    def __del__(self):
        try:
            runner.call("get_inquiry", {"inquiryId": "inq_1"})
        except RuntimeError as error:
            print(error)

left = [pages(), runner.paginate("list_inquiries"), runner.map("get_inquiry", iter([{}] * 9)), Late()]
print([bool(next(each)) for each in left[:3]])
"""


@pytest.mark.process
def test_what_is_half_read_at_the_end_of_a_script_keeps_it_from_nothing() -> None:
    """The runner's thread stands still by then, so that whatever waited for it would wait for ever."""
    done = subprocess.run([sys.executable, "-c", _HALF_READ], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "[True, True, True]\nthe interpreter shuts down, so nothing can be called any more\n"


_INTERRUPTED = """
import threading, asyncio, httpx
from persona_block import BlockingRunner

ended = []

async def answer(request):
    print("asked", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        ended.append(True)

try:
    with BlockingRunner(api_key="k", transport=httpx.MockTransport(answer)) as runner:
        CALL
except KeyboardInterrupt:
    print("interrupted", ended, threading.active_count())
"""


@pytest.mark.process
@pytest.mark.parametrize(
    "call",
    ["runner.wait('get_inquiry', {'inquiryId': 'inq_1'})", "list(runner.map('get_inquiry', [{'inquiryId': 'inq_1'}]))"],
    ids=["wait", "map"],
)
def test_ctrl_c_ends_the_call_and_leaves_no_thread(call: str) -> None:
    code = _INTERRUPTED.replace("CALL", call)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30)[0] == "interrupted [True] 1\n"
        assert process.returncode == 0
