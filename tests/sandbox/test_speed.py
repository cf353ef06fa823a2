"""What the benchmark promises, small enough for every run of the tests; `benchmarks/sandbox.py` measures it in full."""

from __future__ import annotations

from benchmarks.sandbox import paging, start


def test_a_start_is_next_to_nothing() -> None:
    assert start() < 0.05


async def test_the_end_of_a_list_costs_what_its_start_does() -> None:
    first, last = await paging(20_000, size=20)
    assert last <= 1.5 * first
