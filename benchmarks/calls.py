"""What a call costs in CPU beside a bare HTTP client and Node's fetch, all on one canned server on loopback.

Each contestant is a process of its own, and only its own CPU time counts. A contestant whose library or program is missing is
left out, with its rows.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.contestant import CONTESTANTS
from benchmarks.ratios import Measure, Ratio, in_turns, print_ratios

NEEDS = {"bare aiohttp": "aiohttp"}
"""The library that a contestant needs beside those of the package itself."""
TASKS = {"one": ("one inquiry", 200, 800), "page": ("page of 100", 16, 64)}
"""The name of each task, and how often it is done in a turn: one at a time, and 64 at a time."""
ROUNDS = 9

_RATIOS: list[tuple[str, str, dict[str, tuple[float | None, float | None]]]] = [
    ("runner", "node", {"one": (0.6, 0.7), "page": (0.8, 0.95)}),
    ("runner", "bare aiohttp", {"one": (None, None), "page": (0.9, None)}),
    ("runner over httpx", "bare httpx", {"one": (None, None), "page": (None, None)}),
    ("runner without extras", "bare httpx", {"one": (1.25, None), "page": (1.4, None)}),
    ("bare httpx", "node", {"one": (None, None), "page": (None, None)}),
    ("bare aiohttp", "node", {"one": (None, None), "page": (None, None)}),
]
"""What is measured over what, with the goals for one at a time and for 64."""


class Contestant:
    """A process that measures itself when it is asked to."""

    def __init__(self, command: list[str]) -> None:
        self.passed: list[float] = []
        """The seconds that passed for a call, in each turn."""
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, what: str, count: int, at_once: int) -> float:
        """Return the CPU seconds of one call out of many."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {count} {at_once}\n")
        self._process.stdin.flush()
        used, passed = map(float, self._process.stdout.readline().split())
        self.passed.append(passed)
        return used

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def contestants() -> Iterator[dict[str, Contestant]]:
    """Start the server and every contestant that can be had."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.loopback"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        commands = {
            name: [sys.executable, "-m", "benchmarks.contestant", name, base_url]
            for name in CONTESTANTS
            if name not in NEEDS or importlib.util.find_spec(NEEDS[name])
        }
        if node := shutil.which("node"):
            commands["node"] = [node, str(Path(__file__).with_name("contestant.mjs")), base_url]
        started = {name: Contestant(command) for name, command in commands.items()}
        try:
            yield started
        finally:
            for each in started.values():
                each.end()
            server.stdin.close()


def print_speed(title: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
    """Print how many calls a second one thing makes over another."""
    low, median, high = statistics.quantiles([over / under for over, under in zip(ours, theirs, strict=True)], n=4)
    print(f"{title:58} {median:6.2f}  ({low:.2f} to {high:.2f})  at least 0.85", flush=True)


def main(rounds: int = ROUNDS) -> None:
    """Measure all contestants in turns, and print the ratios."""
    with contestants() as started:
        for what, (title, *counts) in TASKS.items():
            for place, (at_once, count) in enumerate(zip((1, 64), counts, strict=True)):
                measures: dict[str, Measure] = {
                    name: partial(each.seconds, what, count, at_once) for name, each in started.items()
                }
                in_turns(measures, 2)
                taken = in_turns(measures, rounds)
                rows = [
                    Ratio(f"{title}, {at_once} at a time: {over} ÷ {under}", over, under, goals[what][place])
                    for over, under, goals in _RATIOS
                ]
                print_ratios(rows, taken)
                if "bare aiohttp" in started:
                    added = statistics.median(taken["runner"]) - statistics.median(taken["bare aiohttp"])
                    print(
                        f"{f'{title}, {at_once} at a time: runner - bare aiohttp':58} {added * 1e6:6.0f} µs of CPU", flush=True
                    )
                    speeds = {
                        name: [1 / each for each in started[name].passed[-rounds:]] for name in ("runner", "bare aiohttp")
                    }
                    print_speed(f"{title}, {at_once} at a time: throughput of runner ÷ bare aiohttp", *speeds.values())


if __name__ == "__main__":
    main()
