"""Play a conversation through the own runner of each agent framework: `make frameworks`.

The frameworks bring some hundred packages each, and not all of them agree on versions, so they have environments of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venv" / "frameworks"
TESTS = "tests/hosts/elsewhere"
TEST_TOOLS = ("pytest>=8", "pytest-asyncio>=0.24")
SILENT = {"OTEL_SDK_DISABLED": "true", "CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false"}
"""Frameworks report to their makers unless they are told not to."""


@dataclass(frozen=True)
class Environment:
    """Frameworks that agree on versions: by the name of their test, what each needs."""

    name: str
    frameworks: dict[str, tuple[str, ...]]
    extras: tuple[str, ...]


GROUPS = (
    Environment("crewai", {"crewai": ("crewai>=1.15", "langchain-core>=1.2.10")}, ("sandbox",)),
    Environment(
        "others",
        {
            "agent_framework": ("agent-framework-core>=1.20",),
            "autogen": ("autogen-agentchat>=0.7", "autogen-ext>=0.7"),
            "claude_agent_sdk": ("claude-agent-sdk>=0.2",),
            "dspy": ("dspy>=3",),
            "google_adk": ("google-adk>=2",),
            "haystack": ("haystack-ai>=3",),
            "llama_index": ("llama-index-core>=0.14",),
            "smolagents": ("smolagents>=1.26", "langchain-core>=1.2.10"),
        },
        ("sandbox", "mcp"),
    ),
)


def install(environment: Environment) -> list[str]:
    """Make an environment, and return the names of the frameworks that could be had; says in a line which could not."""
    folder = ENVIRONMENTS / environment.name
    had = folder / "had.txt"
    wanted = "\n".join(f"{name} {' '.join(needs)}" for name, needs in environment.frameworks.items())
    marker = folder / "wanted.txt"
    if marker.exists() and had.exists() and marker.read_text("utf-8") == wanted:
        return had.read_text("utf-8").split()
    venv.create(folder, clear=True, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip", "uv"], check=True)
    own = f"{ROOT}[{','.join(environment.extras)}]"
    _install(python, [*TEST_TOOLS, "--editable", own]).check_returncode()
    needs = [need for each in environment.frameworks.values() for need in each]
    names = list(environment.frameworks)
    if _install(python, needs).returncode:
        names = [name for name in names if _could_be_had(python, name, environment.frameworks[name])]
    had.write_text(" ".join(names), "utf-8")
    marker.write_text(wanted, "utf-8")
    return names


def _could_be_had(python: str, name: str, needs: Sequence[str]) -> bool:
    done = _install(python, needs)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        print(f"{name} cannot be had here, so it is not tested: {reason}", flush=True)
    return done.returncode == 0


def _install(python: str, needs: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python, *needs]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(environment: Environment, options: Sequence[str]) -> int:
    """Play the conversations of an environment, and return pytest's exit code, or 0 where no framework could be had."""
    names = install(environment)
    if not names:
        return 0
    python = str(ENVIRONMENTS / environment.name / "bin" / "python")
    print(f"{environment.name}: {', '.join(names)}", flush=True)
    files = [f"{TESTS}/test_{name}.py" for name in names]
    settings = [f"--rootdir={ROOT}", f"--confcutdir={ROOT / TESTS}", "-c", f"{TESTS}/pytest.ini", "-W", "ignore"]
    command = [python, "-m", "pytest", *settings, *files, *options]
    variables = {**os.environ, **SILENT, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def main(options: Sequence[str]) -> int:
    """Play all conversations, and return 0 where every one went well."""
    return max([run(environment, options) for environment in GROUPS])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
