"""What a start costs in CPU, beside importing pydantic's BaseModel: whole processes, Python's own start included."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

from benchmarks.ratios import Ratio, in_turns, print_ratios

ROUNDS = 9

_TOOLS = "import sys; sys.argv = ['persona-block', 'tools']; from persona_block.cli import main; main()"
STARTS = {
    "pydantic": "from pydantic import BaseModel",
    "import persona_block": "import persona_block",
    "manifest()": "import persona_block; persona_block.manifest()",
    "persona-block tools": _TOOLS,
    "Runner imported": "from persona_block import Runner",
    "Runner made": "from persona_block import Runner; Runner(api_key='k')",
}
"""What is started, as a program for a fresh interpreter."""

_GOALS = {"import persona_block": 0.25, "manifest()": 1.0, "persona-block tools": 1.5}


def seconds(program: str) -> float:
    """Return the CPU seconds of a fresh interpreter that runs a program."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{program} failed")
    return usage.ru_utime + usage.ru_stime


def main(rounds: int = ROUNDS) -> None:
    """Measure every start in turns, and print the ratios."""
    taken = in_turns({name: partial(seconds, program) for name, program in STARTS.items()}, rounds)
    print_ratios(
        [Ratio(f"cold: {name} ÷ pydantic", name, "pydantic", _GOALS.get(name)) for name in STARTS if name != "pydantic"], taken
    )


if __name__ == "__main__":
    main()
