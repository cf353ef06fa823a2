"""The command line without a process of its own, which takes a fraction of the time."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import pytest

from persona_block import Runner
from persona_block.cli import command


class RunHere(Protocol):
    """Runs `persona-block` in this process, with the same answer as `cli`."""

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(autouse=True)
def cache_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Have what the offline Persona remembers kept in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunHere:
    """Run `persona-block` in this process, in an environment without variables of ours but those given."""

    def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        for name in [name for name in os.environ if name.startswith("PERSONA_")]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        try:
            code = command.main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        stdout, stderr = capsys.readouterr()
        print(stdout, stderr)
        return subprocess.CompletedProcess(arguments, code, stdout, stderr)

    return run


Answer = Callable[[Callable[[httpx.Request], httpx.Response]], None]
"""Has a function answer the requests of the command line."""


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Have the command line's runners answered by a function; one with a transport of its own keeps it."""

    def answer_with(handler: Callable[[httpx.Request], httpx.Response]) -> None:
        make = Runner.__init__

        def make_offline(runner: Runner, **options: Any) -> None:
            make(runner, **{"transport": httpx.MockTransport(handler), "deadline": 0, **options})

        monkeypatch.setattr(Runner, "__init__", make_offline)

    return answer_with
