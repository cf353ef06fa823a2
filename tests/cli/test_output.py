"""What `run` prints: tables that fit, CSV without formulas, lines of JSON, chosen properties, in any encoding."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block.cli import output, run, tables, terminal
from persona_block.cli.output import harmless
from persona_block.cli.terminal import padded, shown_width
from tests.cli.conftest import Answer, RunHere

ID = "inq_ABCDEFGHIJKLMNOPQRSTUVWX"
FIELDS = {"name-first": {"type": "string", "value": "Ann"}, "phone-number": {"type": "string", "value": "+15551234"}}


def inquiry(number: int = 1, **attributes: Any) -> dict[str, Any]:
    given = {"status": "completed", "reference-id": f"customer-{number}", "created-at": "2026-01-05T09:00:00.000Z"}
    return {"type": "inquiry", "id": f"{ID[:-1]}{number}", "attributes": {**given, "fields": FIELDS, **attributes}}


@pytest.fixture
def inquiries(answer: Answer) -> dict[str, Any]:
    """Have the command line answered with these inquiries, one alone where one is asked for."""
    document: dict[str, Any] = {"data": [inquiry(1), inquiry(2)], "links": {"next": None}}

    def reply(request: httpx.Request) -> httpx.Response:
        one = {"data": document["data"][0]} if request.url.path.count("/") > 3 else document
        return httpx.Response(200, json=one)

    answer(reply)
    return document


def shown(run_here: RunHere, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = run_here("run", *arguments, PERSONA_API_KEY="k", **environment)
    assert done.returncode == 0
    return done


LIST = ("list_inquiries",)
ONE = ("get_inquiry", f"inquiryId={ID}")


@pytest.mark.usefixtures("inquiries")
def test_in_a_pipe_it_is_one_envelope_and_on_a_terminal_a_table(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(shown(run_here, *LIST).stdout)["output"]["inquiries"][1]["referenceId"] == "customer-2"
    monkeypatch.setattr(output, "is_terminal", lambda _: True)
    table = shown(run_here, *LIST).stdout
    assert table.splitlines()[0].split() == ["id", "status", "referenceId", "createdAt"]
    assert json.loads(shown(run_here, *LIST, "--output", "json").stdout)["success"]
    failed = run_here("run", "get_inquiry", "inquiryId=..", PERSONA_API_KEY="k")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "inquiryId" in failed.stderr


@pytest.mark.parametrize("width", [1, 2, 3])
def test_no_terminal_is_too_narrow(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["inq_1", "日本 x"], ["inq_2", "needs review"]]
    tables.print_table(("id", "status"), rows, width)
    tables.print_record([("id", "inq_1 and"), ("status", "needs review")], width)
    for chosen in (False, True):
        tables.print_items(("id", "status"), rows, chosen=chosen, width=width)
    assert capsys.readouterr().out.count("inq_1") == 4


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("arguments", [LIST, ONE, (*LIST, "--fields", "id,status,referenceId,createdAt,note")])
def test_a_table_fits_the_terminal(
    width: int, arguments: tuple[str, ...], inquiries: dict[str, Any], run_here: RunHere
) -> None:
    inquiries["data"] = [inquiry(1, status="needs_review"), inquiry(2)]
    table = shown(run_here, *arguments, "--output", "table", COLUMNS=str(width)).stdout
    assert max(map(len, table.splitlines())) <= width
    assert f"{ID[:-1]}1" in table
    assert "needs_review" in table


@pytest.mark.parametrize("command", [["tools"], ["describe", "create_report"]])
def test_what_shows_operations_fits_forty_columns(command: list[str], run_here: RunHere) -> None:
    lines = run_here(*command, COLUMNS="40").stdout.splitlines()
    assert all(len(line) <= 40 for line in lines if not line.startswith("persona-block run"))


@pytest.mark.usefixtures("inquiries")
def test_a_table_leaves_out_what_says_nothing_and_names_every_field(run_here: RunHere) -> None:
    record = shown(run_here, *ONE, "--output", "table").stdout
    assert "fields.name-first" in record
    assert "Ann" in record
    assert "note" not in record
    chosen = shown(run_here, *ONE, "--output", "table", "--fields", "status,note").stdout
    assert [line.split() for line in chosen.splitlines()] == [["status", "completed"], ["note"]]


def test_an_empty_list_says_so(inquiries: dict[str, Any], run_here: RunHere) -> None:
    inquiries["data"] = []
    done = shown(run_here, *LIST, "--output", "table")
    assert (done.stdout, done.stderr) == ("", "There are none.\n")
    assert shown(run_here, *LIST, "--output", "ndjson").stdout == ""
    assert shown(run_here, *LIST, "--output", "csv", "--fields", "id,status").stdout == "id,status\n"


def test_where_a_list_goes_on_is_told(inquiries: dict[str, Any], run_here: RunHere) -> None:
    inquiries["links"]["next"] = f"/api/v1/inquiries?page%5Bafter%5D={ID}"
    for form in ("table", "csv", "ndjson"):
        assert f"There is more: add --all, or pageAfter={ID}" in shown(run_here, *LIST, "--output", form).stderr
    assert shown(run_here, *LIST).stderr == ""


@pytest.mark.usefixtures("inquiries")
def test_chosen_fields(run_here: RunHere) -> None:
    chosen = ("--fields", "referenceId, fields.name-first,note")
    things = [{"referenceId": f"customer-{number}", "fields.name-first": "Ann", "note": None} for number in (1, 2)]
    assert json.loads(shown(run_here, *LIST, *chosen).stdout)["output"] == {"inquiries": things, "nextCursor": None}
    assert json.loads(shown(run_here, *ONE, *chosen).stdout)["output"] == {"inquiry": things[0]}
    lines = shown(run_here, *LIST, *chosen, "--output", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == things
    rows = list(csv.DictReader(io.StringIO(shown(run_here, *LIST, *chosen, "--output", "csv").stdout)))
    assert rows == [{**thing, "note": ""} for thing in things]


def test_a_field_that_is_none_is_refused_before_anything_is_sent(answer: Answer, run_here: RunHere) -> None:
    answer(lambda _: pytest.fail("sent"))
    done = run_here("run", "create_account", "--fields", "id,stauts,moon", PERSONA_API_KEY="k")
    assert done.returncode == 2
    problems = json.loads(done.stdout)["errorDetails"]["problems"]
    assert [problem["param"] for problem in problems] == ["--fields", "--fields"]
    assert "entry 2" in problems[0]["message"] and "did you mean status?" in problems[0]["message"]


@pytest.mark.parametrize(
    ("start", "shown_start"),
    [
        *((start, f"'{start}") for start in ("=", "+", "-", "@", " =", "\xa0=", "\uff1d")),
        ("\t=", "'\t'="),
        ("\r@", "'\r'@"),
        ("Ann;=", "Ann;'="),
        ("Ann; =", "Ann;' ="),
        ("Ann\n=", "Ann\n'="),
    ],
)
def test_no_cell_becomes_a_formula(start: str, shown_start: str, inquiries: dict[str, Any], run_here: RunHere) -> None:
    """Nor does a part of one, where a spreadsheet takes a semicolon for its end, as those of half of Europe do."""
    call = 'HYPERLINK("https://example.com","x")'
    formula = f"{start}{call}"
    inquiries["data"] = [inquiry(1, note=formula), inquiry(2, note="plain = text")]
    done = shown(run_here, *LIST, "--output", "csv", "--fields", "id,note")
    rows = list(csv.reader(io.StringIO(done.stdout, newline="")))
    assert [row[1] for row in rows] == ["note", f"{shown_start}{call}", "plain = text"]
    assert "an apostrophe before it: 1" in done.stderr


@given(st.text() | st.text("=+-@; \t\r\n'a\xa0"))
def test_a_harmless_cell_is_the_same_text_or_has_apostrophes(text: str) -> None:
    assert harmless(text).replace("'", "") == text.replace("'", "")
    assert not harmless(text).startswith(("\t", "\r", "\n"))
    assert not any(part.lstrip().startswith(("=", "+", "-", "@")) for part in re.split("[;\t\r\n]", harmless(text)))


def test_numbers_of_csv_stay_numbers(answer: Answer, run_here: RunHere) -> None:
    importer = {"type": "importer/account", "id": "mprt_1", "attributes": {"status": "ready", "successful-count": -3}}
    answer(lambda _: httpx.Response(200, json={"data": importer}))
    done = shown(run_here, "get_importer", "importerId=mprt_1", "--output", "csv", "--fields", "successfulCount")
    assert done.stdout == "successfulCount\n-3\n"
    assert done.stderr == ""


def test_nothing_in_a_table_or_on_a_terminal_steers_it(
    inquiries: dict[str, Any], run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    inquiries["data"] = [inquiry(1, note="\x1b]0;t\x07\u202e\n\r\x9b2J")]
    monkeypatch.setattr(output, "is_terminal", lambda _: True)
    for form in output.FORMATS:
        for arguments in (LIST, ONE):
            text = shown(run_here, *arguments, "--fields", "note", "--output", form).stdout
            assert text.replace("\n", "").isprintable(), form


def test_no_colour_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    for environment, is_bold in (
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ):
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        for name in ("TERM", "NO_COLOR", "WT_SESSION"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        tables.print_items(["id"], [["a\x1b[31m"]], chosen=False)
        assert ("\x1b[1mid\x1b[0m" in stream.getvalue()) == is_bold
        assert "\x1b[31m" not in stream.getvalue()


def test_wide_characters_keep_columns_straight() -> None:
    assert [shown_width(text) for text in ("ab", "日本", "e\u0301", "Ａ")] == [2, 4, 1, 2]
    assert padded("日", 4) == "日  "


def test_several_outputs_are_one_record(answer: Answer, run_here: RunHere) -> None:
    meta = {"one-time-link": "https://example.com/verify?code=1", "one-time-link-short": None}
    answer(lambda _: httpx.Response(200, json={"data": inquiry(1), "meta": meta}))
    operation = ("generate_inquiry_link", f"inquiryId={ID}")
    record = shown(run_here, *operation, "--output", "table").stdout
    assert record.split()[:2] == ["oneTimeLink", "https://example.com/verify?code=1"]
    assert "inquiry.status" in record
    chosen = shown(run_here, *operation, "--fields", "oneTimeLink,inquiry.id").stdout
    assert json.loads(chosen)["output"] == {"oneTimeLink": meta["one-time-link"], "inquiry.id": f"{ID[:-1]}1"}


def test_what_was_read_before_it_failed_is_shown(answer: Answer, run_here: RunHere) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if "page[after]" in request.url.params:
            return httpx.Response(403, json={"errors": [{"title": "No"}]})
        return httpx.Response(200, json={"data": [inquiry(1)], "links": {"next": f"/x?page%5Bafter%5D={ID}"}})

    answer(reply)
    done = run_here("run", *LIST, "--all", "--output", "csv", "--fields", "id", PERSONA_API_KEY="k")
    assert done.returncode == 1
    assert done.stdout == f"id\n{ID[:-1]}1\n"
    assert "403" in done.stderr


def test_the_key_of_a_write_in_doubt_is_told_beside_a_table(answer: Answer, run_here: RunHere) -> None:
    def lose(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("lost")

    answer(lose)
    arguments = ("run", "create_account", "--output", "table", "--idempotency-key", "step-7")
    done = run_here(*arguments, PERSONA_API_KEY="k")
    assert "Idempotency key: step-7" in done.stderr


NAME = "日本 Łukasz ü 🎉"


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "cp932", "utf-8"])
def test_any_encoding_shows_what_was_created(
    encoding: str, answer: Answer, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(lambda _: httpx.Response(201, json={"data": inquiry(1, **{"reference-id": NAME})}))
    commands = [["run", "create_inquiry", "inquiryTemplateId=itmpl_1", f"--output={form}"] for form in output.FORMATS]
    commands += [["tools"], ["describe", "create_report"], ["run", "create_inquiry", "--help"], ["sandbox", "--help"]]
    for command in commands:
        stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            code = run_here(*command, PERSONA_API_KEY="k").returncode
        stdout.seek(0)
        text = stdout.read()
        assert code == 0
        if command[-1] in ("--output=json", "--output=ndjson"):
            assert NAME in json.dumps(json.loads(text), ensure_ascii=False)
        elif "--output" in command[-1]:
            assert NAME.encode(encoding, "backslashreplace").decode(encoding) in text


@pytest.mark.process
def test_a_code_page_of_windows_shows_what_was_created() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "persona_block.cli", "run", "create_account", f"fields.name-first={NAME}", "--sandbox"]
    done = subprocess.run([*command, "--output=table"], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "fields.name.first  \\u65e5\\u672c \\u0141ukasz ü \\U0001f389" in done.stdout.decode("cp1252").replace("\r", "")


@pytest.mark.process
def test_a_stdout_that_takes_nothing_is_no_traceback() -> None:
    program = f"{sys.executable} -m persona_block.cli run create_account --sandbox"
    for nobody_reads in ("> /dev/full", "| true"):
        command = ["bash", "-c", f"set -o pipefail; {program} {nobody_reads}"]
        full = subprocess.run(command, capture_output=True, text=True, check=False)
        assert full.returncode == 1
        assert "create_account was done, but its result could not be written" in full.stderr
        assert re.search("^Idempotency key: [0-9a-f-]{36}$", full.stderr, re.MULTILINE)
    for redirection, code in ((">&-", 0), ("2>&-", 0)):
        done = subprocess.run(["bash", "-c", f"{program} {redirection}"], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


class Full(io.StringIO):
    """A stream that takes nothing, as that of a full disk."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("option", ["--debug", "--wait"])
