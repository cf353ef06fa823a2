"""What a redaction reaches beside the object: stored answers, written events, logged requests, and the bytes of the file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block.sandbox.objects.copies import redacted_attributes
from persona_block.spec.inflection import normalize
from tests.support.contract_client import ContractClient
from tests.support.webhook_receiver import Receiver

PERSON = {
    "name-first": "Zenobia",
    "name-last": "Quillfeather",
    "birthdate": "1977-07-07",
    "email-address": "zq@example.com",
    "phone-number": "+15550100",
    "address-street-1": "7 Lantern Row",
}
WRITTEN = (*PERSON.values(), "ZENOBIA", "for her eyes", "seen by the desk", "zenobia.jpg", "https://app.example/zq", "VIQ=")


def keyed(idempotency_key: str) -> dict[str, Any]:
    """Return the options of a POST under an idempotency key."""
    return {"headers": {"Idempotency-Key": idempotency_key}}


def account_body(**meta: Any) -> dict[str, Any]:
    """Return the body that creates the person's account, with a photo."""
    photo = {"data": {"data": "VIQ=", "filename": "zenobia.jpg"}}
    return {"data": {"attributes": {"reference-id": "r", "fields": PERSON, "selfie-photo": photo}}, "meta": meta}


def inquiry_body(client: ContractClient) -> dict[str, Any]:
    """Return the body that creates an inquiry of the person."""
    template = {"inquiry-template-id": client.sandbox.templates.inquiry}
    attributes = {**template, "reference-id": "r", "fields": PERSON, "note": "for her eyes"}
    return {"data": {"attributes": {**attributes, "redirect-uri": "https://app.example/zq"}}}


def onboard(client: ContractClient) -> dict[str, str]:
    """Create the person's account, inquiry, reports and case, with everything that copies are made of."""
    account = client.post("/accounts?include=account-type", account_body(), 201, **keyed("account")).id
    inquiry = client.post("/inquiries?include=account", inquiry_body(client), 201, **keyed("inquiry")).id
    client.post(f"/inquiries/{inquiry}/generate-one-time-link", {}, **keyed("link"))
    report = {"data": {"type": "report/adverse-media", "attributes": {"query": {"term": "Zenobia Q"}, "account-id": account}}}
    reported = client.post("/reports?include=account,inquiry", report, 201, **keyed("report-Quillfeather")).id
    client.sandbox.clock.advance(5)
    client.finished(inquiry, "review")
    client.post(f"/inquiries/{inquiry}/approve", {"meta": {"comment": "seen by the desk"}}, **keyed("approval"))
    client.get("/inquiries?filter[note]=for%20her%20eyes")
    client.get("/accounts?filter[reference-id]=Quillfeather,r")
    client.get("/accounts/zq%40example.com", 404)
    return {"account": account, "inquiry": inquiry, "report": reported}


def written_in(content: bytes) -> set[str]:
    """Return what of the person is in bytes, in any case and in the ways in which URLs and JSON write it."""
    text = content.decode("utf-8", "replace").casefold()
    spelled = {each: (each, each.replace(" ", "%20"), each.replace("@", "%40")) for each in WRITTEN}
    return {each for each, ways in spelled.items() if any(way.casefold() in text for way in ways)}


def written_beside(state: Path) -> set[str]:
    """Return what of the person is in a state file and those that SQLite keeps beside it."""
    return {each for path in state.parent.iterdir() for each in written_in(path.read_bytes())}


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("zeroes", [True, False], ids=["SQLite that zeroes by itself", "SQLite that does not"])
def test_nothing_is_left_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zeroes: bool) -> None:
    """Not in its rows, its free pages or its log of writes, while it is open and after it is closed."""
    connect = sqlite3.connect

    def connect_as_built(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.execute(f"PRAGMA secure_delete = {zeroes}")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_as_built)
    state = tmp_path / "state.db"
    with ContractClient(state=state, populate=True, webhook=Receiver().webhook()) as client:
        person = onboard(client)
        for number in range(200):  # so that pages are divided and written over
            client.patch(f"/accounts/{person['account']}", {"fields": {"filler": "x" * (number * 37 % 5000)}})
            client.account(name_first="Other", tags=["y" * number])
        client.deliver()
        assert written_beside(state) >= set(WRITTEN) - {"VIQ="}
        client.delete(f"/accounts/{person['account']}")
        assert written_beside(state) == set()
        client.get(f"/accounts/{person['account']}")
    assert written_beside(state) == set()
    with ContractClient(state=state) as client:
        assert client.get(f"/inquiries/{person['inquiry']}").attributes["redacted-at"]
        assert client.get("/accounts?page[size]=100").ids


