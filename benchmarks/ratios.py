"""Ratios of what is measured in turns: their median and their spread, beside the goal."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

Measure = Callable[[], float]
"""Measures once, and returns seconds."""


class Ratio(NamedTuple):
    """A row of a table: one thing measured over another."""

    title: str
    over: str
    under: str
    goal: float | None = None
    """The largest ratio that is aimed at; None for a row that is shown for comparison."""


def in_turns(measures: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Return what each thing measured in each round; they take turns, so that a busy machine slows all alike."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return taken


def print_ratios(rows: Sequence[Ratio], taken: Mapping[str, Sequence[float]]) -> None:
    """Print a line for each row of which both things were measured: the median, its quartiles, the goal and both times."""
    for row in rows:
        if row.over not in taken or row.under not in taken:
            continue
        ratios = [over / under for over, under in zip(taken[row.over], taken[row.under], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4)
        goal = "" if row.goal is None else f"goal {row.goal:g}"
        times = f"{_time(statistics.median(taken[row.over]))} over {_time(statistics.median(taken[row.under]))}"
        print(f"{row.title:58} {median:6.2f}  ({low:.2f} to {high:.2f})  {goal:9}  {times}", flush=True)


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} µs" if seconds < 0.01 else f"{seconds * 1e3:.0f} ms"