def test_a_stderr_that_takes_nothing_loses_no_result(
    option: str, answer: Answer, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(lambda _: httpx.Response(200, json={"data": inquiry(1)}))
    monkeypatch.setattr(sys, "stderr", Full())
    done = run_here("run", "get_inquiry", "inquiryId=inq_1", option, PERSONA_API_KEY="k")
    assert (done.returncode, json.loads(done.stdout)["success"]) == (0, True)


@pytest.mark.parametrize(("status", "words"), [(201, "was done"), (500, "may have been done"), (404, "was not done")])
@pytest.mark.parametrize("error", [OSError(28, "full"), BrokenPipeError(), KeyboardInterrupt()])
def test_a_result_that_is_not_written_is_told_with_its_key(
    status: int, words: str, error: BaseException, answer: Answer, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    answer(lambda _: httpx.Response(status, json={"data": {"type": "account", "id": "act_1", "attributes": {}}}))
    monkeypatch.setattr(run, "print_result", fail)
    done = run_here("run", "create_account", "--idempotency-key", "step-7", PERSONA_API_KEY="k")
    assert done.returncode == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert f"create_account {words}, but its result could not be written" in done.stderr
    assert ("Idempotency key: step-7" in done.stderr) == (status != 404)


def test_a_stream_that_cannot_write_a_character_escapes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="strict")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.prepare_streams()
    print("日", flush=True)
    stream.seek(0)
    assert stream.read() == "\\u65e5\n"


def test_a_stream_that_was_closed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stdin", None)
    terminal.prepare_streams()
    terminal.print_lines("nobody reads this")
    assert sys.stdin.readline() == ""
    sys.stdout.close()
    sys.stdin.close()
