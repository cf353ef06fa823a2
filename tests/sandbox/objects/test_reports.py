"""Reports: their three kinds, their statuses, their inquiries, and the names that make them match."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block.sandbox import OUTCOMES
from tests.support.contract_client import ContractClient

KINDS = ("watchlist", "adverse-media", "politically-exposed-person")
# The attribute that holds the findings of a kind
FINDINGS = {"watchlist": "matched-lists", "adverse-media": "related-sources", "politically-exposed-person": "result"}


def finished_report(client: ContractClient, kind: str, **query: str) -> dict[str, Any]:
    """Create a report, wait until it is done, and return its attributes; the query is in snake_case."""
    id = client.report(kind, query={name.replace("_", "-"): value for name, value in query.items()}).id
    client.sandbox.clock.advance(2)
    return client.get(f"/reports/{id}").attributes


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_pending_then_ready(client: ContractClient, kind: str) -> None:
    created = client.report(kind, query={"name-first": "Jane", "name-last": "Doe"})
    assert (created.attributes["status"], created.attributes["completed-at"]) == ("pending", None)
    assert not created.attributes[FINDINGS[kind]]
    client.sandbox.clock.advance(1.4)
    assert client.get(f"/reports/{created.id}").attributes["status"] == "pending"
    client.sandbox.clock.advance(0.1)  # the very moment it is due
    ready = client.get(f"/reports/{created.id}").attributes
    assert (ready["status"], ready["has-match"], ready[FINDINGS[kind]]) == ("ready", False, [])
    assert ready["completed-at"] > ready["created-at"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["Watchlist", "Sanctioned", "Politician", "Pep", "Press", "ReportError", "Doe"])
def test_names_steer_a_match(client: ContractClient, kind: str, name: str) -> None:
    outcome = next((each for each in OUTCOMES if each.name == name), None)
    expected = bool(outcome and outcome.report == kind)
    status = "errored" if name == "ReportError" else "ready"
    for query in ({"term": f"Jane {name.upper()}"}, {"name_first": "Jane", "name_last": name.lower()}):
        report = finished_report(client, kind, **query, birthdate="1990-01-02")
        assert (report["status"], report["has-match"], bool(report[FINDINGS[kind]])) == (status, expected, expected)


def test_attributes_differ_by_kind(client: ContractClient) -> None:
    watchlist = finished_report(client, "watchlist", name_first="Jane", name_last="Doe", address_country_code="US")
    assert (watchlist["term"], watchlist["country-code"]) == ("Jane Doe", "US")
    media = finished_report(client, "adverse-media", term="Jane Doe", birthdate="1990-01-02", country_code="US")
    assert (media["birthdate-year"], media["name-first"]) == (1990, None)
    pep = finished_report(client, "politically-exposed-person", term="Jane Doe")
    assert pep["query"] == {"term": "Jane Doe"}
    assert "term" not in pep


def test_a_report_belongs_to_its_template_and_account(client: ContractClient) -> None:
    account = client.account(reference_id="r").id
    for kind in KINDS:
        report = client.report(kind, query={"term": "Jane"}, account_id=account)
        assert report.related("report-template")["id"] == client.sandbox.templates.report(kind)
        assert report.related("account")["id"] == account
    assert len(client.get("/reports?filter[reference-id]=r").ids) == 3


def test_a_report_belongs_to_the_latest_undecided_inquiry(client: ContractClient) -> None:
    account = client.account().id

    def inquiry(outcome: str | None = None) -> str:
        id = client.inquiry({"account-id": account}).id
        if outcome:
            client.finished(id, outcome)
        return id

    def inquiry_of_new_report() -> str | None:
        report = client.report(query={"term": "Jane"}, account_id=account)
        target = report.related("inquiry")
        if target:
            assert {"type": "report/watchlist", "id": report.id} in client.get(f"/inquiries/{target['id']}").related("reports")
        return target and str(target["id"])

    assert inquiry_of_new_report() is None
    first = inquiry()
    assert inquiry_of_new_report() == first
    client.finished(first, "pass")
    assert inquiry_of_new_report() == first
    assert inquiry("fail") != first
    assert inquiry_of_new_report() == first, "a failed inquiry awaits no decision"
    latest = inquiry("review")
    assert inquiry_of_new_report() == latest
    client.post(f"/inquiries/{latest}/approve")
    assert inquiry_of_new_report() == first
    client.delete(f"/inquiries/{first}")
    assert inquiry_of_new_report() is None
