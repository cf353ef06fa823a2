"""The table of docs/agents.md names what is tested, and its figures are those that are measured."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.tokens import measured
from scripts.frameworks import GROUPS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text("utf-8")
ELSEWHERE = ROOT / "tests" / "hosts" / "elsewhere"


def test_every_framework_of_the_table_is_tested_and_no_other() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.endswith("| `make frameworks` |")]
    packages = {re.sub(r" [\d.]+$", "", row[5].strip()) for row in rows}
    needs = {name: needs[0].partition(">=")[0] for group in GROUPS for name, needs in group.frameworks.items()}
    assert packages == set(needs.values())
    assert {path.stem.removeprefix("test_") for path in ELSEWHERE.glob("test_*.py")} == set(needs)


async def test_the_figures_are_about_those_that_are_measured() -> None:
    rows = re.findall(r"^\| (an? [\w ]+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    told = {answer: (int(every_field), int(given)) for answer, every_field, given in rows}
    costs = {cost.answer: (cost.every_field, cost.given) for cost in await measured()}
    assert told.keys() == costs.keys()
    for answer, figures in costs.items():
        for figure, figure_told in zip(figures, told[answer], strict=True):
            assert abs(figure - figure_told) <= 0.05 * figure, answer
