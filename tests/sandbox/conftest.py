"""Fixtures of the sandbox's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.contract_client import Client


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a new sandbox whose clock stands still until it is advanced."""
    with Client() as made:
        yield made
