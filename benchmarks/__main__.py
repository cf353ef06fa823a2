"""Print what the package costs, as ratios from one interleaved run: `make bench`."""

from __future__ import annotations

from benchmarks import calls, cold

if __name__ == "__main__":
    print("median of the ratios, their quartiles, the goal, and the CPU times of both")
    cold.main()
    calls.main()
