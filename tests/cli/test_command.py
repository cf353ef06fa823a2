"""The command line, as a process of its own where that matters, and within the tests' process elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.block.build import manifest
from persona_block.block.preview import preview_page
from persona_block.spec import catalog
from tests.cli.conftest import RunHere
from tests.support.planted import COMMAND_LINE_KEY as API_KEY


def cli(*arguments: str, stdin: str = "", cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `persona-block` in an environment without variables of ours but those given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PERSONA_")}
    done = subprocess.run(
        [sys.executable, "-m", "persona_block.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean | environment,
        timeout=60,
    )
    print(done.stdout, done.stderr)
    return done


def envelope(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Read the envelope, the one JSON document on stdout."""
    document = json.loads(done.stdout)
    assert set(document) == {"success", "output", "error", "errorDetails", "timing", "requestId", "attempts", "retries"}
    return dict(document)


def test_tools_lists_all_operations(run_here: RunHere) -> None:
    table = run_here("tools", COLUMNS="90").stdout
    assert all(f"\n{name} " in table for name in catalog.names())
    assert max(map(len, table.splitlines())) <= 90
    listed = json.loads(run_here("tools", "--json").stdout)
    assert [tool["name"] for tool in listed] == [spec.name for spec in catalog.in_order_of_use()]


@pytest.mark.parametrize("name", ["create_report", "persona_list_inquiry_templates"])
def test_describe(name: str, run_here: RunHere) -> None:
    spec = catalog.load(name)
    shown = run_here("describe", name).stdout
    assert all(re.search(rf"^{param} ", shown, re.MULTILINE) for param in spec.params)
    assert all(re.search(rf"^{output} ", shown, re.MULTILINE) for output in spec.output)
    definition = json.loads(run_here("describe", name, "--json").stdout)
    assert definition["name"] == spec.name
    assert "apiKey" in json.dumps(definition)


def test_describe_names_the_nearest(run_here: RunHere) -> None:
    done = run_here("describe", "get_inquiri")
    assert done.returncode == 2
    assert "did you mean get_inquiry?" in done.stderr
    assert done.stdout == ""


def test_manifest_and_its_schema(run_here: RunHere) -> None:
    from jsonschema import Draft202012Validator

    document = json.loads(run_here("manifest").stdout)
    schema = json.loads(run_here("manifest", "--schema").stdout)
    assert list(Draft202012Validator(schema).iter_errors(document)) == []


def test_preview_writes_one_page(run_here: RunHere, tmp_path: Path) -> None:
    page = tmp_path / "block.html"
    done = run_here("manifest", "--preview", str(page))
    assert str(page) in done.stdout
    assert page.read_text("utf-8") == preview_page(manifest())
    assert run_here("manifest", "--preview", str(tmp_path / "missing" / "block.html")).returncode == 1
    assert run_here("manifest", "--preview", str(page), "--schema").returncode == 2


@pytest.mark.process
def test_run_succeeds_against_the_sandbox() -> None:
    done = cli("run", "list_accounts", "pageSize=3", "--sandbox")
    assert done.returncode == 0, done.stderr
    document = envelope(done)
    assert document["success"]
    assert len(document["output"]["accounts"]) == 3
    assert done.stderr.startswith("What you do in the sandbox is remembered in ")
    assert cli("run", "list_accounts", "pageSize=3", "--sandbox").stderr == ""


def test_run_all_follows_the_cursor(run_here: RunHere) -> None:
    done = run_here("run", "list_accounts", "--sandbox", "--all")
    accounts = envelope(done)["output"]["accounts"]
    assert len({account["id"] for account in accounts}) == len(accounts) > 100
    assert re.search(r"2 pages, \d+ accounts", done.stderr)


