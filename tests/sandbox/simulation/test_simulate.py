"""The simulated applicant, and the simulate actions of the sandbox environment."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block.sandbox import SandboxError, Settings
from persona_block.sandbox.state.clock import parse
from tests.support.contract_client import ContractClient


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
def test_names_steer_the_applicant(client: ContractClient, last_name: str, outcome: str | None, status: str) -> None:
    id = client.inquiry({"fields": {"name-first": "Jane", "name-last": last_name}}).id
    assert client.sandbox.complete(id, outcome)["inquiry"]["status"] == status
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
def test_an_account_steers_an_applicant_without_a_name(
    client: ContractClient, last: str, status: str, own: str | None
) -> None:
    account = client.account(name_first="Jane", name_last=last).id
    fields = {"name-last": own} if own else {}
    id = client.inquiry({"account-id": account, "fields": fields}).id
    expected = "completed" if own else status
    assert client.sandbox.complete(id)["inquiry"]["status"] == expected
    if expected != "failed":
        fields = client.get(f"/inquiries/{id}").attributes["fields"]
        name = [fields[part]["value"] for part in ("name-first", "name-last")]
        assert name == (["Alex", own] if own else ["Jane", last]), "the papers show the name of the account"


@pytest.mark.parametrize("flow", ["inquiry", "database", "document"])
def test_each_flow_to_its_end(client: ContractClient, flow: str) -> None:
    template = getattr(client.sandbox.templates, flow)
    id = client.inquiry({"inquiry-template-id": template}).id
    client.finished(id)
    inquiry = client.get(f"/inquiries/{id}?include=verifications,documents")
    for item in inquiry.body["included"]:
        read = client.get(f"/{item['type'].split('/')[0]}s/{item['id']}")
        assert read.attributes["status"] in ("passed", "processed")
        assert read.related("inquiry")["id"] == id
    # What the applicant handed in is in the inquiry's fields and in its account's.
    assert inquiry.attributes["fields"]["name-first"]["value"]
    account = client.get(f"/accounts/{inquiry.related('account')['id']}")
    assert account.attributes["fields"]["name"]["value"]["first"]["value"]


@pytest.mark.parametrize(("flow", "kinds"), [("inquiry", 2), ("database", 1), ("document", 1)])
@pytest.mark.parametrize("delay", [0.4, 3600, 0])
def test_verifications_take_their_time(flow: str, kinds: int, delay: float) -> None:
    with ContractClient(settings=Settings(processing_delay=delay)) as client:
        began = client.sandbox.clock.milliseconds()
        id = client.inquiry({"inquiry-template-id": getattr(client.sandbox.templates, flow)}).id
        client.finished(id)
        included = client.get(f"/inquiries/{id}?include=verifications,documents").body["included"]
        took = client.sandbox.clock.milliseconds() - began
        happened: dict[str, dict[str, int]] = {}
        for effect in client.sandbox.effects:
            happened.setdefault(effect.resource_id, {})[effect.name] = effect.at
    assert kinds * delay * 1000 <= took <= kinds * delay * 1000 + 40
    for each in included:
        moments, attributes = happened[each["id"]], each["attributes"]
        if each["type"].startswith("verification/"):
            parts, name = 1, "completed-at"
            processing = moments["verification.passed"] - moments["verification.submitted"]
            assert parse(attributes["submitted-at"]) <= moments["verification.submitted"]
        else:
            parts, name = 2, "processed-at"
            processing = moments["document.processed"] - moments["document.submitted"]
        assert 0 <= processing - delay * 1000 / parts <= 5
        assert processing > 0
        assert 0 <= max(moments.values()) - parse(attributes[name]) <= 1


def test_a_refused_play_takes_no_time(client: ContractClient) -> None:
    api_key = client.sandbox.sandbox_key
    id = client.inquiry(api_key=api_key).id
    began, effects = client.sandbox.clock.milliseconds(), client.sandbox.effects
    template = {"verification-template-id": client.sandbox.templates.verification_selfie}
    actions = [{"type": "create_passed_verification", "data": template}, {"type": "moon"}]
    path = f"/inquiries/{id}/perform-simulate-actions"
    client.post(path, {"meta": {"simulate-actions": actions}}, 400, api_key=api_key)
    assert (client.sandbox.clock.milliseconds(), client.sandbox.effects) == (began, effects)
    client.post(path, {"meta": {"simulate-actions": actions[:1]}}, 200, api_key=api_key)
    assert client.sandbox.clock.milliseconds() >= began + 400


def test_what_is_due_during_a_play_comes_after_it(client: ContractClient) -> None:
    report = client.report(query={"term": "Jane"}).id
    expiring = client.inquiry(meta={"expiration-after-create-interval-seconds": 3}).id
    client.sandbox.clock.advance(1.4)
    client.finished(client.inquiry().id)
    client.finished(expiring)
    assert client.get(f"/inquiries/{expiring}").attributes["status"] == "completed"
    assert client.get(f"/reports/{report}").attributes["status"] == "ready"
    effects = client.sandbox.effects
    assert [effect.at for effect in effects] == sorted(effect.at for effect in effects)


def test_inquiries_that_cannot_be_completed(client: ContractClient) -> None:
    for id in ("inq_nowhere", client.inquiry_in("completed"), client.inquiry_in("expired")):
        with pytest.raises(SandboxError):
            client.finished(id)
    with pytest.raises(ValueError, match="outcome"):
        client.finished(client.inquiry_in("created"), "win")


def test_simulate_actions_change_sessions_and_accounts(client: ContractClient) -> None:
    """Simulate actions open and end sessions and fill the account, as the applicant does."""
    api_key = client.sandbox.sandbox_key

    def simulated(*actions: str) -> tuple[Any, Any]:
        fields = {"name-first": "Jane"}
        inquiry = client.inquiry({"fields": fields}, api_key=api_key)
        client.patch(f"/inquiries/{inquiry.id}", {"fields": {"phone-number": "1"}}, api_key=api_key)
        typed_actions = [{"type": action} for action in actions]
        body = {"meta": {"simulate-actions": typed_actions}}
        reply = client.post(
            f"/inquiries/{inquiry.id}/perform-simulate-actions?include=sessions,account", body, api_key=api_key
        )
        included = {each["type"]: each["attributes"] for each in reply.body["included"]}
        return included["inquiry-session"]["status"], included["account"]["fields"]["phone_number"]["value"]

    assert simulated("start_inquiry") == ("active", None)
    assert simulated("complete_inquiry") == ("expired", "1")
    assert simulated("start_inquiry", "complete_inquiry") == ("expired", "1")
    assert simulated("fail_inquiry") == ("expired", None)
    assert simulated("start_inquiry", "expire_inquiry") == ("expired", None)


def test_each_simulate_action(client: ContractClient) -> None:
    api_key = client.sandbox.sandbox_key

    def simulate(id: str, *actions: Any) -> str:
        typed_actions = [{"type": action} if isinstance(action, str) else action for action in actions]
        body = {"meta": {"simulate-actions": typed_actions}}
        reply = client.post(f"/inquiries/{id}/perform-simulate-actions", body, api_key=api_key)
        return str(reply.attributes["status"])

    for action, status in {
        "start_inquiry": "pending",
        "complete_inquiry": "completed",
        "fail_inquiry": "failed",
        "expire_inquiry": "expired",
        "mark_for_review_inquiry": "needs_review",
        "approve_inquiry": "approved",
        "decline_inquiry": "declined",
    }.items():
        id = client.inquiry(api_key=api_key).id
        assert simulate(id, action) == status
    id = client.inquiry(api_key=api_key).id
    templates = client.sandbox.templates
    passed = {"type": "create_passed_verification", "data": {"verification-template-id": templates.verification_selfie}}
    failed = {"type": "create_failed_verification", "data": {"verification-template-id": templates.verification_government_id}}
    assert simulate(id, "start_inquiry", passed, failed, "mark_for_review_inquiry") == "needs_review"
    verifications = client.get(f"/inquiries/{id}", api_key=api_key).related("verifications")
    statuses = [client.get(f"/verifications/{each['id']}", api_key=api_key).attributes["status"] for each in verifications]
    assert statuses == ["passed", "failed"]
