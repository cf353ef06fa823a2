"""The options of `persona-block run`: an idempotency key, storage that is trusted, and what an interruption tells."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import fsspec
import httpx
import pytest

from persona_block import PersonaError, Runner
from persona_block.cli import run
from persona_block.cli.output import print_result
from persona_block.spec import catalog
from tests.cli.conftest import Answer, RunHere

INQUIRY = {"data": {"type": "inquiry", "id": "inq_1"}}


def test_the_key_that_an_error_told_is_sent(answer: Answer, run_here: RunHere) -> None:
    sent: list[str] = []

    def lose(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["Idempotency-Key"])
        raise httpx.ReadError("lost")

    answer(lose)
    first = json.loads(run_here("run", "approve_inquiry", "inquiryId=inq_1", "--yes", PERSONA_API_KEY="k").stdout)[
        "errorDetails"
    ]
    assert (first["tookEffect"], first["retryable"]) == ("unknown", True)
    again = run_here(
        "run",
        "approve_inquiry",
        "inquiryId=inq_1",
        "--yes",
        f"--idempotency-key={first['idempotencyKey']}",
        PERSONA_API_KEY="k",
    )
    assert json.loads(again.stdout)["errorDetails"]["idempotencyKey"] == first["idempotencyKey"]
    assert set(sent) == {first["idempotencyKey"]}


def test_without_one_each_run_has_a_key_of_its_own(answer: Answer, run_here: RunHere) -> None:
    sent: list[str | None] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("Idempotency-Key"))
        return httpx.Response(200, json=INQUIRY)

    answer(take)
    for operation in ("approve_inquiry", "approve_inquiry", "get_inquiry", "redact_inquiry"):
        assert run_here("run", operation, "inquiryId=inq_1", "--yes", PERSONA_API_KEY="k").returncode == 0
    assert sent[0] and sent[1] and sent[0] != sent[1]
    assert sent[2:] == [None, None]


@pytest.mark.slow
def test_a_key_goes_with_a_wait_too(run_here: RunHere) -> None:
    params = ["reportType=watchlist", "reportTemplateId=rptp_Watchlist", "term=Jane Doe"]
    done = run_here("run", "create_report", *params, "--wait", "--sandbox", "--idempotency-key", "step-7")
    assert json.loads(done.stdout)["output"]["report"]["status"] == "ready"


@pytest.mark.parametrize(
    ("operation", "method"), [("get_inquiry", "GET"), ("update_inquiry", "PATCH"), ("redact_inquiry", "DELETE")]
)
def test_a_key_is_refused_for_what_is_no_post(operation: str, method: str, run_here: RunHere) -> None:
    done = run_here("run", operation, "inquiryId=inq_1", "--idempotency-key", "step-7", PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert f"is only for operations that are a POST, and {operation} is a {method}" in done.stderr
    assert json.loads(done.stdout)["errorDetails"]["problems"][0]["param"] == "--idempotency-key"


@pytest.mark.parametrize("key", ["", "é", "x" * 256])
def test_a_key_that_no_header_holds_is_refused(key: str, run_here: RunHere) -> None:
    done = run_here("run", "approve_inquiry", "inquiryId=inq_1", "--idempotency-key", key, PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert "1 to 255 printable ASCII characters" in done.stderr


@pytest.mark.parametrize(
    ("operation", "took_effect", "has_key"),
    [("approve_inquiry", "unknown", True), ("redact_inquiry", "unknown", False), ("get_inquiry", None, False)],
)
def test_an_interruption_tells_the_key(
    operation: str,
    took_effect: str | None,
    has_key: bool,
    run_here: RunHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str | None] = []

    async def interrupted(_: Runner, *_arguments: Any, **options: Any) -> None:
        sent.append(options["idempotency_key"])
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "run", interrupted)
    done = run_here("run", operation, "inquiryId=inq_1", "--yes", PERSONA_API_KEY="k")
    assert done.returncode == 130
    details = json.loads(done.stdout)["errorDetails"]
    assert details["tookEffect"] == took_effect
    assert (details["idempotencyKey"] is not None) == has_key == details["retryable"]
    assert details["idempotencyKey"] == sent[0]
    assert ("--idempotency-key" in done.stderr) == has_key


def test_a_second_ctrl_c_keeps_nothing_of_the_first_from_being_told(
    run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def interrupted_again(*arguments: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        print_result(*arguments)

    monkeypatch.setattr(Runner, "run", interrupted)
    monkeypatch.setattr(run, "print_result", interrupted_again)
    before = signal.getsignal(signal.SIGINT)
    done = run_here("run", "create_account", "--idempotency-key", "step-7", PERSONA_API_KEY="k")
    assert done.returncode == 130
    assert json.loads(done.stdout)["errorDetails"]["idempotencyKey"] == "step-7"
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program can catch")
@pytest.mark.parametrize("ignores_ctrl_c", [False, True])
def test_a_termination_tells_the_key_too(ignores_ctrl_c: bool) -> None:
    """A script's `timeout` ends a call with SIGTERM, and its jobs in the background ignore SIGINT."""
    code = f"""
import asyncio, httpx, signal, sys
from persona_block import Runner
from persona_block.cli import command

async def answer(_):
    print("asked", file=sys.stderr, flush=True)
    await asyncio.sleep(60)

make = Runner.__init__
Runner.__init__ = lambda runner, **options: make(runner, **options, transport=httpx.MockTransport(answer))
if {ignores_ctrl_c}:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(command.main(["run", "create_account", "--idempotency-key", "step-7"]))
"""
    environment = {**os.environ, "PERSONA_API_KEY": "k"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert process.stderr is not None and process.stdout is not None
        assert process.stderr.readline() == "asked\n"
        process.terminate()
        details = json.loads(process.stdout.read())["errorDetails"]
        assert process.wait(20) == 130
    assert (details["tookEffect"], details["idempotencyKey"]) == ("unknown", "step-7")


def test_storage_is_read_where_it_is_named(answer: Answer, run_here: RunHere) -> None:
    fsspec.filesystem("memory").pipe("/crew.csv", b"reference_id\nc1\n")
    bodies: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})

    answer(take)
    arguments = ("run", "import_accounts", "file=memory://crew.csv")
    refused = run_here(*arguments, PERSONA_API_KEY="k")
    assert refused.returncode == 2
    assert bodies == []
    assert run_here(*arguments, "--storage", "s3", "--storage", "memory", PERSONA_API_KEY="k").returncode == 0
    assert b"c1" in bodies[0]