def test_a_replay_answers_without_the_person(client: ContractClient) -> None:
    first = client.post("/inquiries?include=account", inquiry_body(client), 201, **keyed("inquiry"))
    client.delete(f"/inquiries/{first.id}")
    # The account that the answer includes is not redacted with its inquiry.
    again = client.post("/inquiries?include=account", inquiry_body(client), 201, **keyed("inquiry"))
    assert again.id == first.id
    assert again.body["included"] == first.body["included"]
    assert {field["value"] for field in again.attributes["fields"].values()} == {None}
    assert again.attributes["note"] is None
    assert again.attributes["redacted-at"] == client.get(f"/inquiries/{first.id}").attributes["redacted-at"]
    kept = first.attributes.keys() - {"fields", "note", "expires-at", "redacted-at"}
    assert {name: again.attributes[name] for name in kept} == {name: first.attributes[name] for name in kept}
    assert again.body["meta"] == first.body["meta"]
    client.delete(f"/accounts/{first.related('account')['id']}")
    once_more = client.post("/inquiries?include=account", inquiry_body(client), 201, **keyed("inquiry"))
    assert written_in(json.dumps(once_more.body).encode()) == set()
    assert len(client.get("/inquiries").ids) == 1


@pytest.mark.parametrize(
    "headers", [{"Key-Inflection": "camel"}, {"Key-Inflection": "snake"}, {"Persona-Version": "2023-01-05"}]
)
def test_a_replay_keeps_its_spelling_and_version(client: ContractClient, headers: dict[str, str]) -> None:
    sent = {"headers": {"Idempotency-Key": "one", **headers}}
    first = client.post("/accounts", account_body(), 201, **sent)
    client.delete(f"/accounts/{first.id}")
    again = client.post("/accounts", account_body(), 201, **sent)
    assert again.attributes.keys() == first.attributes.keys()
    assert written_in(json.dumps(again.body).encode()) == set()
    assert normalize(again.body)["data"]["attributes"]["fields"] == client.get(f"/accounts/{first.id}").attributes["fields"]


def test_an_event_that_is_sent_again_is_without_the_person() -> None:
    answers = iter([500] * 30)
    receiver = Receiver(lambda _: next(answers, 200))
    with ContractClient(webhook=receiver.webhook()) as client:
        person = onboard(client)
        client.deliver()
        before = {event.id: event for event in receiver.events}
        sent = len(receiver.events)
        client.delete(f"/accounts/{person['account']}")
        client.sandbox.clock.advance(300)
        client.deliver()
        resent, bodies = receiver.events[sent:], receiver.bodies[sent:]
    assert {"account.created", "inquiry.completed", "verification.passed", "report/adverse-media.ready"} <= {
        event.name for event in resent if event.id in before
    }
    for event, body in zip(resent, bodies, strict=True):
        assert written_in(json.dumps(body).encode()) == set(), event.name
        if event.id in before:
            assert (event.name, event.created_at) == (before[event.id].name, before[event.id].created_at)
            assert event.data["attributes"].get("status") == before[event.id].data["attributes"].get("status")


def test_the_log_of_requests_keeps_all_but_the_person(client: ContractClient) -> None:
    person = onboard(client)
    before = client.sandbox.requests
    client.delete(f"/accounts/{person['account']}")
    after = client.sandbox.requests[: len(before)]
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    keys = [(old.idempotency_key, new.idempotency_key) for old, new in changed if new.idempotency_key]
    assert [old for old, _ in keys] == ["account", "inquiry", "link", "report-Quillfeather", "approval"]
    assert [new for _, new in keys] == [f"sha256:{hashlib.sha256((old or '').encode()).hexdigest()}" for old, _ in keys]
    assert [(new.path, new.query) for old, new in changed if new.idempotency_key] == [
        (old.path, old.query) for old, new in changed if new.idempotency_key
    ]
    assert {(new.path, new.query, new.idempotency_key) for _, new in changed if not new.idempotency_key} == {
        ("/api/v1/inquiries", "filter[note]=***", None),
        ("/api/v1/accounts", "filter[reference-id]=***", None),
        ("/api/v1/accounts/***", "", None),
    }