@pytest.mark.slow
def test_run_wait_polls_to_the_outcome(run_here: RunHere) -> None:
    params = {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist", "term": "Jane Doe"}
    done = run_here("run", "create_report", "--sandbox", "--wait", "--params", "-", stdin=json.dumps(params))
    assert done.returncode == 0, done.stderr
    assert envelope(done)["output"]["report"]["status"] == "ready"
    assert "get_report: pending" in done.stderr


def test_run_stores_files(tmp_path: Path, run_here: RunHere) -> None:
    listed = envelope(run_here("run", "list_inquiries", "status=approved", "--sandbox"))
    inquiry = listed["output"]["inquiries"][0]["id"]
    done = run_here("run", "print_inquiry_pdf", f"inquiryId={inquiry}", "--sandbox", "--output-dir", str(tmp_path))
    file = envelope(done)["output"]["file"]
    assert Path(file["path"]).read_bytes().startswith(b"%PDF-")
    assert Path(file["path"]).parent == tmp_path


@pytest.mark.process
def test_a_failed_operation_exits_1_with_its_envelope() -> None:
    done = cli("run", "get_inquiry", "inquiryId=inq_none", "--sandbox")
    assert done.returncode == 1
    document = envelope(done)
    assert document["errorDetails"]["kind"] == "not_found"
    assert document["error"] in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "get_inquiri"], "did you mean get_inquiry?"),
        (["run", "get_inquiry", "--sandbox"], "inquiryId: is required"),
        (["run", "get_inquiry", "inq_1", "--sandbox"], "key=value"),
        (["run", "get_inquiry", "--params", "{", "--sandbox"], "not JSON"),
        (["run", "get_inquiry", "--params", "[]", "--sandbox"], "JSON object"),
        (["run", "get_inquiry", "--params", "@/nowhere.json", "--sandbox"], "cannot be read"),
        (["run", "get_inquiry", "inquiryId=inq_1"], "PERSONA_API_KEY"),
        (["run", "get_inquiry", "inquiryId=inq_1", "--all", "--sandbox"], "gives no pages"),
    ],
)
def test_misuse_exits_2_with_its_envelope(arguments: list[str], message: str, run_here: RunHere) -> None:
    done = run_here(*arguments)
    assert done.returncode == 2
    assert message in envelope(done)["error"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [[f"apiKey={API_KEY}"], ["--params", json.dumps({"apiKey": API_KEY})]], ids=["pair", "params"]
)
def test_a_key_is_never_taken_from_an_argument(arguments: list[str], run_here: RunHere) -> None:
    done = run_here("run", "get_inquiry", "inquiryId=inq_1", *arguments, "--sandbox")
    assert done.returncode == 2
    assert "--api-key-stdin" in done.stderr
    assert API_KEY not in done.stdout + done.stderr


@pytest.mark.parametrize("option", [f"--api-key={API_KEY}", f"--key={API_KEY}"])
def test_an_option_that_is_none_is_not_repeated(option: str, run_here: RunHere) -> None:
    done = run_here("run", "list_accounts", "--sandbox", option)
    assert done.returncode == 2
    assert API_KEY not in done.stderr


def test_params_may_stand_after_options(run_here: RunHere) -> None:
    document = envelope(run_here("run", "list_accounts", "--sandbox", "pageSize=2"))
    assert len(document["output"]["accounts"]) == 2


def test_an_empty_key_on_standard_input_is_not_replaced(run_here: RunHere) -> None:
    done = run_here("run", "list_accounts", "--api-key-stdin", PERSONA_API_KEY="another")
    assert done.returncode == 2
    assert "no key on standard input" in envelope(done)["error"]


def test_a_folder_that_cannot_be_written_to_is_no_traceback(tmp_path: Path, run_here: RunHere) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    done = run_here("run", "print_inquiry_pdf", "inquiryId=inq_1", "--sandbox", "--output-dir", str(taken))
    assert done.returncode == 1
    assert "could not be stored" in envelope(done)["error"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["frobnicate"], ["run"], ["run", "get_inquiry", "--all", "--wait"]])
