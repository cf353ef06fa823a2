"""The application: unknown paths and methods, and the header of every reply."""

from __future__ import annotations

from tests.support.contract_client import ContractClient


def test_every_reply_is_labelled_as_a_simulation(client: ContractClient) -> None:
    for path in ("/accounts", "/accounts/act_nobody", "/nowhere"):
        assert client.call("GET", path).headers["persona-sandbox"] == "simulation"


def test_unknown_paths_and_methods(client: ContractClient) -> None:
    assert client.get("/transactions", 404).body["errors"][0]["title"] == "Record not found"
    assert client.call("PUT", "/accounts").status == 405
