"""Inquiries: which action leads where from which status, what each status stamps, sessions, links, expiry, cases."""

from __future__ import annotations

import base64
import json
from collections.abc import Set
from typing import Any

import pytest

from persona_block.sandbox import SandboxError
from persona_block.sandbox.objects.inquiries import STATUSES
from persona_block.sandbox.state.clock import parse
from tests.support.contract_client import Client

STAMPS = {
    "pending": "started-at",
    "completed": "completed-at",
    "failed": "failed-at",
    "expired": "expired-at",
    "needs_review": "marked-for-review-at",
    "approved": "decisioned-at",
    "declined": "decisioned-at",
}
NEXT_STEPS = {
    "created": "start",
    "pending": "verification_government_id",
    "completed": "success",
    "failed": "failure",
    "needs_review": "review",
    "approved": "success",
    "declined": "failure",
}

# The statuses that an action can start from and the one it leads to; "" leaves it. Elsewhere it is a 422.
ACTIONS: dict[str, tuple[Set[str], str]] = {
    "approve": (STATUSES, "approved"),
    "decline": (STATUSES, "declined"),
    "mark-for-review": (STATUSES - {"approved", "declined"}, "needs_review"),
    "expire": ({"created", "pending"}, "expired"),
    "resume": ({"created", "pending", "expired"}, ""),
    "generate-one-time-link": ({"created", "pending"}, ""),
}
STRICT: dict[str, Set[str]] = {
    "approve": {"pending", "completed", "failed", "needs_review", "declined"},
    "decline": {"pending", "completed", "failed", "needs_review", "approved"},
}


def inquiry_in(client: Client, status: str) -> str:
    """Bring a new inquiry to a status, and give its id."""
    id = client.inquiry({"fields": {"name-first": "Jane", "name-last": "Doe"}}).id
    if status in ("completed", "failed", "needs_review"):
        client.finished(id, {"completed": "pass", "failed": "fail", "needs_review": "review"}[status])
    elif status in ("approved", "declined"):
        client.finished(id)
        client.post(f"/inquiries/{id}/{status.removesuffix('d')}")
    elif status == "expired":
        client.post(f"/inquiries/{id}/expire")
    elif status == "pending":
        client.finished(id, "abandon")
    assert client.get(f"/inquiries/{id}").attributes["status"] == status
    return id


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", sorted(STATUSES))
def test_action(status: str, action: str, strict: bool) -> None:
    with Client(strict=strict) as client:
        id = inquiry_in(client, status)
        client.sandbox.clock.advance(60)
        before = client.get(f"/inquiries/{id}").attributes
        allowed, target = ACTIONS[action]
        if strict:
            allowed = STRICT.get(action, allowed)
        answer = client.call("POST", f"/inquiries/{id}/{action}")
        after = client.get(f"/inquiries/{id}").attributes
        if status not in allowed:
            assert answer.status == 422
            assert after == before
            return
        assert answer.status == 200
        assert answer.attributes == after
        target = target or ("pending" if (action, status) == ("resume", "expired") else status)
        assert after["status"] == target
        assert after["updated-at"] > before["updated-at"]
        if target != status or action in ("approve", "decline", "mark-for-review"):
            assert after[STAMPS[target]] == after["updated-at"]
            assert after["next-step-name"] == NEXT_STEPS.get(target, before["next-step-name"])
        assert (after["expires-at"] is not None) == (target in ("created", "pending"))


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_timestamps_of_a_status(client: Client, status: str) -> None:
    attributes = client.get(f"/inquiries/{inquiry_in(client, status)}").attributes
    stamped = {name for name in STAMPS.values() if attributes[name]}
    expected = {STAMPS[status]} if status in STAMPS else set()
    started = {"started-at"} if status not in ("created", "expired") else set()
    finished = {"completed-at"} if status in ("needs_review", "approved", "declined") else set()
    assert stamped == expected | started | finished
    assert attributes["next-step-name"] == NEXT_STEPS.get(status, "start")


def test_a_decision_has_a_reviewer_and_a_comment(client: Client) -> None:
    id = inquiry_in(client, "completed")
    assert client.get(f"/inquiries/{id}").related("reviewer") is None
    approved = client.post(f"/inquiries/{id}/approve", {"meta": {"comment": "looks right"}}, query={"include": "reviewer"})
    assert approved.attributes["reviewer-comment"] == "looks right"
    assert approved.related("reviewer")["type"] == "user"
    assert approved.body["included"][0]["attributes"]["email-address"]


