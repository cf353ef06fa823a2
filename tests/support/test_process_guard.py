"""A test that starts a process or a browser has to be marked."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "print('started')"]
ROOT = Path(__file__).resolve().parents[2]


def test_a_process_needs_its_marker() -> None:
    with pytest.raises(
        pytest.fail.Exception, match=r"test_a_process_needs_its_marker starts .*: mark it with @pytest.mark.process"
    ):
        subprocess.run(COMMAND, check=True)
    with pytest.raises(pytest.fail.Exception, match=r"@pytest.mark.process"):
        subprocess.run("true", shell=True, check=True)
    with pytest.raises(pytest.fail.Exception, match=r"@pytest.mark.process"):
        subprocess.run(Path(sys.executable), check=True)


async def test_a_process_of_asyncio_needs_its_marker() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"@pytest.mark.process"):
        await asyncio.create_subprocess_exec(*COMMAND)


@pytest.mark.process
def test_a_browser_needs_a_marker_of_its_own() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"@pytest.mark.browser"):
        subprocess.run(["/usr/bin/chromium", "--version"], check=True)


@pytest.mark.process
def test_a_marked_test_may_start_a_process() -> None:
    assert subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout == "started\n"


@pytest.mark.browser
def test_a_test_with_a_browser_may_start_a_process() -> None:
    assert subprocess.run(COMMAND, check=True, capture_output=True, text=True).stdout == "started\n"


@pytest.mark.process
def test_quick_leaves_out_what_is_marked() -> None:
    paths = ["tests/support/test_process_guard.py", "tests/test_soak.py"]
    command = [sys.executable, "-m", "pytest", "--quick", "--collect-only", "-q", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert re.findall(r"::(\w+)$", done.stdout, re.MULTILINE) == [
        "test_a_process_needs_its_marker",
        "test_a_process_of_asyncio_needs_its_marker",
    ]