def test_wrong_usage_exits_2(arguments: list[str], run_here: RunHere) -> None:
    done = run_here(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "usage:" in done.stderr


@pytest.mark.process
def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m persona_block.cli manifest | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_interrupting_leaves_a_clean_line() -> None:
    params = ["reportType=watchlist", "reportTemplateId=rptp_Watchlist", "term=Jane", "--wait"]
    process = subprocess.Popen(
        [sys.executable, "-m", "persona_block.cli", "run", "create_report", *params, "--sandbox"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "remembered" in process.stderr.readline()
    assert "pending" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    document = json.loads(stdout)
    assert "interrupted" in document["error"]
    assert document["errorDetails"]["tookEffect"] == "unknown"
    assert "Traceback" not in stderr


@pytest.mark.process
def test_demo_plays_the_whole_onboarding(tmp_path: Path) -> None:
    start = time.monotonic()
    done = cli("demo", cwd=tmp_path)
    took = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert took < 10
    steps = re.findall(r"^ *\d+  (\S+)", done.stdout, re.MULTILINE)
    assert [step for step in steps if step in catalog.names()] == [
        "create_inquiry", "generate_inquiry_link", "get_inquiry", "create_report", "get_report", "get_verification",
        "get_verification", "get_document", "approve_inquiry", "print_inquiry_pdf", "import_accounts", "get_importer",
    ]  # fmt: skip
    assert "SIMULATED" in done.stdout
    assert "2 new, 1 known, 1 unreadable" in done.stdout
    folder = tmp_path / "persona-demo"
    assert str(folder) in done.stdout
    assert sorted(path.suffix for path in folder.iterdir()) == [".csv", ".pdf"]


@contextlib.contextmanager
def serving(*options: str) -> Iterator[tuple[str, str]]:
    """Serve a sandbox on a free port; yields its base URL and its API key."""
    process = subprocess.Popen(
        [sys.executable, "-m", "persona_block.cli", "sandbox", "--port", "0", *options],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        lines = [process.stderr.readline() for _ in range(3)]
        exported = re.search(r"PERSONA_BASE_URL=(\S+) PERSONA_API_KEY=(\S+)", lines[2])
        assert exported, lines
        yield exported[1], exported[2]
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(20) in (0, 130)
        assert "Traceback" not in rest
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def server() -> Iterator[tuple[str, str]]:
    with serving() as served:
        yield served


@pytest.mark.process
def test_a_state_file_outlives_its_server(tmp_path: Path) -> None:
    options = ["--state", str(tmp_path / "persona.db"), "--seed", "7", "--speed", "60"]
    with serving(*options) as (url, api_key):
        created = envelope(cli("run", "create_account", "referenceId=kept", PERSONA_BASE_URL=url, PERSONA_API_KEY=api_key))
    with serving(*options) as (url, api_key):
        listed = envelope(cli("run", "list_accounts", "referenceId=kept", PERSONA_BASE_URL=url, PERSONA_API_KEY=api_key))
    assert [account["id"] for account in listed["output"]["accounts"]] == [created["output"]["account"]["id"]]


@pytest.mark.parametrize("options", [["--speed", "-1"], ["--state", "/proc/nowhere/persona.db"]])
def test_a_sandbox_that_cannot_be_is_no_traceback(options: list[str], run_here: RunHere) -> None:
    done = run_here("sandbox", *options)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_a_served_sandbox_is_shared_by_runs(server: tuple[str, str]) -> None:
    url, api_key = server
    reference = f"referenceId=cli-{os.getpid()}"
    stdin = f"{api_key}\n"
    created = envelope(cli("run", "create_account", reference, PERSONA_BASE_URL=url, PERSONA_API_KEY=api_key))
    refused = envelope(cli("run", "list_accounts", reference, PERSONA_BASE_URL=url, stdin=stdin))
    assert not refused["success"], "without --api-key-stdin the key on standard input is not read"
    listed = envelope(cli("run", "list_accounts", reference, "--api-key-stdin", PERSONA_BASE_URL=url, stdin=stdin))
    assert [account["id"] for account in listed["output"]["accounts"]] == [created["output"]["account"]["id"]]
