"""The commands of the Makefile: each explains itself, and every one that is named elsewhere exists."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
(PHONY,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)


# Without what a make that runs these tests hands on to makes below it, such as its talk of folders
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


@pytest.mark.process
def test_make_help_explains_every_command() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    assert re.findall(r"^make ([\w-]+) +\w", done.stdout, re.MULTILINE) == PHONY.split()


@pytest.mark.process
@pytest.mark.parametrize("command", ["test", "quick", "soak"])
def test_options_reach_pytest(command: str) -> None:
    dry_run = ["make", "--dry-run", command, "ARGS=-k wait"]
    done = subprocess.run(dry_run, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1].startswith(".venv/bin/pytest ")
    assert done.stdout.splitlines()[-1].endswith(" -k wait")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".ci/run", ".pre-commit-config.yaml"])
def test_every_command_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    commands = re.findall(r"(?:^|`|entry: |then )make ([\w-]+)", text, re.MULTILINE)
    assert commands
    assert set(commands) <= set(PHONY.split())


def test_continuous_integration_runs_every_check() -> None:
    commands = re.findall(r"\bmake ([\w-]+)", (ROOT / ".ci/run").read_text("utf-8"))
    checks = {
        "peers",
        "lint",
        "types",
        "test",
        "soak",
        "exports",
        "flows",
        "export-sim",
        "export-n8n",
        "langflow",
        "canvas",
        "docs",
        "generate",
    }
    assert checks <= set(commands)
