"""The hosted flow: its pages, their effects on the inquiry, its sessions, and the step for details."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from persona_block.sandbox.objects.templates import STEPS, TEMPLATES
from tests.sandbox.pages.applicant import DAY, START, heading, linked, opened, send, status, verifications
from tests.support.contract_client import ContractClient

HOSTILE = {"name-first": '"><script>alert(1)</script>', "name-last": "O'Neill & Söhne", "birthdate": "1990-02-03"}


def test_a_flow_step_by_step(client: ContractClient) -> None:
    inquiry, page = linked(client)
    assert heading(client.visit(page)) == "Verify your identity"
    assert status(client, inquiry) == "created", "the first page alone starts nothing"
    send(client, page, **START)
    assert (status(client, inquiry), verifications(client, inquiry)) == ("pending", [])
    assert heading(client.visit(page)) == "Government ID"
    send(client, page, step="government-id", choice="pass")
    assert (status(client, inquiry), verifications(client, inquiry)) == ("pending", [("government-id", "passed")])
    assert heading(client.visit(page)) == "Selfie"
    send(client, page, step="selfie", choice="pass")
    assert status(client, inquiry) == "pending"
    assert heading(client.visit(page)) == "All done?"
    send(client, page, step="finish", choice="pass")
    assert (status(client, inquiry), verifications(client, inquiry)) == (
        "completed",
        [("government-id", "passed"), ("selfie", "passed")],
    )
    done = client.visit(page)
    assert (done.status_code, heading(done)) == (200, "Thank you, you are done")
    assert {effect.actor for effect in client.sandbox.effects if effect.name == "inquiry.completed"} == {"applicant"}


@pytest.mark.parametrize("template", [template for template in STEPS if template != TEMPLATES.inactive])
def test_every_flow_can_be_walked(client: ContractClient, template: str) -> None:
    name = "template-id" if template == TEMPLATES.legacy else "inquiry-template-id"
    inquiry, page = linked(client, {"inquiry-template-id": None, name: template})
    send(client, page, **START)
    for kind in STEPS[template]:
        assert f'name="step" value="{kind}"' in client.visit(page).text
        send(client, page, step=kind, choice="pass")
    send(client, page, step="finish", choice="pass")
    assert status(client, inquiry) == "completed"
    assert verifications(client, inquiry) == [(kind, "passed") for kind in STEPS[template]]


def test_a_step_that_fails_ends_it(client: ContractClient) -> None:
    inquiry, page = linked(client)
    send(client, page, **START)
    send(client, page, step="government-id", choice="pass")
    send(client, page, step="selfie", choice="fail")
    assert status(client, inquiry) == "failed"
    assert verifications(client, inquiry) == [("government-id", "passed"), ("selfie", "failed")]
    assert heading(client.visit(page)) == "This did not work out"


def test_finishing_with_a_review(client: ContractClient) -> None:
    inquiry, page = linked(client)
    for step in ("start", "government-id", "selfie"):
        send(client, page, step=step, choice="start" if step == "start" else "pass")
    send(client, page, step="finish", choice="review")
    assert status(client, inquiry) == "needs_review"
    (case,) = client.get("/cases").data
    assert case["relationships"]["inquiries"]["data"][0]["id"] == inquiry


@pytest.mark.parametrize(
    ("outcome", "ends", "expected"),
    [
        ("pass", "completed", [("government-id", "passed"), ("selfie", "passed")]),
        ("fail", "failed", [("government-id", "failed")]),
        ("review", "needs_review", [("government-id", "passed"), ("selfie", "passed")]),
    ],
)
def test_ending_at_once(client: ContractClient, outcome: str, ends: str, expected: list[tuple[str, str]]) -> None:
    inquiry, page = linked(client)
    send(client, page, outcome=outcome)
    assert (status(client, inquiry), verifications(client, inquiry)) == (ends, expected)
    before = len(client.sandbox.effects)
    for again in ("pass", "fail", "review"):
        assert send(client, page, outcome=again).startswith("/verify?")
    assert len(client.sandbox.effects) == before


def test_abandoning(client: ContractClient) -> None:
    inquiry, page = linked(client)
    left = send(client, page, outcome="abandon")
    assert heading(client.visit(left)) == "You have left"
    assert (status(client, inquiry), verifications(client, inquiry)) == ("pending", [("government-id", "initiated")])
    before = len(client.sandbox.effects)
    assert send(client, page, outcome="abandon") == left
    assert len(client.sandbox.effects) == before, "leaving again changes nothing"
    assert heading(client.visit(page)) == "Government ID"
    send(client, page, step="government-id", choice="pass")
    send(client, page, outcome="abandon")
    assert verifications(client, inquiry) == [("government-id", "passed"), ("selfie", "initiated")], (
        "the applicant goes on with the next step"
    )
    client.sandbox.clock.advance(DAY)
    assert status(client, inquiry) == "expired"
    assert client.visit(left).status_code == 410


def proposed_buttons(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the name and value of each button that a page proposes: a first button of a form, marked as primary."""
    first_buttons = re.findall(
        r'<form method="post".*?<button (class="primary" )?name="(\w+)" value="([\w-]+)"', response.text, re.DOTALL
    )
    return [(name, value) for proposed, name, value in first_buttons if proposed]