@pytest.mark.parametrize(
    ("last_name", "outcome", "status"),
    [
        ("Doe", None, "completed"),
        ("Fail", None, "failed"),
        ("REVIEW", None, "needs_review"),
        ("Abandon", None, "pending"),
        ("Fail", "pass", "completed"),
        ("Doe", "review", "needs_review"),
    ],
)
def test_names_steer_the_applicant(client: Client, last_name: str, outcome: str | None, status: str) -> None:
    id = client.inquiry({"fields": {"name-first": "Jane", "name-last": last_name}}).id
    assert client.sandbox.complete(id, outcome)["attributes"]["status"] == status
    inquiry = client.get(f"/inquiries/{id}?include=verifications")
    verifications = {item["type"].partition("/")[2]: item["attributes"] for item in inquiry.body["included"]}
    statuses = {kind: attributes["status"] for kind, attributes in verifications.items()}
    assert (
        statuses
        == {
            "completed": {"government-id": "passed", "selfie": "passed"},
            "needs_review": {"government-id": "passed", "selfie": "passed"},
            "failed": {"government-id": "failed"},
            "pending": {"government-id": "initiated"},
        }[status]
    )
    checks = verifications["government-id"]["checks"]
    assert [check["status"] for check in checks].count("failed") == (status == "failed")
    assert bool(checks) == (status != "pending")
    assert len(client.get("/cases").ids) == (status == "needs_review")


@pytest.mark.parametrize(("last", "status"), [("Doe", "completed"), ("Fail", "failed"), ("Review", "needs_review")])
@pytest.mark.parametrize("own", [None, "Kent"])
def test_an_account_steers_an_applicant_without_a_name(client: Client, last: str, status: str, own: str | None) -> None:
    account = client.account(name_first="Jane", name_last=last).id
    fields = {"name-last": own} if own else {}
    id = client.inquiry({"account-id": account, "fields": fields}).id
    expected = "completed" if own else status
    assert client.sandbox.complete(id)["attributes"]["status"] == expected
    if expected != "failed":
        fields = client.get(f"/inquiries/{id}").attributes["fields"]
        name = [fields[part]["value"] for part in ("name-first", "name-last")]
        assert name == (["Alex", own] if own else ["Jane", last]), "the papers are the account's"


@pytest.mark.parametrize("flow", ["inquiry", "database", "document"])
def test_flows(client: Client, flow: str) -> None:
    template = getattr(client.sandbox.templates, flow)
    id = client.inquiry({"inquiry-template-id": template}).id
    client.finished(id)
    inquiry = client.get(f"/inquiries/{id}?include=verifications,documents")
    for item in inquiry.body["included"]:
        read = client.get(f"/{item['type'].split('/')[0]}s/{item['id']}")
        assert read.attributes["status"] in ("passed", "processed")
        assert read.related("inquiry")["id"] == id
    # What the applicant handed in is known to the inquiry, and to its account.
    assert inquiry.attributes["fields"]["name-first"]["value"]
    account = client.get(f"/accounts/{inquiry.related('account')['id']}")
    assert account.attributes["fields"]["name"]["value"]["first"]["value"]


def test_completing_what_cannot_be_completed(client: Client) -> None:
    for id in ("inq_nowhere", inquiry_in(client, "completed"), inquiry_in(client, "expired")):
        with pytest.raises(SandboxError):
            client.finished(id)
    with pytest.raises(ValueError, match="outcome"):
        client.finished(inquiry_in(client, "created"), "win")


def test_expiry_by_clock(client: Client) -> None:
    id = client.inquiry(meta={"auto-create-inquiry-session": True}).id
    created = client.get(f"/inquiries/{id}")
    expires = created.attributes["expires-at"]
    assert parse(expires) - parse(created.attributes["created-at"]) == 24 * 3600 * 1000
    client.sandbox.clock.advance(24 * 3600 - 1)
    assert client.get("/inquiries?filter[status]=created").ids == [id]
    client.sandbox.clock.advance(100)
    # The list is the first to look, and everything carries the moment it happened rather than the one it was noticed.
    assert client.get("/inquiries?filter[status]=expired").ids == [id]
    expired = client.get(f"/inquiries/{id}?include=sessions")
    assert expired.attributes["expired-at"] == expired.attributes["updated-at"] == expires
    assert expired.attributes["started-at"] is None
    session = expired.body["included"][0]["attributes"]
    assert (session["status"], session["expired-at"]) == ("expired", expires)
    assert [effect.actor for effect in client.sandbox.effects if effect.name == "inquiry.expired"] == ["clock"]