def test_a_time_limit_reaches_the_runner(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[dict[str, Any]] = []

    def make(_: Runner, **given: Any) -> None:
        options.append(given)
        raise PersonaError("the end")

    monkeypatch.setattr(Runner, "__init__", make)
    run_here("run", "list_accounts", "--timeout", "7", PERSONA_API_KEY="k")
    run_here("run", "list_accounts", "--timeout=45.5", PERSONA_API_KEY="k")
    run_here("run", "list_accounts", PERSONA_API_KEY="k")
    assert [each.get("deadline") for each in options] == [7, 45.5, None]
    assert options[0]["timeout"] == httpx.Timeout(7)
    assert options[1]["timeout"] == httpx.Timeout(45.5, connect=10)
    assert "timeout" not in options[2]


def test_a_time_limit_of_the_wait_ends_it(answer: Answer, run_here: RunHere) -> None:
    looks: list[httpx.Request] = []

    def pending(request: httpx.Request) -> httpx.Response:
        looks.append(request)
        return httpx.Response(200, json={"data": {"type": "inquiry", "id": "inq_1", "attributes": {"status": "pending"}}})

    answer(pending)
    started = time.monotonic()
    done = run_here("run", "get_inquiry", "inquiryId=inq_1", "--wait", "--wait-timeout", "0.05", PERSONA_API_KEY="k")
    assert time.monotonic() - started < 2
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorDetails"]["kind"] == "wait_timed_out"
    assert len(looks) == 2
    alone = run_here("run", "get_inquiry", "inquiryId=inq_1", "--wait-timeout", "5", PERSONA_API_KEY="k")
    assert alone.returncode == 2
    assert "--wait-timeout: is only for --wait" in alone.stderr
    assert len(looks) == 2


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon", "1e9"])
def test_a_time_limit_that_is_none_is_refused(seconds: str, run_here: RunHere) -> None:
    done = run_here("run", "list_accounts", f"--timeout={seconds}", PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert "--timeout: must be a number of seconds, above 0 and at most 86400" in done.stderr


def test_parts_of_objects_and_lists_are_params(answer: Answer, run_here: RunHere) -> None:
    bodies: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content)["data"]["attributes"])
        return httpx.Response(201, json=INQUIRY)

    answer(take)
    start = ("run", "create_inquiry", "inquiryTemplateId=itmpl_1")
    for pairs in (
        ["tags=a,b", "fields.name-first=Ann", "fields.name-last=O=Neil. Jr"],
        ["fields.age=3", 'fields={"age": 2, "name-first": "Bo"}'],
        ["--params", '{"fields": {"age": 2}, "tags": ["x"]}', "fields.name-first=Cy"],
        ["fields=", "fields.a.b=deep"],
    ):
        assert run_here(*start, *pairs, PERSONA_API_KEY="k").returncode == 0
    assert [(body.get("tags"), body["fields"]) for body in bodies] == [
        (["a", "b"], {"name-first": "Ann", "name-last": "O=Neil. Jr"}),
        (None, {"age": "3", "name-first": "Bo"}),
        (["x"], {"age": 2, "name-first": "Cy"}),
        (None, {"a.b": "deep"}),
    ]


