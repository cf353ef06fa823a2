"""The speed of the sandbox, measured with less work than in `benchmarks/sandbox.py`."""

from __future__ import annotations

import pytest

from benchmarks.sandbox import paging, start


def test_a_sandbox_starts_quickly() -> None:
    assert start() < 0.05


@pytest.mark.soak
async def test_the_last_page_of_a_list_costs_no_more_than_the_first() -> None:
    first, last = await paging(20_000, size=20)
    assert last <= 1.5 * first
