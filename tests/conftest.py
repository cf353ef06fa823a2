"""What holds for the whole suite: its budget, its markers, and that nothing printed or logged shows a planted secret."""

from __future__ import annotations

import gc
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.budget import register_profiles
from tests.support.planted import leaks
from tests.support.process_guard import ProcessGuard
from tests.support.states import state_folder

register_profiles()

NOT_QUICK = ("browser", "process", "slow", "soak")
"""Marks of the tests that `--quick` leaves out."""

_NOT_QUICK_AS_A_WHOLE = re.compile(rf"^pytestmark = pytest\.mark\.({'|'.join(NOT_QUICK)})$", re.MULTILINE)

_leaks: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help=f"leave out the tests that are marked {', '.join(NOT_QUICK)}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a module unread whose tests `--quick` leaves out all: some import an agent framework, which takes a second."""
    if config.getoption("quick") and collection_path.suffix == ".py":
        return bool(_NOT_QUICK_AS_A_WHOLE.search(collection_path.read_text("utf-8"))) or None
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return one worker more than cores where processes are waited for, and otherwise leave it to xdist: one a core."""
    return None if config.getoption("quick") else (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("quick"):
        quick = f"not ({' or '.join(NOT_QUICK)})"
        config.option.markexpr = f"({config.option.markexpr}) and {quick}" if config.option.markexpr else quick
    config.pluginmanager.register(ProcessGuard())
    # Everything is logged. The option `log_level` would say so anew for each test, which costs a millisecond of each.
    logging.getLogger().setLevel(logging.DEBUG)


def pytest_collection_finish() -> None:
    # What the imports made stays for good: without it, the garbage collector has a tenth less to do.
    gc.collect()
    gc.freeze()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.passed:
        _leaks.extend(f"{report.nodeid}: {leak}" for leak in leaks(content for _, content in report.sections))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _leaks and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for leak in _leaks:
        terminalreporter.write_line(f"LEAKED {leak}", red=True)


@pytest.fixture(scope="session")
def states() -> Iterator[Path]:
    """A folder for the states of sandboxes that tests begin with."""
    with state_folder() as folder:
        yield folder


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The HTTP library of the runners that a test makes; each such test runs on both."""
    name: str = request.param
    monkeypatch.setenv("PERSONA_WIRE", name)
    return name
