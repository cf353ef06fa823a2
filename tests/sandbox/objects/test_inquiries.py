"""Inquiries: their actions from each status, the moments of each status, decisions, expiry."""

from __future__ import annotations

from collections.abc import Set

import pytest

from persona_block.sandbox import Settings
from persona_block.sandbox.objects.inquiries import STATUSES
from persona_block.sandbox.state.clock import parse
from tests.support.contract_client import ContractClient

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
# The statuses that an action can start from and the one it leads to, where "" is the same. Every other status is a 422.
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


@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", sorted(STATUSES))
def test_an_action_from_each_status(status: str, action: str, strict: bool) -> None:
    with ContractClient(settings=Settings(strict=strict)) as client:
        id = client.inquiry_in(status)
        client.sandbox.clock.advance(60)
        before = client.get(f"/inquiries/{id}").attributes
        allowed, target = ACTIONS[action]
        if strict:
            allowed = STRICT.get(action, allowed)
        reply = client.call("POST", f"/inquiries/{id}/{action}")
        after = client.get(f"/inquiries/{id}").attributes
        if status not in allowed:
            assert reply.status == 422
            assert after == before
            return
        assert reply.status == 200
        assert reply.attributes == after
        target = target or ("pending" if (action, status) == ("resume", "expired") else status)
        assert after["status"] == target
        assert after["updated-at"] > before["updated-at"]
        if target != status or action in ("approve", "decline", "mark-for-review"):
            assert after[STAMPS[target]] == after["updated-at"]
            assert after["next-step-name"] == NEXT_STEPS.get(target, before["next-step-name"])
        assert (after["expires-at"] is not None) == (target in ("created", "pending"))


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_timestamps_of_a_status(client: ContractClient, status: str) -> None:
    attributes = client.get(f"/inquiries/{client.inquiry_in(status)}").attributes
    stamped = {name for name in STAMPS.values() if attributes[name]}
    expected = {STAMPS[status]} if status in STAMPS else set()
    started = {"started-at"} if status not in ("created", "expired") else set()
    finished = {"completed-at"} if status in ("needs_review", "approved", "declined") else set()
    assert stamped == expected | started | finished
    assert attributes["next-step-name"] == NEXT_STEPS.get(status, "start")


def test_a_decision_has_a_reviewer_and_a_comment(client: ContractClient) -> None:
    id = client.inquiry_in("completed")
    assert client.get(f"/inquiries/{id}").related("reviewer") is None
    approved = client.post(f"/inquiries/{id}/approve", {"meta": {"comment": "looks right"}}, query={"include": "reviewer"})
    assert approved.attributes["reviewer-comment"] == "looks right"
    assert approved.related("reviewer")["type"] == "user"
    assert approved.body["included"][0]["attributes"]["email-address"]


def test_expiry_by_clock(client: ContractClient) -> None:
    id = client.inquiry(meta={"auto-create-inquiry-session": True}).id
    created = client.get(f"/inquiries/{id}")
    expires = created.attributes["expires-at"]
    assert parse(expires) - parse(created.attributes["created-at"]) == 24 * 3600 * 1000
    client.sandbox.clock.advance(24 * 3600 - 1)
    assert client.get("/inquiries?filter[status]=created").ids == [id]
    client.sandbox.clock.advance(100)
    # The list is the first request since, and every moment is that of the expiry.
    assert client.get("/inquiries?filter[status]=expired").ids == [id]
    expired = client.get(f"/inquiries/{id}?include=sessions")
    assert expired.attributes["expired-at"] == expired.attributes["updated-at"] == expires
    assert expired.attributes["started-at"] is None
    session = expired.body["included"][0]["attributes"]
    assert (session["status"], session["expired-at"]) == ("expired", expires)
    assert [effect.actor for effect in client.sandbox.effects if effect.name == "inquiry.expired"] == ["clock"]


def test_intervals_of_expiry(client: ContractClient) -> None:
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
