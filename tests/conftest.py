"""What holds for the whole suite: its budget, its markers, and that nothing printed or logged shows a planted secret."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.budget import register_profiles
from tests.support.planted import leaks
from tests.support.process_guard import ProcessGuard
from tests.support.states import state_folder

register_profiles()

_leaks: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
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
