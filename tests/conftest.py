"""A watch over the whole suite: what tests print and log is searched for planted secrets when they pass."""

from __future__ import annotations

import pytest

from tests.support.planted import leaks

_found: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.passed:
        _found.extend(f"{report.nodeid}: {leak}" for leak in leaks(content for _, content in report.sections))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for leak in _found:
        terminalreporter.write_line(f"LEAKED {leak}", red=True)
