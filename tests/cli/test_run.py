"""The options of `persona-block run`: an idempotency key, storage that is trusted, and what an interruption tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import fsspec
import httpx
import pytest

from persona_block import Runner
from tests.cli.conftest import RunHere

INQUIRY = {"data": {"type": "inquiry", "id": "inq_1"}}
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], None]:
    """Have the command line's runners answered by a function."""

    def answer_with(handler: Handler) -> None:
        make = Runner.__init__

        def make_offline(runner: Runner, **options: Any) -> None:
            make(runner, **options, transport=httpx.MockTransport(handler), deadline=0)

        monkeypatch.setattr(Runner, "__init__", make_offline)

    return answer_with


def test_the_key_that_an_error_told_is_sent(answer: Callable[[Handler], None], run_here: RunHere) -> None:
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


def test_without_one_each_run_has_a_key_of_its_own(answer: Callable[[Handler], None], run_here: RunHere) -> None:
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


def test_storage_is_read_where_it_is_named(answer: Callable[[Handler], None], run_here: RunHere) -> None:
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
