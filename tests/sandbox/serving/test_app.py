"""The application: paths and methods that it does not know, and the header of every answer."""

from __future__ import annotations

from tests.support.contract_client import Client


def test_every_answer_says_that_it_is_a_simulation(client: Client) -> None:
    for path in ("/accounts", "/accounts/act_nobody", "/nowhere"):
        assert client.call("GET", path).headers["persona-sandbox"] == "simulation"


def test_unknown_paths_and_methods(client: Client) -> None:
    assert client.get("/transactions", 404).body["errors"][0]["title"] == "Record not found"
    assert client.call("PUT", "/accounts").status == 405
