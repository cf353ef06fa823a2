"""The log of requests."""

from __future__ import annotations

import pytest

from tests.support.contract_client import ContractClient


def test_old_reads_are_deleted_and_writes_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("persona_block.sandbox.state.log.REMEMBERED_READS", 5)
    with ContractClient() as client:
        account = client.account().id
        for _ in range(20):
            client.get(f"/accounts/{account}")
        methods = [record.method for record in client.sandbox.requests]
    assert methods[0] == "POST"
    assert len(methods) <= 11