@pytest.mark.parametrize(
    ("last", "outcome", "proposed", "ends"),
    [
        ("Doe", None, ["start", "pass", "pass", "pass"], "completed"),
        ("Fail", "fail", ["start", "fail"], "failed"),
        ("Review", "review", ["start", "pass", "pass", "review"], "needs_review"),
        ("Abandon", "abandon", ["start", "abandon"], "pending"),
    ],
)
def test_the_page_proposes_the_outcome_of_the_name(
    client: ContractClient, last: str, outcome: str | None, proposed: list[str], ends: str
) -> None:
    inquiry, page = linked(client, {"fields": {"name-last": last}})
    for expected in proposed:
        shown = client.visit(page)
        name = "outcome" if expected == "abandon" else "choice"
        assert proposed_buttons(shown) == [(name, expected)], expected
        assert shown.text.count('class="primary"') == 1
        assert ("Go on as the name says" in shown.text) == bool(outcome)
        assert (f"The name {last} steers this applicant" in shown.text) == bool(outcome)
        (step,) = re.findall(r'name="step" value="([\w-]+)"', shown.text)
        send(client, page, step=step, **{name: expected})
    assert status(client, inquiry) == ends
    at_once, page = linked(client, {"fields": {"name-last": last}})
    if outcome:
        send(client, page, outcome=outcome)
        assert status(client, at_once) == ends


def test_the_last_page_proposes_no_failure(client: ContractClient) -> None:
    inquiry, page = linked(client, {"fields": {"name-last": "Fail"}})
    for step in ("start", "government-id", "selfie"):
        send(client, page, step=step, choice="start" if step == "start" else "pass")
    shown = client.visit(page)
    assert (heading(shown), proposed_buttons(shown)) == ("All done?", [("choice", "pass")])
    assert "as the name says" not in shown.text
    send(client, page, step="finish", choice="pass")
    assert status(client, inquiry) == "completed"


@pytest.mark.parametrize(
    ("before", "first", "choice", "ends"),
    [
        ("Jane", "Fail", "as-named", "failed"),
        ("Fail", "Jane", "as-named", "pending"),
        ("Jane", "Jane", "as-named", "pending"),
        ("Jane", "Fail", "pass", "pending"),
        ("Jane", "Jane", "fail", "failed"),
    ],
)
def test_a_typed_name_steers_its_own_step(client: ContractClient, before: str, first: str, choice: str, ends: str) -> None:
    inquiry, page = linked(client, {"inquiry-template-id": TEMPLATES.database, "fields": {"name-first": before}})
    send(client, page, **START)
    shown = client.visit(page)
    assert proposed_buttons(shown) == [("choice", "as-named")]
    assert shown.text.count('class="primary"') == 1
    send(client, page, step="database", choice=choice, **{"name-first": first})
    assert status(client, inquiry) == ends
    assert verifications(client, inquiry)[0] == ("database", "failed" if ends == "failed" else "passed")


