"""Events: which are sent, what their bodies hold, and which webhooks are accepted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from persona_block.sandbox import Settings, Webhook
from persona_block.sandbox.webhook.events import EVENTS
from tests.support import contract_client as clients
from tests.support.contract_client import ContractClient
from tests.support.webhook_receiver import SECRET, URL, listening_client


def test_every_event_is_sent() -> None:
    """The flows, reports and redactions cause every event, and the receiver checks each body against the contract."""
    connected, receiver = listening_client()
    with connected as client:
        templates = client.sandbox.templates
        for template in (templates.inquiry, templates.database, templates.document):
            for outcome in ("pass", "fail", "review", "abandon"):
                inquiry = client.inquiry({"inquiry-template-id": template, "tags": ["a"]}).id
                client.finished(inquiry, outcome)
                if outcome == "review":
                    client.post(f"/inquiries/{inquiry}/decline")
                if outcome != "abandon":
                    client.post(f"/inquiries/{inquiry}/approve")
                client.patch(f"/inquiries/{inquiry}", {"tags": ["a", "b"]})
        client.sandbox.clock.advance(2 * 86_400)
        for kind in ("watchlist", "adverse-media", "politically-exposed-person"):
            for name in ("Jane Doe", "Al Sanctioned Press Pep", "Al ReportError"):
                client.report(kind, query={"term": name})
        client.account(reference_id="photo", selfie_photo={"data": {"data": "aGk=", "filename": "a.jpg"}})
        client.sandbox.clock.advance(60)
        account = client.get("/accounts?filter[reference-id]=photo").ids[0]
        client.delete(f"/accounts/{account}")
        client.delete(f"/inquiries/{client.get('/inquiries?page[size]=1').ids[0]}")
        client.deliver()
    assert set(receiver.names) == EVENTS
    if rules := clients.contract():
        assert set(rules.document["webhooks"]) > EVENTS


def test_a_body_shows_the_object_as_it_was() -> None:
    connected, receiver = listening_client()
    with connected as client:
        inquiry = client.inquiry({"note": "first", "tags": ["kept", "gone"]}).id
        client.sandbox.clock.advance(1)
        client.patch(f"/inquiries/{inquiry}", {"note": "second", "tags": ["kept", "new"]})
        client.finished(inquiry)
        client.deliver()  # before the redaction, which reaches what has not been sent
        client.delete(f"/inquiries/{inquiry}")
        client.deliver()
    bodies = {event.name: event for event in receiver.events if event.resource_id == inquiry}
    assert bodies["inquiry.created"].data["attributes"]["note"] == "first"
    tagged = bodies["inquiry.updated-tags"]
    assert tagged.context == {"added-tags": ["new"], "removed-tags": ["gone"]}
    assert tagged.data["attributes"]["note"] == "second"
    assert tagged.data["attributes"]["status"] == "created"
    assert [bodies[f"inquiry.{name}"].data["attributes"]["status"] for name in ("started", "completed")] == [
        "pending",
        "completed",
    ]
    # The change of the note comes a millisecond before that of the tags.
    assert (tagged.created_at - bodies["inquiry.created"].created_at).total_seconds() == 1.001
    transitioned = bodies["inquiry.transitioned"].data["attributes"]
    assert (transitioned["previous-step-name"], transitioned["next-step-name"]) == (
        "verification_government_id",
        "verification_selfie",
    )
    assert all("included" not in body["data"]["attributes"]["payload"] for body in receiver.bodies)


@pytest.mark.parametrize("delay", [0.4, 0])
def test_no_two_events_of_an_object_share_a_moment(delay: float) -> None:
    """On a clock that stands still, too, created-at tells which event of an object came first."""
    connected, receiver = listening_client(settings=Settings(processing_delay=delay, report_delay=0))
    with connected as client:
        for outcome in ("pass", "review", "abandon"):
            inquiry = client.inquiry({"tags": ["a"]}).id
            for tag in ("b", "c", "d"):
                client.patch(f"/inquiries/{inquiry}", {"tags": [tag]})
            client.finished(inquiry, outcome)
            client.post(f"/inquiries/{inquiry}/decline")
            client.post(f"/inquiries/{inquiry}/approve")
        client.report(query={"term": "Al Sanctioned"})
        client.delete(f"/accounts/{client.get('/accounts').ids[0]}")
        client.sandbox.settle()
        client.deliver()
    moments: dict[str, list[datetime]] = {}
    for event in receiver.events:
        moments.setdefault(event.resource_id, []).append(event.created_at)
    assert max(len(each) for each in moments.values()) > 8
    for each in moments.values():
        assert each == sorted(set(each))
    in_order = [event.created_at for event in receiver.events]
    assert in_order == sorted(in_order)


def test_documents_and_cases_go_through_their_statuses() -> None:
    connected, receiver = listening_client()
    with connected as client:
        inquiry = client.inquiry().id
        client.finished(inquiry, "review")
        client.post(f"/inquiries/{inquiry}/approve")
        client.deliver()
    statuses = [
        (event.name, event.data["attributes"]["status"]) for event in receiver.events if "status" in event.data["attributes"]
    ]
    documents = [each for each in statuses if each[0].startswith("document.")]
    assert documents == [(f"document.{name}", status) for name, status in (
        ("created", "initiated"), ("submitted", "submitted"), ("processed", "processed"))]  # fmt: skip
    assert [each for each in statuses if each[0].startswith("case.")] == [
        ("case.created", "Open"),
        ("case.status-updated", "Approved"),
        ("case.resolved", "Approved"),
    ]


def test_a_refused_request_sends_nothing() -> None:
    connected, receiver = listening_client()
    with connected as client:
        inquiry = client.inquiry(meta={"auto-create-account": False}).id
        client.post(f"/inquiries/{inquiry}/approve")
        client.post(f"/inquiries/{inquiry}/mark-for-review", status=422)
        client.account(reference_id="one")
        client.account(reference_id="one", status=409)
        client.post("/inquiries/inq_none/approve", status=404)
        # The first action happens, the second is impossible, and so neither has happened.
        other = client.inquiry(meta={"auto-create-account": False}, api_key=client.sandbox.sandbox_key).id
        actions = {"meta": {"simulate-actions": [{"type": "start_inquiry"}, {"type": "nonsense"}]}}
        client.post(f"/inquiries/{other}/perform-simulate-actions", actions, 400, api_key=client.sandbox.sandbox_key)
        client.deliver()
    assert receiver.names == ["inquiry.created", "inquiry.approved", "account.created", "inquiry.created"]


def test_a_replayed_reply_sends_nothing() -> None:
    connected, receiver = listening_client()
    with connected as client:
        for _ in range(2):
            client.post("/accounts", {}, 201, headers={"Idempotency-Key": "one"})
        client.deliver()
        assert client.deliver() == []
    assert receiver.names == ["account.created"]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["inquiry.approved"], ["inquiry.approved"]),
        (["report/*.ready", "case.*"], ["report/watchlist.ready"]),
        (["*"], ["account.created", "inquiry.created", "inquiry.approved", "report/watchlist.ready"]),
    ],
)
def test_only_chosen_events_are_sent(patterns: list[str], expected: list[str]) -> None:
    connected, receiver = listening_client(events=patterns)
    with connected as client:
        inquiry = client.inquiry().id
        client.post(f"/inquiries/{inquiry}/approve")
        client.report(query={"term": "Jane"}, account_id=client.get("/accounts").ids[0])
        client.sandbox.clock.advance(5)
        client.deliver()
    assert receiver.names == expected


@pytest.mark.parametrize(
    ("inflection", "name"), [("kebab", "reference-id"), ("camel", "referenceId"), ("snake", "reference_id")]
)
def test_keys_are_spelt_in_the_inflection_of_the_webhook(inflection: str, name: str) -> None:
    connected, receiver = listening_client(inflection=inflection)
    with connected as client:
        client.account(reference_id="ann", fields={"own-key": 1})
        client.deliver()
    attributes = receiver.bodies[0]["data"]["attributes"]["payload"]["data"]["attributes"]
    assert attributes[name] == "ann"
    assert "own-key" in attributes["fields"]
    assert receiver.events[0].data["attributes"]["reference-id"] == "ann"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/webhooks",
        "http://192.0.2.1/",
        "http://127.0.0.1.example.com/",
        "http://0.0.0.0/",
        "ftp://127.0.0.1/",
        "127.0.0.1:9000",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http:///path",
        "http://someone:secret@127.0.0.1/",
        "http://127.0.0.1:0/",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="on this machine") as refused:
        Webhook(url, SECRET)
    assert url not in str(refused.value)


@pytest.mark.parametrize("url", ["https://localhost/hook", "http://[::1]:8000/", "http://127.9.9.9/"])
def test_urls_of_this_machine_are_accepted(url: str) -> None:
    assert Webhook(url, SECRET).url == url


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"secret": ""}, "secret must not be empty"),
        ({"events": ["inquiry.aproved"]}, r"names of events .* there are account\.created, .*inquiry\.approved"),
        ({"inflection": "upper"}, "kebab, camel, snake"),
    ],
)
def test_wrong_webhooks_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Webhook(**{"url": URL, "secret": SECRET, **options})


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(Webhook(URL, SECRET))


def test_without_a_webhook_nothing_is_stored() -> None:
    with ContractClient() as client:
        client.finished(client.inquiry().id)
        assert client.deliver() == []
        assert client.sandbox.organization.store.scalar("SELECT count(*) FROM event") == 0


def test_a_populated_history_is_not_sent() -> None:
    connected, receiver = listening_client(populate=True)
    with connected as client:
        assert client.deliver() == []
        client.sandbox.clock.advance(5)
        client.deliver()
    assert Counter(receiver.names) == {"account.created": 1, "report/watchlist.ready": 1}


def test_events_of_both_environments_are_sent() -> None:
    connected, receiver = listening_client()
    with connected as client:
        client.account()
        client.post("/accounts", {}, 201, api_key=client.sandbox.sandbox_key)
        client.deliver()
    assert receiver.names == ["account.created"] * 2
