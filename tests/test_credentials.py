"""The API key shows nowhere: in no repr, no pickle, no frame of ours, and no output of pytest."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

import persona_block
from persona_block import BlockingRunner, PersonaError, Runner, operation, run_sync
from persona_block.credentials import ApiKey
from persona_block.hosts import Toolbox
from persona_block.runner import RunnerOptions

KEY = "persona_production_never-shown-7c1f"
PACKAGE = str(Path(persona_block.__file__).parent)


def test_a_key_shows_nothing() -> None:
    key = ApiKey(KEY)
    shown = [repr(key), str(key), f"{key}", f"{key!r:>40}", repr([key]), repr({"apiKey": key})]
    assert not any(KEY in text for text in shown)
    assert copy.copy(key) is key
    assert copy.deepcopy({"key": key})["key"] is key
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(key)
    assert not hasattr(key, "__dict__")


def test_keys_are_equal_by_what_they_hold() -> None:
    assert ApiKey(KEY) == ApiKey(KEY)
    assert ApiKey(KEY) != ApiKey(KEY + "x")
    assert len({ApiKey(KEY), ApiKey(KEY), ApiKey("other")}) == 2
    assert ApiKey.of(ApiKey(KEY)) == ApiKey(KEY)


def _frames_with_key(error: BaseException) -> list[str]:
    """Every frame of the package, in a traceback that was taken with its locals, in which the key stands."""
    taken = traceback.TracebackException.from_exception(error, capture_locals=True)
    seen: list[str] = []
    pending = [taken]
    while pending:
        part = pending.pop()
        for frame in part.stack:
            if frame.filename.startswith(PACKAGE) and any(KEY in value for value in (frame.locals or {}).values()):
                seen.append(f"{frame.filename}:{frame.lineno} {frame.name}")
        pending += [each for each in (part.__cause__, part.__context__) if each is not None]
    return seen


def _fail(_request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset")


FAILURES = {
    "input": ({"inquiryId": " "}, lambda _: httpx.Response(200)),
    "unknown param": ({"inquiryID": "x", "inquiryId": "inq_1"}, lambda _: httpx.Response(200)),
    "api": ({"inquiryId": "inq_1"}, lambda _: httpx.Response(401, json={"errors": [{"title": "Token is invalid"}]})),
    "response": ({"inquiryId": "inq_1"}, lambda _: httpx.Response(200, json={})),
    "transport": ({"inquiryId": "inq_1"}, _fail),
}


@pytest.mark.parametrize("where", ["params", "runner", "environment"])
@pytest.mark.parametrize("failure", list(FAILURES))
async def test_no_frame_of_ours_holds_the_key(failure: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    params, handler = FAILURES[failure]
    monkeypatch.setenv("PERSONA_API_KEY", KEY if where == "environment" else "")
    params = params | ({"apiKey": KEY} if where == "params" else {})
    async with Runner(
        api_key=KEY if where == "runner" else None, transport=httpx.MockTransport(handler), deadline=0
    ) as runner:
        attempts: list[Callable[[], Awaitable[object]]] = [
            lambda: runner.call(operation("approve_inquiry"), params),
            lambda: runner.wait(operation("get_inquiry"), params, deadline=0),
            lambda: anext(aiter(runner.paginate(operation("list_inquiries"), params))),
        ]
        for attempt in attempts:
            with pytest.raises(PersonaError) as caught:
                await attempt()
            assert _frames_with_key(caught.value) == []


async def test_neither_a_bad_base_url_nor_a_running_loop_shows_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PersonaError) as caught:
        run_sync(operation("get_inquiry"), {"apiKey": KEY}, api_key=KEY, base_url="http://elsewhere.example")
    assert _frames_with_key(caught.value) == []
    with pytest.raises(PersonaError) as second:
        Runner(api_key=KEY, base_url="http://elsewhere.example")
    assert _frames_with_key(second.value) == []
    monkeypatch.setenv("PERSONA_API_KEY", KEY)
    with pytest.raises(PersonaError) as third:
        await Toolbox(api_key=KEY).consent_request("approve_inquiry", {}, api_key=KEY)
    assert _frames_with_key(third.value) == []
    with pytest.raises(PersonaError) as fourth:
        Toolbox(api_key=KEY).bare_request("approve_inquiry", {}, api_key=KEY)
    assert _frames_with_key(fourth.value) == []


async def test_no_frame_of_rows_holds_the_key() -> None:
    def breaking() -> Iterator[dict[str, str]]:
        yield {"apiKey": KEY}
        raise PersonaError("the source broke")

    given: list[tuple[Any, int]] = [([{"apiKey": KEY}], 0), ({"apiKey": KEY}, 1), (breaking(), 1)]
    async with Runner(transport=httpx.MockTransport(_fail), deadline=0) as runner:
        for rows, concurrency in given:
            with pytest.raises(PersonaError) as caught:
                await _last(runner.map(operation("get_inquiry"), rows, concurrency=concurrency))
            assert _frames_with_key(caught.value) == []


async def _last(items: AsyncIterator[Any]) -> None:
    async for _ in items:
        pass


@pytest.mark.parametrize("where", ["params", "runner"])
def test_no_frame_of_the_blocking_runner_holds_the_key(where: str) -> None:
    params = {"inquiryId": "inq_1"} | ({"apiKey": KEY} if where == "params" else {})
    api_key = KEY if where == "runner" else None
    options: RunnerOptions = {"transport": httpx.MockTransport(_fail), "deadline": 0, "api_key": api_key}
    with BlockingRunner(**options) as runner:
        attempts: list[Callable[[], object]] = [
            lambda: runner.call(operation("approve_inquiry"), params),
            lambda: runner.wait(operation("get_inquiry"), params, deadline=0),
            lambda: next(runner.paginate(operation("list_inquiries"), params)),
            lambda: next(runner.map(operation("get_inquiry"), [params], concurrency=0)),
            lambda: next(runner.map(operation("get_inquiry"), cast(Any, params))),
        ]
        for attempt in attempts:
            with pytest.raises(PersonaError) as caught:
                attempt()
            assert _frames_with_key(caught.value) == []


TEST_MODULE = """
import os
import httpx, pytest
from persona_block import Runner, run_sync