def test_a_typed_name_can_abandon(client: ContractClient) -> None:
    inquiry, page = linked(client, {"inquiry-template-id": TEMPLATES.database})
    send(client, page, **START)
    left = send(client, page, step="database", choice="as-named", **{"name-first": "Abandon"})
    assert heading(client.visit(left)) == "You have left"
    assert verifications(client, inquiry) == [("database", "initiated")]


def test_ending_at_once_from_the_middle(client: ContractClient) -> None:
    inquiry, page = linked(client)
    send(client, page, **START)
    send(client, page, step="government-id", choice="pass")
    send(client, page, outcome="fail")
    assert (status(client, inquiry), verifications(client, inquiry)) == (
        "failed",
        [("government-id", "passed"), ("selfie", "failed")],
    )


def test_a_form_sent_again_changes_nothing(client: ContractClient) -> None:
    """Every form is sent again, at once and after the later ones, as by a double click, the back button or a second tab."""
    inquiry, page = linked(client)
    forms = [START, *({"step": step, "choice": "pass"} for step in ("government-id", "selfie", "finish"))]
    for index, form in enumerate(forms):
        send(client, page, **form)
        before = client.sandbox.effects
        for sent in forms[: index + 1]:
            send(client, page, **sent)
        assert client.sandbox.effects == before, form
    assert len(verifications(client, inquiry)) == 2


def test_a_form_of_a_later_step_changes_nothing(client: ContractClient) -> None:
    inquiry, page = linked(client)
    send(client, page, step="selfie", choice="pass")
    send(client, page, step="finish", choice="pass")
    assert (status(client, inquiry), verifications(client, inquiry)) == ("created", [])


def test_two_sessions_share_one_flow(client: ContractClient) -> None:
    inquiry, page = linked(client)
    other = opened(client, client.post(f"/inquiries/{inquiry}/generate-one-time-link").body["meta"]["one-time-link-short"])
    assert other != page
    send(client, page, **START)
    assert heading(client.visit(other)) == "Government ID"
    send(client, other, step="government-id", choice="pass")
    send(client, page, step="government-id", choice="pass")
    assert len(verifications(client, inquiry)) == 1


@pytest.mark.parametrize(
    "form",
    [
        {"step": "start", "choice": "pass"},
        {"step": "start"},
        {"outcome": "elsewhere"},
        {"outcome": ""},
    ],
)
def test_an_unknown_choice_is_refused(client: ContractClient, form: dict[str, str]) -> None:
    inquiry, page = linked(client)
    assert client.visit(page, form).status_code == 400
    assert status(client, inquiry) == "created"