@pytest.mark.parametrize(
    "option", ["--params=", "--params= ", "--output-dir=", "--output-dir= ", "--idempotency-key=", "--storage=", "--fields="]
)
def test_an_option_of_an_unset_variable_is_not_as_if_it_were_absent(option: str, answer: Answer, run_here: RunHere) -> None:
    sent: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"data": {"type": "account", "id": "act_1"}})

    answer(take)
    done = run_here("run", "create_account", option, PERSONA_API_KEY="k")
    assert (done.returncode, sent) == (2, [])
    assert option.partition("=")[0].removeprefix("--").replace("-", "_") in done.stderr.replace("-", "_")


@pytest.mark.parametrize(
    "arguments",
    [
        ["inquiryId=inq_1", "inquiryId=inq_2"],
        ["inquiryId=inq_1", "inquiryId="],
        ["--params", '{"inquiryId": "inq_1", "inquiryId": "inq_2"}'],
    ],
)
def test_of_two_values_none_is_passed_over(arguments: list[str], answer: Answer, run_here: RunHere) -> None:
    """Nobody may take both inquiries for erased."""
    sent: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json=INQUIRY)

    answer(take)
    done = run_here("run", "redact_inquiry", *arguments, "--yes", PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert "again" in done.stderr or "twice" in done.stderr
    assert sent == []
    assert run_here("run", "create_account", "fields.a=1", "fields.a=2", PERSONA_API_KEY="k").returncode == 2
    assert run_here("run", "redact_inquiry", "inquiryId=inq_1", "--yes", PERSONA_API_KEY="k").returncode == 0


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (["note.x=1"], "argument 2: names a part of note, which is no object; give note=… as a whole"),
        (["fields.=1"], "argument 2: names no part of fields after its dot"),
        (["fields=[1]", "fields.x=1"], "fields: must be a JSON object where parts of it are given too"),
        (["feilds.x=1"], "argument 2: names what is no param of create_inquiry; did you mean fields?"),
    ],
)
def test_parts_of_what_is_no_object_are_refused(pairs: list[str], problem: str, run_here: RunHere) -> None:
    done = run_here("run", "create_inquiry", "inquiryTemplateId=itmpl_1", *pairs, PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert problem in done.stderr


@pytest.mark.parametrize("name", ["create_report", "persona_get_inquiry"])
def test_the_help_of_an_operation_shows_its_params(name: str, run_here: RunHere) -> None:
    done = run_here("run", name, "--help")
    assert done.returncode == 0
    spec = catalog.load(name)
    assert all(f"\n{param} " in done.stdout for param in spec.params)
    assert spec.description[:60] in done.stdout
    assert "--idempotency-key KEY" in done.stdout
    assert "watchlist, adverse-media" in done.stdout or name != "create_report"


def test_the_help_of_no_operation(run_here: RunHere) -> None:
    assert run_here("run", "--help").returncode == 0
    done = run_here("run", "get_inquiri", "--help")
    assert done.returncode == 2
    assert "did you mean get_inquiry?" in done.stderr


def test_an_unknown_option_is_named(run_here: RunHere) -> None:
    done = run_here("run", "list_accounts", "--ouput", "json", "--moon=1", "-z")
    assert done.returncode == 2
    assert "unrecognized arguments: --ouput (did you mean --output?), --moon, -z\n" in done.stderr
    assert "usage: persona-block run" in done.stderr
    assert "--jsn (did you mean --json?)" in run_here("tools", "--jsn").stderr