def _key():
    return os.environ["PLANTED"]

@pytest.fixture
def runner():
    answer = lambda _: httpx.Response(401, json={"errors": [{"title": "Token is invalid"}]})
    return Runner(api_key=_key(), transport=httpx.MockTransport(answer))

async def test_runner_input(runner):
    await runner.call("get_inquiry", {})

async def test_runner_api(runner):
    await runner.call("approve_inquiry", {"inquiryId": "inq_1"})

async def test_params_input():
    await Runner().call("get_inquiry", {"apiKey": _key()})

async def test_params_api(runner):
    await runner.call("get_inquiry", {"inquiryId": "inq_1", "apiKey": _key()})

async def test_params_paging(runner):
    async for page in runner.paginate("list_inquiries", {"apiKey": _key()}):
        pass

def test_environment_input(monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", _key())
    run_sync("get_inquiry", {"inquiryId": " "}, api_key=None).output["inquiry"]

async def test_environment_api(monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", _key())
    transport = httpx.MockTransport(lambda _: httpx.Response(403, json={}))
    await Runner(transport=transport).call("redact_inquiry", {"inquiryId": "a"})

def test_base_url():
    run_sync("get_inquiry", {"apiKey": _key()}, api_key=_key(), base_url="http://elsewhere.example")
"""


@pytest.mark.process
@pytest.mark.parametrize("style", ["long", "short", "native"])
def test_the_key_stands_in_no_output_of_pytest(style: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST_MODULE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--showlocals",
        f"--tb={style}",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:langsmith_plugin",
    ]
    command += ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function", "-vv", "test_it.py"]
    environment = {"PLANTED": KEY, "PYTHONPATH": str(Path(PACKAGE).parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    counts = dict(
        reversed(each.split()) for each in re.findall(r"\d+ (?:failed|passed|errors?)", done.stdout.splitlines()[-1])
    )
    assert counts == {"failed": "8"}, done.stdout[-3_000:]
    assert KEY not in done.stdout + done.stderr