def test_intervals_of_expiry(client: Client) -> None:
    meta = {
        "expiration-after-create-interval-seconds": 100,
        "expiration-after-start-interval-seconds": 200,
        "expiration-after-resume-interval-seconds": 300,
    }
    id = client.inquiry(meta=meta).id

    def left() -> float:
        now = client.sandbox.clock.milliseconds()
        return (parse(client.get(f"/inquiries/{id}").attributes["expires-at"]) - now) / 1000

    assert left() == 100
    client.sandbox.clock.advance(50)
    client.finished(id, "abandon")
    assert left() == 200
    client.sandbox.clock.advance(201)
    assert client.get(f"/inquiries/{id}").attributes["status"] == "expired"
    verification = client.get(f"/inquiries/{id}").related("verifications")[0]
    assert client.get(f"/verifications/{verification['id']}").attributes["status"] == "canceled"
    client.post(f"/inquiries/{id}/resume")
    assert left() == 300
    resumed = client.get(f"/inquiries/{id}").attributes
    assert (resumed["status"], resumed["expired-at"]) == ("pending", None)


def test_sessions(client: Client) -> None:
    id = client.inquiry().id
    first = client.post(f"/inquiries/{id}/resume")
    again = client.post(f"/inquiries/{id}/resume")
    assert first.related("sessions") == again.related("sessions")  # nobody has used it, so it is handed out again
    header, claims, signature = (part for part in first.body["meta"]["session-token"].split("."))
    assert signature
    assert _decoded(header)["alg"] == "HS256"
    told = _decoded(claims)
    assert told["sub"] == told["sid"] == first.related("sessions")[0]["id"]
    assert (told["aud"], told["exp"] - told["iat"]) == ("persona-verify", 24 * 3600)
    for _ in range(24):
        client.post(f"/inquiries/{id}/generate-one-time-link")
    refused = client.post(f"/inquiries/{id}/generate-one-time-link", status=422)
    assert "at most 25 sessions" in refused.details
    assert len(client.get(f"/inquiries/{id}").related("sessions")) == 25


def test_create_with_session_and_link(client: Client) -> None:
    plain = client.inquiry()
    assert set(plain.body["meta"].values()) == {None}
    answer = client.inquiry(meta={"auto-create-inquiry-session": True, "auto-create-one-time-link": True})
    assert all(answer.body["meta"].values())
    assert len(answer.related("sessions")) == 1
    assert client.sandbox.open_link(answer.body["meta"]["one-time-link"])["attributes"]["status"] == "active"
    assert client.sandbox.open_link(answer.body["meta"]["one-time-link-short"])["id"] == answer.related("sessions")[0]["id"]


def test_a_link_is_used_once(client: Client) -> None:
    id = client.inquiry().id
    link = client.post(f"/inquiries/{id}/generate-one-time-link").body["meta"]["one-time-link"]
    assert client.fetch(link).status_code == 200
    client.sandbox.clock.advance(5 * 60)
    assert client.fetch(link).status_code == 200  # within the grace
    client.sandbox.clock.advance(1)
    assert client.fetch(link).status_code == 410
    assert client.fetch(link[:-1] + "~").status_code == 404
    with pytest.raises(SandboxError, match="used"):
        client.sandbox.open_link(link)


def test_a_link_expires(client: Client) -> None:
    id = client.inquiry().id
    short = client.post(f"/inquiries/{id}/generate-one-time-link", {"meta": {"expires-in-seconds": 30}}).body["meta"]
    long = client.post(f"/inquiries/{id}/generate-one-time-link").body["meta"]
    client.sandbox.clock.advance(31)
    with pytest.raises(SandboxError, match="expired"):
        client.sandbox.open_link(short["one-time-link"])
    assert client.sandbox.open_link(long["one-time-link"])
    other = client.post(f"/inquiries/{id}/generate-one-time-link").body["meta"]
    client.post(f"/inquiries/{id}/expire")
    with pytest.raises(SandboxError, match="expired"):
        client.sandbox.open_link(other["one-time-link-short"])