@pytest.mark.parametrize("key_of_creation", [None, "onboard-zq@example.com"])
def test_what_was_changed_before_a_redaction_is_erased_too(tmp_path: Path, key_of_creation: str | None) -> None:
    """As an account that was renamed twice, and what callers wrote of each name into keys, paths and queries."""
    state = tmp_path / "state.db"
    names = ("Zenobia", "Quillfeather", "zq@example.com")
    with ContractClient(state=state) as client:
        options = keyed(key_of_creation) if key_of_creation else {}
        account = client.post("/accounts", account_body(), 201, **options).id
        inquiry = client.post("/inquiries", inquiry_body(client), 201).id
        for first, last, email in (("Ann", "Quillfeather", "a@example.com"), ("Eve", "Other", "e@example.com")):
            client.patch(f"/accounts/{account}", {"fields": {"name-first": first, "name-last": last, "email-address": email}})
        client.patch(f"/inquiries/{inquiry}", {"note": "another", "redirect-uri": None, "fields": dict.fromkeys(PERSON)})
        for name in names:
            client.get(f"/accounts?filter[reference-id]={name}")
        client.get("/inquiries?filter[note]=for%20her%20eyes")
        client.get("/accounts/a%40example.com", 404)
        client.delete(f"/accounts/{account}")
        logged = [f"{each.path}?{each.query} {each.idempotency_key}" for each in client.sandbox.requests]
        assert written_in("\n".join(logged).encode()) == set()
        assert not any("a%40example" in each for each in logged)
    assert written_beside(state) == set()
    assert not any(b"a%40example" in path.read_bytes() or b"a@example" in path.read_bytes() for path in tmp_path.iterdir())


def test_a_stored_reply_tells_what_to_erase(client: ContractClient) -> None:
    """Of an object whose own record has been written since by what keeps no former texts."""
    account = client.post("/accounts", account_body(), 201, **keyed("one")).id
    client.get("/accounts?filter[reference-id]=Quillfeather")
    client.patch(f"/accounts/{account}", {"fields": dict.fromkeys(PERSON)})
    resource = client.sandbox.organization.store.get(account)
    assert resource
    assert "Quillfeather" in resource.private.pop("former-texts")
    with client.sandbox.organization.store.transaction():
        client.sandbox.organization.store.update(resource)
    client.delete(f"/accounts/{account}")
    assert not any("Quillfeather" in record.query for record in client.sandbox.requests)


def test_a_key_that_is_a_digest_stays_one(client: ContractClient) -> None:
    inquiry = client.post("/inquiries?include=account", inquiry_body(client), 201, **keyed("inquiry"))
    client.delete(f"/inquiries/{inquiry.id}")
    digest = client.sandbox.requests[0].idempotency_key
    client.delete(f"/accounts/{inquiry.related('account')['id']}")
    assert client.sandbox.requests[0].idempotency_key == digest == f"sha256:{hashlib.sha256(b'inquiry').hexdigest()}"


def test_another_person_is_left_alone(client: ContractClient) -> None:
    other = {"data": {"attributes": {"reference-id": "other", "fields": PERSON}}}
    kept = client.post("/accounts", other, 201, **keyed("other"))
    person = onboard(client)
    client.delete(f"/accounts/{person['account']}")
    assert client.post("/accounts", other, 201, **keyed("other")).body == kept.body
    assert client.get(f"/accounts/{kept.id}").data == kept.data


def test_a_refused_redaction_erases_nothing(client: ContractClient) -> None:
    person = onboard(client)
    client.delete(f"/accounts/{person['account']}")
    account = client.patch(f"/accounts/{person['account']}", {"fields": {"name-first": "Zenobia"}})
    client.post("/accounts?include=account-type", account_body(), 201, **keyed("account"))
    client.get("/accounts?filter[reference-id]=Zenobia")
    client.delete(f"/accounts/{person['account']}", 409)
    assert client.get(f"/accounts/{person['account']}").data == account.data
    assert [record.query for record in client.sandbox.requests][-3] == "filter[reference-id]=Zenobia"


def test_attributes_of_every_kind_can_be_emptied(client: ContractClient) -> None:
    person = onboard(client)
    inquiry = client.get(f"/inquiries/{person['inquiry']}?include=verifications,documents,account,reports")
    objects = [inquiry.data, *inquiry.body["included"]]
    for document in inquiry.related("documents"):
        objects += client.get(f"/documents/{document['id']}?include=document-files").body["included"]
    kinds = {each["type"].partition("/")[0] for each in objects}
    assert kinds == {"inquiry", "account", "verification", "document", "document-file", "report"}
    for each in objects:
        emptied = redacted_attributes(each["type"], each["attributes"], "2030-01-01T00:00:00.000Z")
        assert written_in(json.dumps(emptied).encode()) == set()
        assert redacted_attributes(each["type"], emptied, "2030-01-01T00:00:00.000Z") == emptied


def test_a_memory_is_erased_too(client: ContractClient) -> None:
    client.delete(f"/accounts/{onboard(client)['account']}")
    dump = "\n".join(client.sandbox.organization.store.db.iterdump())
    assert written_in(dump.encode()) == set()


def test_a_file_can_be_redacted_while_it_is_served(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with ContractClient(state=state) as client, client.sandbox.serve_in_thread() as base_url:
        headers = {"Authorization": f"Bearer {client.sandbox.api_key}"}
        with httpx.Client(base_url=base_url, headers=headers) as http:
            id = http.post("/accounts", json=account_body()).json()["data"]["id"]
            assert http.delete(f"/accounts/{id}").status_code == 200
        assert written_beside(state) == set()