class TestSessions:
    """How a browser enters the flow, and for how long."""

    def test_the_session_outlives_its_link(self, client: ContractClient) -> None:
        created = client.inquiry(meta={"auto-create-one-time-link": True})
        link = created.body["meta"]["one-time-link"]
        page = opened(client, link)
        send(client, page, **START)
        client.sandbox.clock.advance(3600)
        refused = client.visit(link)
        assert (refused.status_code, heading(refused)) == (410, "Link expired")
        assert "has been used" in refused.text
        assert heading(client.visit(page)) == "Government ID"
        send(client, page, outcome="pass")
        assert status(client, created.id) == "completed"

    def test_a_head_request_does_not_use_a_link(self, client: ContractClient) -> None:
        created = client.inquiry(meta={"auto-create-one-time-link": True}).body["meta"]
        for link in (created["one-time-link"], created["one-time-link-short"]):
            assert client.visit(link, method="HEAD").status_code == 200
        client.sandbox.clock.advance(3600)
        assert opened(client, created["one-time-link"])

    def test_a_session_ends_after_a_day(self, client: ContractClient) -> None:
        meta = {"auto-create-one-time-link": True, "expiration-after-create-interval-seconds": 30 * DAY}
        page = opened(client, client.inquiry(meta=meta).body["meta"]["one-time-link"])
        client.sandbox.clock.advance(DAY - 1)
        assert client.visit(page).status_code == 200
        client.sandbox.clock.advance(1)
        assert client.visit(page).status_code == 410
        assert client.visit(page, START).status_code == 410

    def test_session_tokens_of_the_api_open_the_flow(self, client: ContractClient) -> None:
        created = client.inquiry(meta={"auto-create-inquiry-session": True})
        for token in (
            created.body["meta"]["session-token"],
            client.post(f"/inquiries/{created.id}/resume").body["meta"]["session-token"],
        ):
            for page in (f"/verify?session-token={token}", f"/verify?inquiry-id={created.id}&session-token={token}"):
                assert heading(client.visit(page)) == "Verify your identity"
        sessions = client.get(f"/inquiries/{created.id}?include=sessions").body["included"]
        assert [each["attributes"]["status"] for each in sessions] == ["active"]

    def test_wrong_links_and_tokens_are_unknown(self, client: ContractClient) -> None:
        first, page = linked(client)
        second, _ = linked(client)
        token = parse_qs(urlsplit(page).query)["session-token"][0]
        head, claims, signature = token.split(".")
        for url in (
            "/verify",
            "/verify?code=",
            "/verify?code=us1-",
            "/v/us1-nothing",
            "/verify?session-token=",
            "/verify?session-token=..",
            f"/verify?session-token={head}.{claims}.",
            f"/verify?session-token={head}.{claims}x.{signature}",
            f"/verify?session-token={token}%C3%BC",
            f"/verify?session-token={token}&inquiry-id={second}",
            f"/verify?session-token={token}&inquiry-id=",
            "/verify?inquiry-id=inq_nowhere",
            f"/verify?inquiry-id={client.get(f'/inquiries/{first}').related('account')['id']}",
        ):
            response = client.visit(url)
            assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8"), url
        assert client.visit("/verify", START).status_code == 404

    def test_an_id_opens_an_inquiry_until_it_starts(self, client: ContractClient) -> None:
        inquiry = client.inquiry().id
        page = opened(client, f"/verify?inquiry-id={inquiry}")
        assert opened(client, f"/verify?inquiry-id={inquiry}") == page
        assert len(client.get(f"/inquiries/{inquiry}").related("sessions")) == 1
        send(client, page, **START)
        refused = client.visit(f"/verify?inquiry-id={inquiry}")
        assert (refused.status_code, heading(refused)) == (403, "Forbidden")
        assert "session token" in refused.text
        assert len(client.get(f"/inquiries/{inquiry}").related("sessions")) == 1

    @pytest.mark.parametrize(
        ("end", "code", "message"),
        [
            ("approve", 422, "Its status is approved"),
            ("decline", 422, "Its status is declined"),
            ("mark-for-review", 422, "Its status is needs review"),
            ("expire", 410, "has expired"),
            ("redact", 409, "already redacted"),
        ],
    )
    def test_an_inquiry_that_ended_in_between(self, client: ContractClient, end: str, code: int, message: str) -> None:
        inquiry, page = linked(client)
        send(client, page, **START)
        if end == "redact":
            client.delete(f"/inquiries/{inquiry}")
        else:
            client.post(f"/inquiries/{inquiry}/{end}")
        before = client.sandbox.effects
        for form in (None, {"step": "government-id", "choice": "pass"}, {"outcome": "pass"}):
            response = client.visit(page, form)
            assert (response.status_code, response.headers["content-type"]) == (code, "text/html; charset=utf-8")
            assert message in response.text
            assert "Unprocessable" not in response.text
            assert ("ask whoever sent it" in response.text) == (end not in ("approve", "decline", "mark-for-review"))
        assert client.sandbox.effects == before

    @pytest.mark.parametrize("end", ["approve", "decline", "mark-for-review"])
    def test_a_link_after_a_decision(self, client: ContractClient, end: str) -> None:
        created = client.inquiry(meta={"auto-create-one-time-link": True})
        decided = client.post(f"/inquiries/{created.id}/{end}").attributes["status"]
        response = client.visit(created.body["meta"]["one-time-link"])
        assert (response.status_code, heading(response)) == (410, "This inquiry has ended")
        assert f"Its status is {decided.replace('_', ' ')}" in response.text
        assert "ask whoever sent it" not in response.text

    def test_an_inquiry_that_expires_in_the_flow(self, client: ContractClient) -> None:
        inquiry, page = linked(client)
        send(client, page, **START)
        client.sandbox.clock.advance(DAY)
        response = client.visit(page, {"step": "government-id", "choice": "pass"})
        assert response.status_code == 410
        assert (status(client, inquiry), verifications(client, inquiry)) == ("expired", [])

    def test_an_old_session_of_an_inquiry_that_was_resumed(self, client: ContractClient) -> None:
        meta = {"auto-create-one-time-link": True, "expiration-after-create-interval-seconds": 3600}
        created = client.inquiry(meta=meta)
        page = opened(client, created.body["meta"]["one-time-link"])
        send(client, page, **START)
        client.post(f"/inquiries/{created.id}/resume")
        fresh = opened(client, client.post(f"/inquiries/{created.id}/generate-one-time-link").body["meta"]["one-time-link"])
        client.sandbox.clock.advance(3600)
        refused = client.visit(page)
        assert (refused.status_code, "This session has expired" in refused.text) == (410, True)
        assert heading(client.visit(fresh)) == "Government ID"


