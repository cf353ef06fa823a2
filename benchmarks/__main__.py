"""Print what the package costs, part by part: `make bench`, or `python -m benchmarks calls loop` for some parts.

Ratios come from interleaved runs, so that a busy machine slows all alike.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from benchmarks import calls, cold, files, loop, pacing, sandbox

PARTS: dict[str, Callable[[], object]] = {
    "cold": cold.main,
    "calls": calls.main,
    "loop": loop.main,
    "pacing": lambda: asyncio.run(pacing.main()),
    "files": files.main,
    "sandbox": lambda: asyncio.run(sandbox.main()),
}
"""What measures each part, and prints it."""

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    print("of ratios: the median, their quartiles, the goal, and the CPU times of both")
    for name in chosen:
        print(f"\n{name}", flush=True)
        PARTS[name]()
