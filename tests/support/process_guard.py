"""A watch that keeps markers true: a test that starts a process or a browser fails unless it is marked so.

`make quick` leaves out what is marked, so a process without a marker would make it slow.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from typing import Any

import pytest

BROWSER_PROGRAMS = ("playwright", "chromium", "chrome")
"""What stands in the path of a program that is a browser, or that starts one."""


class ProcessGuard:
    """A pytest plugin that watches `subprocess.Popen`, which asyncio, anyio and Playwright use too."""

    def __init__(self) -> None:
        self._test: pytest.Item | None = None
        self._patch = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        """Begin to watch."""
        start = subprocess.Popen.__init__

        def start_watched(process: subprocess.Popen[Any], args: Any, *more: Any, **options: Any) -> None:
            self._refuse_unmarked(args)
            start(process, args, *more, **options)

        self._patch.setattr(subprocess.Popen, "__init__", start_watched)

    def pytest_unconfigure(self) -> None:
        """Watch no longer."""
        self._patch.undo()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Remember which test is running, its fixtures included."""
        self._test = item
        try:
            return (yield)
        finally:
            self._test = None

    def _refuse_unmarked(self, args: Any) -> None:
        if self._test is None:
            return
        program = os.fspath(args if isinstance(args, str | bytes | os.PathLike) else args[0])
        name = os.fsdecode(program)
        needed = "browser" if any(part in name for part in BROWSER_PROGRAMS) else "process"
        if not any(self._test.get_closest_marker(marker) for marker in (needed, "browser")):
            pytest.fail(f"{self._test.nodeid} starts {name}: mark it with @pytest.mark.{needed}", pytrace=False)
