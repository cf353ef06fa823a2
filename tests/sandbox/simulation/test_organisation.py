"""The populated organisation: everything is in it, all of it fits the contract, and a seed repeats it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from persona_block.sandbox.objects.inquiries import STATUSES
from tests.support.contract_client import Client


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(populate=True, seed=3) as made:
        yield made


def everything(client: Client, path: str) -> list[Any]:
    found, link = [], f"/{path}?page[size]=100"
    while link:
        answer = client.get(link)
        found += answer.data
        link = answer.body["links"]["next"] and f"https://persona.sandbox.invalid{answer.body['links']['next']}"
    return found


def test_everything_is_there(client: Client) -> None:
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


def test_its_history_is_in_order(client: Client) -> None:
    accounts = everything(client, "accounts")
    created = [each["attributes"]["created-at"] for each in accounts]
    assert created == sorted(created, reverse=True)
    moments = [effect.at for effect in client.sandbox.effects]
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] > 29 * 24 * 3600 * 1000


def test_a_seed_repeats_it(client: Client) -> None:
    def people(seed: int) -> list[Any]:
        with Client(populate=True, seed=seed) as other:
            answer = other.get("/accounts?page[size]=100")
            return [(each["id"], each["attributes"]["fields"]) for each in answer.data]

    mine = client.get("/accounts?page[size]=100").data
    assert people(3) == [(each["id"], each["attributes"]["fields"]) for each in mine]
    assert people(4) != people(3)


def test_one_can_go_on_from_there(client: Client) -> None:
    pending = client.get("/inquiries?filter[status]=pending").ids[0]
    assert client.finished(pending)["attributes"]["status"] == "completed"
    client.account(409, reference_id="customer-0001")
    report = client.get("/reports").data[0]
    assert report["attributes"]["status"] == "pending"
    client.sandbox.clock.advance(2)
    assert client.get(f"/reports/{report['id']}").attributes["status"] == "ready"
