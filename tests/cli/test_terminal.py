"""What reaches a terminal steers none: control and format characters stand as escapes, and JSON stays the same data."""

from __future__ import annotations

import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import PersonaError, Runner, ToolResult
from persona_block.call.progress import ProgressUpdate
from persona_block.call.result import failed_result
from persona_block.cli import output, terminal
from persona_block.cli.progress import ProgressLine
from persona_block.cli.terminal import escaped
from persona_block.spec import catalog
from tests.cli.conftest import RunHere

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\x08\r\n\x00\x7f\u202eevil\u2066\u200b\ufeff\u2028\U000e0001\ud800 fine ü 🎉"


def steers(text: str) -> bool:
    """Return whether text holds a character that is no visible one, line breaks aside."""
    return any(unicodedata.category(each)[0] in "CZ" and each not in " \n" for each in text)


@given(st.text() | st.just(HOSTILE))
def test_escaped_text_steers_nothing(text: str) -> None:
    shown = escaped(text)
    assert not steers(shown)
    assert "\n" not in shown
    if text.isprintable():
        assert shown == text


def test_escapes_can_be_read() -> None:
    assert escaped("a\x1b[31m\u202eb\nü") == "a\\x1b[31m\\u202eb\\nü"


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Any], None]:
    """Have the command line's runners answered so."""

    def answer_with(status: int, document: Any) -> None:
        content = json.dumps(document).encode()

        def reply(_: httpx.Request) -> httpx.Response:
            return httpx.Response(status, content=content, headers={"Content-Type": "application/json"})

        make = Runner.__init__

        def make_offline(runner: Runner, **options: Any) -> None:
            make(runner, **options, transport=httpx.MockTransport(reply), deadline=0)

        monkeypatch.setattr(Runner, "__init__", make_offline)

    return answer_with


def test_an_error_of_persona(answer: Callable[[int, Any], None], run_here: RunHere) -> None:
    answer(422, {"errors": [{"title": HOSTILE, "details": HOSTILE}]})
    done = run_here("run", "approve_inquiry", "inquiryId=inq_1", "--yes", PERSONA_API_KEY="k")
    assert done.returncode == 1
    assert not steers(done.stdout + done.stderr)
    assert done.stderr.count("\n") == 1
    assert "\\x1b]0;title" in done.stderr
    carried = re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", HOSTILE)
    assert json.loads(done.stdout)["errorDetails"]["title"] == carried


def test_an_output(answer: Callable[[int, Any], None], run_here: RunHere) -> None:
    text = HOSTILE.replace("\ud800", "")
    answer(200, {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"note": text, "status": text}}})
    done = run_here("run", "get_inquiry", "inquiryId=inq_1", PERSONA_API_KEY="k")
    assert done.returncode == 0
    assert not steers(done.stdout)
    assert "fine ü 🎉" in done.stdout
    assert json.loads(done.stdout)["output"]["inquiry"]["note"] == text


def test_progress(run_here: RunHere, monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell(_: Runner, *_arguments: Any, **options: Any) -> ToolResult:
        options["progress"](ProgressUpdate(HOSTILE))
        return failed_result(PersonaError("the end"))

    monkeypatch.setattr(Runner, "run", tell)
    done = run_here("run", "get_report", "reportId=rep_1", "--wait", PERSONA_API_KEY="k")
    assert not steers(done.stdout + done.stderr)
    assert done.stderr.splitlines() == [escaped(HOSTILE), "the end"]


class Live(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_a_live_line_holds_no_steering_but_its_own() -> None:
    stream = Live()
    line = ProgressLine(stream)
    line.show(ProgressUpdate(HOSTILE))
    line.close()
    assert stream.getvalue().startswith("\r\x1b[K")
    assert not steers(stream.getvalue().removeprefix("\r\x1b[K"))


@pytest.mark.process
@pytest.mark.slow
def test_paths_and_names_of_the_user(run_here: RunHere, tmp_path: Any) -> None:
    refused = tmp_path / "a\x1b[31mb"
    done = run_here("demo", "--output-dir", str(refused))
    assert (done.returncode, done.stdout, refused.exists()) == (2, "", False)
    assert done.stderr.startswith("--output-dir: must be a folder")
    folder = tmp_path / "a[31m\u202eb"
    done = run_here("demo", "--output-dir", str(folder))
    assert done.returncode == 0
    assert not steers(done.stdout + done.stderr)
    assert "a[31m\\u202e" in done.stdout
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert not steers(run_here("run", "get_inquiry", HOSTILE.replace("\0", "").replace("\ud800", "")).stderr)
    assert not steers(run_here("export", "dify", str(tmp_path / "\x1b[2Jout")).stdout)


def test_tables_of_specs_that_somebody_changed(monkeypatch: pytest.MonkeyPatch, run_here: RunHere) -> None:
    specs = catalog.load_all()
    changed = [spec.model_copy(update={"description": HOSTILE, "title": HOSTILE}) for spec in specs]
    monkeypatch.setattr(catalog, "load_all", lambda: changed)
    monkeypatch.setattr(catalog, "load", lambda _: changed[0])
    for arguments in (["tools"], ["tools", "--json"], ["describe", "get_inquiry"]):
        done = run_here(*arguments)
        assert done.returncode == 0
        assert not steers(done.stdout)


@contextmanager
def stdout_of(encoding: str) -> Iterator[io.TextIOWrapper]:
    """Put a stdout of another encoding, which may lack some characters, in the place of this one."""
    stream, kept = io.TextIOWrapper(io.BytesIO(), encoding=encoding), sys.stdout
    sys.stdout = stream
    try:
        yield stream
    finally:
        sys.stdout = kept
    stream.seek(0)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_stdout_of_any_encoding(encoding: str) -> None:
    with stdout_of(encoding) as stream:
        output.print_json({"text": HOSTILE})
    written = stream.read()
    assert not steers(written)
    assert json.loads(written) == {"text": HOSTILE}
    with stdout_of(encoding) as stream:
        terminal.print_lines("─ … ü", HOSTILE)
    assert len(stream.read().splitlines()) == 2


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_the_same_data(document: Any) -> None:
    with stdout_of("utf-8") as stream:
        output.print_json(document)
    written = stream.read()
    assert not steers(written)
    assert json.loads(written) == document
