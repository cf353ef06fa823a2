"""Node, which runs the JavaScript runtime and its tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).resolve().parents[2] / "runtimes/javascript"
_NODE = shutil.which("node") or "node"
_OLDEST = 20


def lacking() -> str:
    """Return why the runtime cannot be run here, or nothing."""
    if shutil.which("node") is None:
        return "there is no node here, so the JavaScript runtime is not tried"
    version = node("--version").stdout.strip()
    too_old = int(version.removeprefix("v").partition(".")[0]) < _OLDEST
    return f"the node here is {version}, and the JavaScript runtime needs {_OLDEST}" if too_old else ""


def node(*arguments: str | Path, lines: Iterable[Any] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    """Run node in the runtime's folder, with values as lines of JSON for its input; return what it wrote and its exit code."""
    return subprocess.run(
        [_NODE, *map(str, arguments)],
        cwd=RUNTIME,
        env={name: value for name, value in os.environ.items() if not name.startswith("PERSONA_")} | environment,
        input="".join(f"{json.dumps(line)}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def node_lines(script: str, lines: Iterable[Any], **environment: str) -> list[Any]:
    """Return the lines of JSON that a script writes for lines of JSON."""
    done = node(script, lines=lines, **environment)
    assert done.returncode == 0, done.stderr
    # JSON may hold characters that end a line for Python, but not for the script.
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]]
