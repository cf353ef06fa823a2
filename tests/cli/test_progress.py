"""Progress on stderr: Rich's bar on a terminal, a line without Rich, and a line a step where there is no terminal."""

from __future__ import annotations

import io
import re
import sys
from typing import Any

import pytest

from persona_block.call.progress import ProgressUpdate
from persona_block.cli.progress import ProgressBar, ProgressLine, progress_display

UPDATES = [
    ProgressUpdate("list_accounts: 1 page"),
    ProgressUpdate("rows\x1b[2J [red]so far", done=40, failed=2, skipped=8, total=200, rate=12.5, time_left=65),
]


class Terminal(io.StringIO):
    """A terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO) -> str:
    display = progress_display(stream)
    for update in UPDATES:
        display.show(update)
    display.close()
    display.close()
    return stream.getvalue()


@pytest.fixture(autouse=True)
def able_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name a terminal that can do what most can."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize("columns", [40, 100])
def test_a_bar_on_a_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    assert isinstance(progress_display(stream), ProgressBar)
    text = shown(stream)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert all(len(line.rstrip("\r")) <= columns for line in re.split("[\r\n]+", plain))
    assert "48/200, 2 failed" in plain
    assert ("12.5/s, 1:05 left" in plain) == (columns == 100)
    assert "\x1b[2Jx" not in text and "rows\\x1b[2J"[: 8 if columns == 40 else 12] in plain
    assert ("[red]so" in plain) == (columns == 100)


def test_a_wait_shows_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "100")
    stream = Terminal()
    display = progress_display(stream)
    display.show(ProgressUpdate("get_report: pending", time_left=59.6))
    display.close()
    assert "1:00 left" in stream.getvalue()
    assert ", 1:00 left" not in stream.getvalue()


def test_without_colour_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown(Terminal()))


@pytest.mark.parametrize("reason", ["no rich", "dumb"])
def test_a_line_where_there_can_be_no_bar(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    if reason == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    else:
        monkeypatch.setitem(sys.modules, "rich", None)
    text = shown(Terminal())
    assert text == "\r\x1b[Klist_accounts: 1 pa\r\x1b[Krows\\x1b[2J [red]so\n"


def test_a_line_a_step_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    assert isinstance(progress_display(stream), ProgressLine)
    assert shown(stream) == "list_accounts: 1 page\nrows\\x1b[2J [red]so far\n"


def test_a_line_a_step_beside_what_others_print() -> None:
    stream = Terminal()
    display = progress_display(stream, is_plain=True)
    display.show(UPDATES[0])
    display.close()
    assert stream.getvalue() == "list_accounts: 1 page\n"


def test_a_bar_that_was_never_needed_shows_nothing() -> None:
    stream: Any = Terminal()
    progress_display(stream).close()
    assert stream.getvalue() == ""
