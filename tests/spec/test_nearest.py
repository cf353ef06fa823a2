"""The nearest known name: the one difflib finds, and no more time for a longer name."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block.spec import catalog
from persona_block.spec.nearest import nearest_name

PARAMS = sorted({param for spec in catalog.load_all() for param in spec.params})


@given(st.sampled_from(PARAMS), st.text(max_size=200), st.sampled_from([0.5, 0.6]))
def test_it_is_the_one_that_difflib_finds(name: str, rest: str, cutoff: float) -> None:
    mistyped = name[1:] + rest
    matches = difflib.get_close_matches(mistyped, PARAMS, n=1, cutoff=cutoff)
    assert nearest_name(mistyped, PARAMS, cutoff) == (matches[0] if matches else None)


def test_no_known_name_is_close_to_a_longer_one_than_is_compared() -> None:
    """With the cutoff of 0.5 that params have, a match is at most three times as long as the other."""
    longest = max(len(name) for name in (*PARAMS, *catalog.names()))
    assert 3 * longest < 100


@pytest.mark.parametrize("characters", [10**6, 10**7])
def test_a_long_name_takes_no_longer(characters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def remember(name: str, *_: object, **__: object) -> list[str]:
        compared.append(name)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", remember)
    assert nearest_name("x" * characters, PARAMS) is None
    assert [len(name) for name in compared] == [100]
