"""How long `import persona_block` takes, against bare Python plus pydantic's own import: a ratio from one run."""

from __future__ import annotations

import subprocess
import sys
import time

ROUNDS = 15


def fastest(statements: list[str], rounds: int = ROUNDS) -> list[float]:
    """The shortest time of a fresh interpreter for each statement, in seconds; the statements take turns."""
    best = [float("inf")] * len(statements)
    for _ in range(rounds):
        for index, statement in enumerate(statements):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            best[index] = min(best[index], time.perf_counter() - start)
    return best


def ratio(rounds: int = ROUNDS) -> float:
    """`import persona_block` over `import pydantic`, whole process each."""
    ours, pydantic = fastest(["import persona_block", "from pydantic import BaseModel"], rounds)
    return ours / pydantic


if __name__ == "__main__":
    print(f"import persona_block takes {ratio():.2f} times as long as importing pydantic")
