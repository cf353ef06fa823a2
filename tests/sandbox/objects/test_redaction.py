"""Redaction: nothing about a person is left in an object and below it, and the rest stays readable."""

from __future__ import annotations

import json
from typing import Any

import pytest

from persona_block.sandbox.objects.fields import plain
from tests.support.contract_client import ContractClient

SECRETS = ("Zenobia", "Quillfeather", "1977-07-07", "zq@example.com", "SIM000000", "for her eyes")


@pytest.fixture
def person(client: ContractClient) -> dict[str, Any]:
    """An account with an inquiry, reports of each kind, a case, and everything an applicant hands in."""
    fields = {
        "name-first": "Zenobia",
        "name-last": "Quillfeather",
        "birthdate": "1977-07-07",
        "email-address": "zq@example.com",
    }
    account = client.account(reference_id="r", fields=fields).id
    reports = [
        client.report(kind, query={"term": f"Zenobia Quillfeather {match}", "birthdate": "1977-07-07"}, account_id=account).id
        for kind, match in (("watchlist", "Sanctioned"), ("adverse-media", "Press"), ("politically-exposed-person", "Pep"))
    ]
    inquiry = client.inquiry({"account-id": account, "fields": fields, "note": "for her eyes", "tags": ["vip"]}).id
    client.sandbox.clock.advance(5)
    finished = client.finished(inquiry, "review")["relationships"]
    pending = client.report("adverse-media", query={"term": "Zenobia Quillfeather"}, account_id=account).id
    client.sandbox.clock.advance(1)
    return {
        "account": account,
        "inquiry": inquiry,
        "reports": [*reports, pending],
        "case": client.get("/cases").ids[0],
        "verifications": [each["id"] for each in finished["verifications"]["data"]],
        "documents": [each["id"] for each in finished["documents"]["data"]],
    }


def read(client: ContractClient, person: dict[str, Any], *names: str) -> list[Any]:
    """Read the person's objects of these kinds, with what documents can include."""
    bodies = []
    for name in names:
        ids = person[name] if isinstance(person[name], list) else [person[name]]
        plural = {"account": "accounts", "inquiry": "inquiries", "case": "cases"}.get(name, name)
        suffix = "?include=document-files" if name == "documents" else ""
        bodies += [client.get(f"/{plural}/{id}{suffix}").body for id in ids]
    return bodies


def secrets_in(bodies: list[Any]) -> set[str]:
    """Return the secrets that bodies contain."""
    text = json.dumps(bodies).casefold()
    return {secret for secret in SECRETS if secret.casefold() in text}


def test_redacting_an_inquiry_redacts_its_reports(client: ContractClient, person: dict[str, Any]) -> None:
    *earlier, serving = read(client, person, "reports")
    assert serving["data"]["relationships"]["inquiry"]["data"]["id"] == person["inquiry"]
    client.delete(f"/inquiries/{person['inquiry']}")
    *others, redacted = read(client, person, "reports")
    assert others == earlier
    assert (secrets_in([redacted]), redacted["data"]["attributes"]["status"]) == (set(), "errored")
    assert redacted["data"]["attributes"]["redacted-at"]
    assert client.get(f"/cases?filter[report-id]={redacted['data']['id']}").ids == [person["case"]]


def test_redacting_an_inquiry(client: ContractClient, person: dict[str, Any]) -> None:
    below = ("inquiry", "verifications", "documents")
    before = read(client, person, *below)
    assert secrets_in(before) == set(SECRETS)
    front = client.get(f"/documents/{person['documents'][0]}").attributes["front-photo"]["url"]
    assert client.fetch(front).status_code == 200
    redacted = client.delete(f"/inquiries/{person['inquiry']}")
    after = read(client, person, *below)
    assert secrets_in(after) == set()
    assert redacted.body == after[0]
    assert client.fetch(front).status_code == 403
    old, new = before[0]["data"]["attributes"], redacted.attributes
    changed = {name for name in new if new[name] != old[name]}
    assert changed == {"fields", "note", "redacted-at", "updated-at"}
    assert {name: field["type"] for name, field in new["fields"].items()} == {
        name: field["type"] for name, field in old["fields"].items()
    }
    assert {plain(field) for field in new["fields"].values()} == {None}
    assert redacted.related("sessions") == []
    assert redacted.related("account")["id"] == person["account"]
    for verification in after[1:3]:
        assert verification["data"]["attributes"]["status"] == "passed"
        assert verification["data"]["attributes"]["checks"] == []
        assert verification["data"]["attributes"]["redacted-at"] == new["redacted-at"]
        assert verification["data"]["relationships"]["inquiry"]["data"] is None
    # The account and the case above it stay as they are.
    assert secrets_in(read(client, person, "account")) >= {"Zenobia", "Quillfeather"}
    assert client.get(f"/accounts/{person['account']}").attributes["redacted-at"] is None
    assert client.get(f"/cases/{person['case']}").attributes["status"] == "Open"


def test_redacting_an_account(client: ContractClient, person: dict[str, Any]) -> None:
    reports = client.get("/reports?filter[reference-id]=r").ids
    account = client.delete(f"/accounts/{person['account']}")
    everything = read(client, person, "account", "inquiry", "reports", "verifications", "documents", "case")
    assert secrets_in(everything) == set()
    assert (account.attributes["reference-id"], account.attributes["redacted-at"] is not None) == ("r", True)
    assert client.get(f"/inquiries/{person['inquiry']}").attributes["redacted-at"]
    client.sandbox.clock.advance(10)  # a report that was still pending stays redacted
    for report in read(client, person, "reports"):
        assert report["data"]["attributes"]["redacted-at"]
        assert report["data"]["attributes"]["status"] in ("ready", "errored")
        assert report["data"]["attributes"]["completed-at"]
    assert client.get("/reports?filter[reference-id]=r").ids == reports
    assert secrets_in([json.loads(json.dumps([effect.name for effect in client.sandbox.effects]))]) == set()


def test_a_redacted_account_can_be_used_again(client: ContractClient, person: dict[str, Any]) -> None:
    client.delete(f"/accounts/{person['account']}")
    updated = client.patch(f"/accounts/{person['account']}", {"name-first": "New"})
    assert plain(updated.attributes["fields"])["name"]["first"] == "New"
    client.account(409, reference_id="r")
    assert client.inquiry({"account-id": person["account"]}).status == 201


def test_a_redacted_inquiry_does_not_expire(client: ContractClient) -> None:
    id = client.inquiry(meta={"auto-create-one-time-link": True}).id
    assert client.delete(f"/inquiries/{id}").attributes["expires-at"] is None
    client.sandbox.clock.advance(10 * 24 * 3600)
    assert client.get(f"/inquiries/{id}").attributes["status"] == "created"


def test_documents_of_every_flow_are_emptied(client: ContractClient) -> None:
    for flow in ("document", "database"):
        inquiry = client.inquiry({"inquiry-template-id": getattr(client.sandbox.templates, flow)}).id
        finished = client.finished(inquiry)["relationships"]
        client.delete(f"/inquiries/{inquiry}")
        for name in ("verifications", "documents"):
            for each in finished[name]["data"]:
                body = client.get(f"/{name}/{each['id']}").body
                assert "Sample" not in json.dumps(body)
                assert "access_token" not in json.dumps(body)
