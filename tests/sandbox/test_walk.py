"""A random walk over all operations: every reply fits the contract, and the organisation stays consistent."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from persona_block.sandbox import SandboxError, Settings
from persona_block.sandbox.objects.inquiries import STATUSES
from persona_block.sandbox.state.clock import parse
from persona_block.sandbox.webhook.events import EVENTS
from tests.sandbox.objects.test_inquiries import ACTIONS, STAMPS
from tests.support.budget import budget
from tests.support.contract_client import CheckedReply, ContractClient
from tests.support.webhook_receiver import Receiver

PICK = st.integers(0, 7)
REFERENCES = st.sampled_from(["ann", "bob", "c,d", "ünïcode", None])
NAMES = st.sampled_from(
    ["Jane Doe", "Jo Fail", "Jo Review", "Al Abandon", "Al Sanctioned", "Al Press", "Al Pep", "Al ReportError"]
)
KINDS = st.sampled_from(["watchlist", "adverse-media", "politically-exposed-person"])
INFLECTIONS = st.sampled_from(["kebab", "camel", "snake"])
PATHS = ("inquiries", "accounts", "cases", "reports", "verifications", "documents", "importers")
INCLUDES = {
    "inquiries": "account,verifications.document,documents,sessions,selfies,reviewer,inquiry-template,template",
    "accounts": "account-type",
    "cases": "accounts,inquiries,reports,verifications,case-queue",
    "reports": "account,report-template",
    "verifications": "inquiry,accounts,verification-template",
    "documents": "inquiry,document-files",
    "importers": "",
}


class Walk(RuleBasedStateMachine):
    """A random walk over one organisation; `known` are the ids seen so far, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.receiver = Receiver()
        self.client = ContractClient(settings=Settings(report_delay=30, import_delay=30), webhook=self.receiver.webhook())
        self.known: dict[str, list[str]] = {path: [] for path in PATHS}
        self.decisions: Counter[str] = Counter()
        self.api_key = self.client.sandbox.api_key
        self.keyed_requests = 0

    @initialize(in_sandbox=st.booleans())
    def choose_environment(self, in_sandbox: bool) -> None:
        if in_sandbox:
            self.api_key = self.client.sandbox.sandbox_key

    def teardown(self) -> None:
        try:
            self.check_lists()
            self.check_inquiries()
            self.check_log()
            self.check_events()
        finally:
            self.client.close()

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> CheckedReply:
        """Call an operation, and note every id in its reply."""
        reply = self.client.call(method, path, body, api_key=self.api_key, **options)
        if reply.status < 300 and isinstance(reply.body, dict):
            self.note_ids(reply.data)
        return reply

    def note_ids(self, value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                self.note_ids(item)
        elif isinstance(value, dict):
            path = {"inquiry": "inquiries"}.get(str(value.get("type")), str(value.get("type")).partition("/")[0] + "s")
            if path in self.known and value.get("id", "") not in self.known[path]:
                self.known[path].append(value["id"])
            for relationship in value.get("relationships", {}).values():
                self.note_ids(relationship["data"])

    def pick(self, path: str, index: int) -> str:
        """Return one of the ids seen at a path, the latest first, or an unknown one."""
        ids = self.known[path]
        return ids[-1 - index % len(ids)] if ids else "nowhere"

    # Actions

    @rule(
        template=st.sampled_from(["inquiry", "inquiry", "inquiry_version", "database", "document", "legacy", "inactive"]),
        reference=REFERENCES,
        account=st.none() | PICK,
        name=NAMES,
        session=st.booleans(),
        link=st.booleans(),
        seconds=st.sampled_from([None, 60, 3600]),
    )
    def create_inquiry(
        self,
        template: str,
        reference: str | None,
        account: int | None,
        name: str,
        session: bool,
        link: bool,
        seconds: int | None,
    ) -> None:
        id = getattr(self.client.sandbox.templates, template)
        kind = {"itmpl": "inquiry-template-id", "itmplv": "inquiry-template-version-id", "tmpl": "template-id"}
        first, last = name.split()
        attributes = {kind[id.partition("_")[0]]: id, "fields": {"name-first": first, "name-last": last}}
        if account is not None:
            attributes["account-id"] = self.pick("accounts", account)
        meta: dict[str, Any] = {"auto-create-inquiry-session": session, "auto-create-one-time-link": link}
        meta["expiration-after-create-interval-seconds"] = seconds
        if reference:
            meta["auto-create-account-reference-id"] = reference
        reply = self.call("POST", "/inquiries", {"data": {"attributes": attributes}, "meta": meta})
        unknown = attributes.get("account-id") == "nowhere"
        assert reply.status == (422 if template == "inactive" else 404 if unknown else 201)

    @rule(inquiry=PICK, note=st.sampled_from([None, "a", "b"]), name=NAMES)
    def update_inquiry(self, inquiry: int, note: str | None, name: str) -> None:
        body = {"data": {"attributes": {"note": note, "fields": {"name-last": name.split()[1]}, "tags": ["t"]}}}
        self.call("PATCH", f"/inquiries/{self.pick('inquiries', inquiry)}", body)

    @rule(inquiry=PICK, action=st.sampled_from(sorted(ACTIONS)))
    def act(self, inquiry: int, action: str) -> None:
        id = self.pick("inquiries", inquiry)
        before = self.call("GET", f"/inquiries/{id}")
        reply = self.call("POST", f"/inquiries/{id}/{action}")
        if before.status == 404:
            assert reply.status == 404
        elif before.attributes["redacted-at"]:
            assert reply.status == 409
        elif before.attributes["status"] not in ACTIONS[action][0]:
            assert reply.status == 422
        else:
            # Besides the status, only the limit of sessions can forbid an action.
            assert reply.status == 200 or (reply.status == 422 and "sessions" in reply.details)
            if reply.status == 200:
                self.decisions[f"{action} {id}"] += 1

    @rule(inquiry=PICK, action=st.sampled_from(["approve", "resume", "generate-one-time-link"]))
    def act_twice_under_one_key(self, inquiry: int, action: str) -> None:
        self.keyed_requests += 1
        path = f"/inquiries/{self.pick('inquiries', inquiry)}/{action}"
        first, again = (self.call("POST", path, headers={"Idempotency-Key": f"k{self.keyed_requests}"}) for _ in range(2))
        assert (first.status, first.body) == (again.status, again.body)
        assert self.client.sandbox.requests[-1].effects == 0
        if first.status == 200:
            self.decisions[f"{action} {first.id}"] += 1

    @rule(inquiry=PICK, outcome=st.sampled_from([None, "pass", "fail", "review", "abandon"]))
    def play(self, inquiry: int, outcome: str | None) -> None:
        id = self.pick("inquiries", inquiry)
        if id == "nowhere":
            return
        before = self.call("GET", f"/inquiries/{id}").attributes
        try:
            after = self.client.finished(id, outcome)
        except SandboxError:
            assert before["status"] not in ("created", "pending") or before["redacted-at"] or self.is_full(id)
            assert self.call("GET", f"/inquiries/{id}").attributes == before
        else:
            assert before["status"] in ("created", "pending")
            self.note_ids(after)

    def is_full(self, id: str) -> bool:
        """Return whether an inquiry has as many sessions as it can have."""
        return len(self.call("GET", f"/inquiries/{id}").related("sessions")) == 25

    @rule(inquiry=PICK)
    def print_inquiry(self, inquiry: int) -> None:
        self.call("GET", f"/inquiries/{self.pick('inquiries', inquiry)}/print")

    @precondition(lambda self: len(self.known["inquiries"]) > 2)
    @rule(inquiry=PICK)
    def redact_inquiry(self, inquiry: int) -> None:
        id = self.pick("inquiries", inquiry)
        before = self.call("GET", f"/inquiries/{id}").attributes["redacted-at"]
        assert self.call("DELETE", f"/inquiries/{id}").status == (409 if before else 200)

    @rule(
        inquiry=PICK,
        actions=st.lists(
            st.sampled_from(["start_inquiry", "complete_inquiry", "fail_inquiry", "mark_for_review_inquiry", "create"]),
            max_size=3,
        ),
    )
    def simulate(self, inquiry: int, actions: list[str]) -> None:
        template = {"verification-template-id": self.client.sandbox.templates.verification_selfie}
        typed_actions = [
            {"type": "create_passed_verification", "data": template} if action == "create" else {"type": action}
            for action in actions
        ]
        path = f"/inquiries/{self.pick('inquiries', inquiry)}/perform-simulate-actions"
        reply = self.call("POST", path, {"meta": {"simulate-actions": typed_actions}})
        assert (reply.status == 403) == (self.api_key == self.client.sandbox.api_key)

    @rule(reference=REFERENCES, name=NAMES, upsert=st.booleans())
    def create_account(self, reference: str | None, name: str, upsert: bool) -> None:
        attributes = {"name-first": name, "fields": {"score": 1}}
        if reference:
            attributes["reference-id"] = reference
        is_known = bool(reference) and any(
            account["attributes"]["reference-id"] == reference for account in self.everything("accounts")
        )
        meta = {"upsert-by": "reference-id"} if upsert else {}
        reply = self.call("POST", "/accounts", {"data": {"attributes": attributes}, "meta": meta})
        expected = 422 if upsert and not reference else 200 if upsert and is_known else 409 if is_known else 201
        assert reply.status == expected

    @rule(account=PICK, reference=REFERENCES, redact=st.integers(0, 5))
    def change_account(self, account: int, reference: str | None, redact: int) -> None:
        path = f"/accounts/{self.pick('accounts', account)}"
        if redact == 0:
            self.call("DELETE", path)
        else:
            attributes = {"reference-id": reference} if reference else {"email-address": "a@example.com"}
            self.call("PATCH", path, {"data": {"attributes": attributes}})

    @rule(
        rows=st.lists(st.sampled_from(["ann,Ann,", "eve,Eve,1990-01-01", ",Nobody,", "x,X,bad", "z,ImportError,"]), max_size=4)
    )
    def import_accounts(self, rows: list[str]) -> None:
        content = "\n".join(["reference_id,name_first,birthdate", *rows]).encode()
        importer = self.call("POST", "/importer/accounts", files={"data[attributes][file]": ("a.csv", content)})
        assert importer.status == 201

    @rule(kind=KINDS, name=NAMES, account=st.none() | PICK)
    def create_report(self, kind: str, name: str, account: int | None) -> None:
        attributes: dict[str, Any] = {"query": {"term": name, "birthdate": "1990-01-02"}}
        if account is not None:
            attributes["account-id"] = self.pick("accounts", account)
        self.call("POST", "/reports", {"data": {"type": f"report/{kind}", "attributes": attributes}})

    @rule(seconds=st.sampled_from([0.001, 1, 20, 61, 3600, 90_000]))
    def wait(self, seconds: float) -> None:
        self.client.sandbox.clock.advance(seconds)

    @rule(path=st.sampled_from(PATHS), index=PICK, inflection=INFLECTIONS, include=st.booleans())
    def read(self, path: str, index: int, inflection: str, include: bool) -> None:
        query = {"include": INCLUDES[path]} if include else {}
        reply = self.client.call(
            "GET",
            f"/{path}/{self.pick(path, index)}",
            api_key=self.api_key,
            query=query,
            headers={"Key-Inflection": inflection},
        )
        # A verification without a document, or without its inquiry, cannot follow every path.
        assert reply.status == (200 if self.known[path] else 404) or (include and reply.status == 400)

    @rule(status=st.sampled_from(sorted(STATUSES)))
    def list_by_status(self, status: str) -> None:
        listed = self.call("GET", f"/inquiries?filter[status]={status}&page[size]=100").data
        everything = self.everything("inquiries")
        assert [each["id"] for each in listed] == [each["id"] for each in everything if each["attributes"]["status"] == status]

    @rule()
    def list_templates(self) -> None:
        assert self.call("GET", "/inquiry-templates").status == (200 if self.api_key == self.client.sandbox.api_key else 403)

    # Invariants

    def everything(self, path: str) -> list[Any]:
        """Read a whole list in one page of the largest size."""
        reply = self.call("GET", f"/{path}?page[size]=100")
        assert reply.body["links"] == {"prev": None, "next": None}
        listed: list[Any] = reply.data
        return listed

    def references(self) -> list[str | None]:
        """Read the reference ids of all accounts."""
        return [account["attributes"]["reference-id"] for account in self.everything("accounts")]

    @invariant()
    def the_last_request_is_logged_with_its_effects(self) -> None:
        requests = self.client.sandbox.requests
        if requests:
            caused = [effect for effect in self.client.sandbox.effects if effect.request_id == requests[-1].id]
            assert len(caused) == requests[-1].effects

    def check_lists(self) -> None:
        for path in ("inquiries", "accounts", "cases", "reports"):
            listed = self.everything(path)
            ids = [each["id"] for each in listed]
            assert len(set(ids)) == len(ids)
            created = [each["attributes"]["created-at"] for each in listed]
            assert created == sorted(created, reverse=True)
            for size in (1, 3):
                paged: list[str] = []
                link = f"/{path}?page[size]={size}"
                while link:
                    reply = self.call("GET", link)
                    paged += reply.ids
                    link = reply.body["links"]["next"] and f"https://persona.sandbox.invalid{reply.body['links']['next']}"
                assert paged == ids
            for each in listed:
                assert self.call("GET", f"/{path}/{each['id']}").data == each
        references = [reference for reference in self.references() if reference]
        assert len(set(references)) == len(references)

    def check_inquiries(self) -> None:
        cases = self.everything("cases")
        for inquiry in self.everything("inquiries"):
            attributes, status = inquiry["attributes"], inquiry["attributes"]["status"]
            running = status in ("created", "pending") and not attributes["redacted-at"]
            assert (attributes["expires-at"] is not None) == running
            if status in STAMPS:
                assert attributes[STAMPS[status]]
            stamps = [attributes[name] for name in (*STAMPS.values(), "redacted-at") if attributes[name]]
            assert all(attributes["created-at"] <= stamp <= attributes["updated-at"] for stamp in stamps)
            assert bool(inquiry["relationships"]["reviewer"]["data"]) == bool(attributes["decisioned-at"])
            self.check_cases(inquiry, cases)
            sessions = self.call("GET", f"/inquiries/{inquiry['id']}?include=sessions").body["included"]
            assert len(sessions) <= 25
            assert running or all(session["attributes"]["status"] == "expired" for session in sessions)

    def check_cases(self, inquiry: Any, cases: list[Any]) -> None:
        status = inquiry["attributes"]["status"]
        mine = [case for case in cases if case["relationships"]["inquiries"]["data"][0]["id"] == inquiry["id"]]
        assert len(mine) == bool(inquiry["attributes"]["marked-for-review-at"])
        for case in mine:
            expected = {"needs_review": ("Open", None), "approved": ("Approved",) * 2, "declined": ("Declined",) * 2}[status]
            assert (case["attributes"]["status"], case["attributes"]["resolution"]) == expected
            assert bool(case["attributes"]["resolved-at"]) == (status != "needs_review")

    def check_log(self) -> None:
        effects = self.client.sandbox.effects
        happened = Counter((effect.name, effect.resource_id) for effect in effects)
        for path, name in (("inquiries", "inquiry.created"), ("accounts", "account.created"), ("cases", "case.created")):
            for each in self.everything(path):
                assert happened[name, each["id"]] == 1
        last = {effect.resource_id: effect.status for effect in effects}
        for inquiry in self.everything("inquiries"):
            id = inquiry["id"]
            assert last[id] == inquiry["attributes"]["status"]
            for action, name in (
                ("approve", "inquiry.approved"),
                ("decline", "inquiry.declined"),
                ("resume", "inquiry.resumed"),
            ):
                assert happened[name, id] == self.decisions[f"{action} {id}"]
        assert [effect.at for effect in effects] == sorted(effect.at for effect in effects)

    def check_events(self) -> None:
        """Check that the webhook gets the logged events in their order, each with a body that fits the contract."""
        self.client.deliver()
        received = [(event.name, event.resource_id, parse(event.created_at.isoformat())) for event in self.receiver.events]
        logged = [(effect.name, effect.resource_id, effect.at) for effect in self.client.sandbox.effects]
        assert received == [each for each in logged if each[0] in EVENTS]
        assert len({event.id for event in self.receiver.events}) == len(received)


Walk.TestCase.settings = settings(
    max_examples=budget(small=6, full=200),
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestWalk = pytest.mark.soak(Walk.TestCase)
