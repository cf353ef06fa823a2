"""Worker processes of flows, run as the command line runs them, and a campaign that they share."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

CALLS_A_ROW = 3
DOCUMENT: dict[str, Any] = {
    "name": "invite",
    "inputs": {"referenceId": {"type": "string"}, "inquiryTemplateId": {"type": "string"}},
    "steps": [
        {
            "id": "start",
            "operation": "create_inquiry",
            "params": {"inquiryTemplateId": "{input.inquiryTemplateId}", "referenceId": "{input.referenceId}"},
        },
        {"id": "link", "operation": "generate_inquiry_link", "params": {"inquiryId": "{start.inquiry.id}"}},
        {"id": "seen", "operation": "get_inquiry", "params": {"inquiryId": "{start.inquiry.id}"}},
    ],
}
"""A workflow of three calls a row, so that the time of a campaign is that of the rate limit."""


@contextmanager
def worker(database: str, base_url: str, api_key: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `persona-block flow worker` until the context ends, and give the process once it runs flows."""
    environment = {
        **os.environ,
        "PERSONA_FLOWS_DATABASE": database,
        "PERSONA_BASE_URL": base_url,
        "PERSONA_API_KEY": api_key,
    }
    command = [sys.executable, "-m", "persona_block.cli", "flow", "worker", *options]
    # A pipe that nobody reads would hold it up.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        process = subprocess.Popen(command, env=environment, stderr=told)
        try:
            until(lambda: "runs flows" in _text(told) or process.poll() is not None, 60)
            assert process.poll() is None, _text(told)
            yield process
        finally:
            process.kill()
            process.wait()


def _text(file: IO[str]) -> str:
    # Read beside its position, at which the process writes.
    return os.pread(file.fileno(), 65536, 0).decode(errors="replace")


def until(condition: Any, seconds: float) -> None:
    """Wait until a function gives something true; raises AssertionError after so many seconds."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)