class TestDetails:
    """The step that asks for details to search a database for."""

    def start_details(self, client: ContractClient) -> tuple[str, str]:
        """Start an inquiry of this flow; return its id, and its session's page."""
        inquiry, page = linked(client, {"inquiry-template-id": TEMPLATES.database, "fields": HOSTILE})
        send(client, page, **START)
        return inquiry, page

    def test_known_fields_are_shown_and_escaped(self, client: ContractClient) -> None:
        _, page = self.start_details(client)
        text = client.visit(page).text
        assert "<script" not in text
        for name, value in HOSTILE.items():
            field = re.search(rf'name="{name}" value="([^"]*)"', text)
            assert field
            assert html.unescape(field[1]) == value

    def test_given_fields_reach_the_inquiry_and_its_account(self, client: ContractClient) -> None:
        inquiry, page = self.start_details(client)
        values = {"name-first": " Ada ", "name-last": "Kent", "birthdate": "", "address-country-code": "DE", "other": "x"}
        send(client, page, step="database", choice="pass", **values)
        send(client, page, step="finish", choice="pass")
        read = client.get(f"/inquiries/{inquiry}?include=account")
        fields = read.attributes["fields"]
        assert [fields[name]["value"] for name in ("name-first", "name-last", "address-country-code")] == ["Ada", "Kent", "DE"]
        assert fields["birthdate"]["value"] == "1990-01-15", "what was left empty is made up"
        assert "other" not in fields
        assert read.body["included"][0]["attributes"]["fields"]["name"]["value"]["first"]["value"] == "Ada"

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [("birthdate", "1990-02-30", "must be a date, YYYY-MM-DD"), ("address-country-code", "de", "two capital letters")],
    )
    def test_wrong_fields_are_asked_for_again(self, client: ContractClient, name: str, value: str, message: str) -> None:
        inquiry, page = self.start_details(client)
        before = client.sandbox.effects
        response = client.visit(page, {"step": "database", "choice": "pass", "name-first": "<Ada>", name: value})
        assert response.status_code == 422
        assert message in response.text
        assert re.search(rf'name="{name}" value="{value}"[^>]*aria-invalid="true"[^>]*aria-describedby', response.text)
        assert 'value="&lt;Ada&gt;"' in response.text, "what was typed is still there"
        assert (client.sandbox.effects, verifications(client, inquiry)) == (before, [])
