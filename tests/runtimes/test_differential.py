"""The engine and the JavaScript runtime make the same of params, answers, ends of attempts and webhooks that mean no good."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.playing import play
from tests.runtimes.hostile import Entry, Hostile
from tests.runtimes.node import node_lines
from tests.support.budget import budget

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.soak]

SEED = 2027


@pytest.mark.parametrize(
    ("kind", "small", "full"),
    [("calls", 300, 5_000), ("answers", 300, 5_000), ("errors", 100, 1_000), ("retries", 100, 1_000), ("webhooks", 50, 500)],
)
def test_both_make_the_same_of_it(kind: str, small: int, full: int, documents: dict[str, str]) -> None:
    source: Callable[[int], Iterator[Entry]] = getattr(Hostile(SEED), kind)
    entries = list(source(budget(small=small, full=full)))
    outcomes = node_lines("conformance/lines.mjs", ({"kind": kind, **entry} for entry in entries), **documents)
    went_well = 0
    for entry, outcome in zip(entries, outcomes, strict=True):
        expected = play(kind, entry)
        assert _doubles(outcome) == _doubles(expected), json.dumps(entry)
        went_well += any(expected.get(name) for name in ("request", "output", "again", "accepted"))
    # Were either rare, half of the rules would not be tried.
    assert kind == "errors" or 0.1 < went_well / len(entries) < 0.9


def _doubles(node: Any) -> Any:
    """Return a JSON value whose numbers are doubles, which is all that JavaScript has."""
    if isinstance(node, dict):
        return {name: _doubles(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_doubles(value) for value in node]
    return float(node) if isinstance(node, int | float) and not isinstance(node, bool) else node
