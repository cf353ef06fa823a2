"""The populated organisation: what it holds, that it fits the contract, and that a seed repeats it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from persona_block.sandbox.objects.inquiries import STATUSES
from tests.support.contract_client import ContractClient


@pytest.fixture(scope="module")
def client() -> Iterator[ContractClient]:
    """A client of one populated sandbox for all tests of this module."""
    with ContractClient(populate=True, seed=3) as client:
        yield client


def everything(client: ContractClient, path: str) -> list[Any]:
    """Read a whole list, page by page."""
    listed, link = [], f"/{path}?page[size]=100"
    while link:
        reply = client.get(link)
        listed += reply.data
        link = reply.body["links"]["next"] and f"https://persona.sandbox.invalid{reply.body['links']['next']}"
    return listed


def test_every_status_and_kind_is_there(client: ContractClient) -> None:
    inquiries = everything(client, "inquiries")
    statuses = Counter(each["attributes"]["status"] for each in inquiries)
    assert set(statuses) == STATUSES
    assert min(statuses.values()) >= 5
    accounts = everything(client, "accounts")
    assert len(accounts) == 201  # 200, and one that was imported
    cases = Counter(each["attributes"]["status"] for each in everything(client, "cases"))
    assert set(cases) == {"Open", "Declined"}
    reports = everything(client, "reports")
    assert {each["attributes"]["status"] for each in reports} == {"pending", "ready", "errored"}
    assert {each["type"] for each in reports if each["attributes"]["has-match"]} == {
        "report/watchlist",
        "report/adverse-media",
        "report/politically-exposed-person",
    }
    of_inquiries = {each["id"]: each["relationships"]["inquiry"]["data"] for each in reports}
    assert sum(1 for inquiry in of_inquiries.values() if inquiry) >= 3
    assert any(
        of_inquiries[report["id"]] in case["relationships"]["inquiries"]["data"]
        for case in everything(client, "cases")
        for report in case["relationships"]["reports"]["data"]
    )
    kinds = set()
    for inquiry in inquiries:
        for relation in ("verifications", "documents"):
            for each in inquiry["relationships"][relation]["data"]:
                kinds.add(client.get(f"/{relation}/{each['id']}").data["type"])
    assert kinds == {
        "verification/government-id",
        "verification/selfie",
        "verification/database",
        "verification/document",
        "document/government-id",
        "document/generic",
    }


def test_its_history_is_in_order(client: ContractClient) -> None:
    accounts = everything(client, "accounts")
    created = [each["attributes"]["created-at"] for each in accounts]
    assert created == sorted(created, reverse=True)
    moments = [effect.at for effect in client.sandbox.effects]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] > 29 * 24 * 3600 * 1000


def test_a_seed_repeats_it(client: ContractClient) -> None:
    def people(seed: int) -> list[Any]:
        with ContractClient(populate=True, seed=seed) as other:
            reply = other.get("/accounts?page[size]=100")
            return [(each["id"], each["attributes"]["fields"]) for each in reply.data]

    accounts = client.get("/accounts?page[size]=100").data
    assert people(3) == [(each["id"], each["attributes"]["fields"]) for each in accounts]
    assert people(4) != people(3)


def test_the_organisation_can_be_used(client: ContractClient) -> None:
    pending = client.get("/inquiries?filter[status]=pending").ids[0]
    assert client.finished(pending)["attributes"]["status"] == "completed"
    client.account(409, reference_id="customer-0001")
    report = client.get("/reports").data[0]
    assert report["attributes"]["status"] == "pending"
    client.sandbox.clock.advance(2)
    assert client.get(f"/reports/{report['id']}").attributes["status"] == "ready"
