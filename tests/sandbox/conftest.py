"""The fixtures of the sandbox's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.contract_client import ContractClient


@pytest.fixture
def client() -> Iterator[ContractClient]:
    """A client of a new sandbox, whose clock stands still between what a test does."""
    with ContractClient() as client:
        yield client