def test_cases_follow_their_inquiry(client: Client) -> None:
    account = client.account(reference_id="r").id
    report = client.report(query={"term": "Jane"}, account_id=account).id
    id = client.inquiry({"account-id": account}).id
    client.finished(id, "review")
    client.post(f"/inquiries/{id}/mark-for-review")  # once more opens no second case
    (case_id,) = client.get("/cases").ids
    case = client.get(f"/cases/{case_id}")
    assert (case.attributes["status"], case.attributes["resolution"], case.attributes["resolved-at"]) == ("Open", None, None)
    for name, value in {
        "account-id": account,
        "inquiry-id": id,
        "reference-id": "r",
        "report-id": report,
        "status": "Open",
        "case-template-id": client.sandbox.templates.case,
    }.items():
        assert client.get("/cases", query={f"filter[{name}]": value}).ids == [case_id], name
        assert client.get("/cases", query={f"filter[{name}]": "other"}).ids == [], name
    client.sandbox.clock.advance(5)
    decided = client.post(f"/inquiries/{id}/decline").attributes
    case = client.get(f"/cases/{case_id}")
    assert (case.attributes["status"], case.attributes["resolution"]) == ("Declined", "Declined")
    assert case.attributes["resolved-at"] == decided["decisioned-at"]
    client.post(f"/inquiries/{id}/approve")
    assert client.get(f"/cases/{case_id}").attributes["resolution"] == "Approved"


def test_simulating_leaves_what_the_applicant_leaves(client: Client) -> None:
    """The account learns of the fields, and a session appears, whoever takes the inquiry through its statuses."""
    key = client.sandbox.sandbox_key

    def simulated(*actions: str) -> tuple[Any, Any]:
        fields = {"name-first": "Jane"}
        inquiry = client.inquiry({"fields": fields}, key=key)
        client.patch(f"/inquiries/{inquiry.id}", {"fields": {"phone-number": "1"}}, key=key)
        named = [{"type": action} for action in actions]
        body = {"meta": {"simulate-actions": named}}
        answer = client.post(f"/inquiries/{inquiry.id}/perform-simulate-actions?include=sessions,account", body, key=key)
        included = {each["type"]: each["attributes"] for each in answer.body["included"]}
        return included["inquiry-session"]["status"], included["account"]["fields"]["phone_number"]["value"]

    assert simulated("start_inquiry") == ("active", None)
    assert simulated("complete_inquiry") == ("expired", "1")
    assert simulated("start_inquiry", "complete_inquiry") == ("expired", "1")
    assert simulated("fail_inquiry") == ("expired", None)
    assert simulated("start_inquiry", "expire_inquiry") == ("expired", None)


def test_simulate_actions(client: Client) -> None:
    key = client.sandbox.sandbox_key

    def simulate(id: str, *actions: Any) -> str:
        named = [{"type": action} if isinstance(action, str) else action for action in actions]
        body = {"meta": {"simulate-actions": named}}
        answer = client.post(f"/inquiries/{id}/perform-simulate-actions", body, key=key)
        return str(answer.attributes["status"])

    for action, status in {
        "start_inquiry": "pending",
        "complete_inquiry": "completed",
        "fail_inquiry": "failed",
        "expire_inquiry": "expired",
        "mark_for_review_inquiry": "needs_review",
        "approve_inquiry": "approved",
        "decline_inquiry": "declined",
    }.items():
        id = client.inquiry(key=key).id
        assert simulate(id, action) == status
    id = client.inquiry(key=key).id
    templates = client.sandbox.templates
    passed = {"type": "create_passed_verification", "data": {"verification-template-id": templates.verification_selfie}}
    failed = {"type": "create_failed_verification", "data": {"verification-template-id": templates.verification_government_id}}
    assert simulate(id, "start_inquiry", passed, failed, "mark_for_review_inquiry") == "needs_review"
    verifications = client.get(f"/inquiries/{id}", key=key).related("verifications")
    statuses = [client.get(f"/verifications/{each['id']}", key=key).attributes["status"] for each in verifications]
    assert statuses == ["passed", "failed"]


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded
