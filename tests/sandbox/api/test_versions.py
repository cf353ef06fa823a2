"""The versions of the API: which are accepted, which shape is answered, and how that is told."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block.sandbox.api.versions import SIMULATED, VERSIONS
from persona_block.spec.inflection import normalize
from tests.support import openapi
from tests.support.contract_client import ContractClient, contract

official = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)

OLD = {"Persona-Version": "2023-01-05"}
ANSWERED = "persona-sandbox-answered-version"
PERSON = {"name-first": "Jane", "name-last": "Doe", "birthdate": "1990-01-02", "address-postal-code": "94111"}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (None, "2025-12-08"),
        ("2026-09-29", "2025-12-08"),
        ("2031-01-01", "2025-12-08"),
        ("2025-12-08", "2025-12-08"),
        ("2025-12-07", "2025-10-27"),
        ("2025-10-27", "2025-10-27"),
        ("2024-02-29", "2023-01-05"),
        ("2023-01-05", "2023-01-05"),
        ("2022-09-01", "2023-01-05"),
        ("2020-05-18", "2023-01-05"),
        ("1999-01-01", "2023-01-05"),
    ],
)
def test_any_date_is_answered(client: ContractClient, asked: str | None, answered: str) -> None:
    headers = {} if asked is None else {"Persona-Version": asked}
    for path, status in (("/accounts", 200), ("/accounts/act_x", 404), ("/accounts?moon=full", 400)):
        assert client.get(path, status, headers=headers).headers[ANSWERED] == answered
    logged = client.sandbox.requests[-1]
    assert (logged.asked_version, logged.answered_version) == (asked, answered)
    page = client.visit(f"/dashboard/requests/{logged.id}").text
    assert (f"{answered}, asked for {asked}" in page) == (asked not in (None, answered))
    assert answered in page
    listed = client.visit("/dashboard/requests").text
    assert (f">as {answered}<" in listed) == (asked not in (None, answered))


@pytest.mark.parametrize("asked", ["latest", "", "2025", "2025-13-01", "2023-02-29", "20251208", "2025-12-08T00:00:00Z"])
def test_no_date_is_refused(client: ContractClient, asked: str) -> None:
    reply = client.call("GET", "/accounts", headers={"Persona-Version": asked}).expect(400)
    assert reply.details == "Persona-Version must be a date, such as 2025-12-08"
    assert reply.headers[ANSWERED] == "2025-12-08"


def test_the_shapes_are_of_known_versions() -> None:
    assert set(SIMULATED) < set(VERSIONS)
    assert list(VERSIONS) == sorted(VERSIONS, reverse=True)


@official
def test_the_documented_versions_are_known() -> None:
    rules = contract()
    assert rules
    # The other two are named by the documentation alone.
    documented = set(rules.schema("components", "schemas", "api-version")["enum"])
    assert set(VERSIONS) - documented == {"2026-09-29", "2021-05-14"}
    assert documented < set(VERSIONS)


class TestAnswersOf2023:
    """Answers in the shape of 2023-01-05."""

    def test_an_inquiry(self, client: ContractClient) -> None:
        id = client.inquiry({"fields": PERSON}).id
        client.finished(id)
        latest, old = client.get(f"/inquiries/{id}"), client.get(f"/inquiries/{id}", headers=OLD)
        flat = {name: old.attributes[name] for name in old.attributes.keys() - latest.attributes.keys()}
        assert flat == {
            **{name: field["value"] for name, field in latest.attributes["fields"].items() if name != "address-country-code"},
            "social-security-number": None,
            "address-subdivision-abbr": None,
            "address-postal-code-abbr": "94111",
        }
        assert latest.attributes.items() <= old.attributes.items()
        kinds = [each["type"].partition("/")[0] for each in old.body["included"]]
        assert sorted(kinds) == ["document", "inquiry-session", "inquiry-template", "verification", "verification"]
        assert "included" not in latest.body

    @pytest.mark.parametrize(("include", "kinds"), [("", None), ("account", ["account"])])
    def test_an_include_replaces_what_is_included_unasked(
        self, client: ContractClient, include: str, kinds: list[str] | None
    ) -> None:
        id = client.inquiry().id
        reply = client.get(f"/inquiries/{id}?include={include}", headers=OLD)
        assert (kinds and [each["type"] for each in reply.body["included"]]) == kinds
        assert ("included" in reply.body) == (kinds is not None)

    def test_an_account(self, client: ContractClient) -> None:
        number = {"issuing_country": "UK", "identification_class": "visa", "identification_number": "1"}
        fields = {"name-first": "Jane", "birthdate": "1990-01-02", "identification_numbers": [number]}
        id = client.account(fields=fields, country_code="US").id
        latest, old = client.get(f"/accounts/{id}"), client.get(f"/accounts/{id}", headers=OLD)
        flat = {name: old.attributes[name] for name in old.attributes.keys() - latest.attributes.keys()}
        assert {name: value for name, value in flat.items() if value is not None} == {
            "name-first": "Jane",
            "birthdate": "1990-01-02",
            "country-code": "US",
            "identification-numbers": {
                "visa": [{"issuing-country": "UK", "identification-class": "visa", "identification-number": "1"}]
            },
        }
        assert {"name-last", "email-address", "address-city", "social-security-number"} <= flat.keys()
        assert "included" not in old.body

    def test_a_list_includes_nothing(self, client: ContractClient) -> None:
        client.inquiry({"fields": PERSON})
        reply = client.get("/inquiries", headers=OLD)
        assert reply.data[0]["attributes"]["name-first"] == "Jane"
        assert reply.body.keys() == {"data", "links"}

    def test_cases_and_reports(self, client: ContractClient) -> None:
        account = client.account(reference_id="r").id
        client.finished(client.inquiry({"account-id": account}).id, "review")
        report = client.report(query={"term": "Jane"}, account_id=account).id
        case = client.get(f"/cases/{client.get('/cases').ids[0]}", headers=OLD)
        kinds = {each["type"].partition("/")[0] for each in case.body["included"]}
        assert kinds == {"account", "inquiry", "report", "verification"}
        (template,) = client.get(f"/reports/{report}", headers=OLD).body["included"]
        assert template["id"] == client.sandbox.templates.watchlist

    def test_inflection_and_sparse_fields(self, client: ContractClient) -> None:
        id = client.inquiry({"fields": PERSON}).id
        headers = {**OLD, "Key-Inflection": "camel"}
        reply = client.get(f"/inquiries/{id}?fields[inquiry]=name-first,status&include=", headers=headers)
        assert reply.attributes == {"nameFirst": "Jane", "status": "created"}
        assert (
            normalize(client.get(f"/inquiries/{id}", headers=headers).data) == client.get(f"/inquiries/{id}", headers=OLD).data
        )

    def test_unknown_attributes_of_an_inquiry_are_ignored(self, client: ContractClient) -> None:
        attributes = {"inquiry-template-id": client.sandbox.templates.inquiry, "name-first": "Jane", "moon": 1}
        client.post("/inquiries", {"data": {"attributes": attributes}}, 400)
        created = client.post("/inquiries", {"data": {"attributes": attributes}}, 201, headers=OLD)
        assert created.attributes["name-first"] is None
        client.patch(f"/inquiries/{created.id}", {"note": "n", "moon": 1}, 400)
        assert client.patch(f"/inquiries/{created.id}", {"note": "n", "moon": 1}, headers=OLD).attributes["note"] == "n"
        malformed: tuple[Any, ...] = ({"data": {"attributes": {"note": 1}}}, {"data": 1}, {"data": {"attributes": 1}}, [], {})
        for body in malformed:
            client.post("/inquiries", body, 400, headers=OLD)
        client.post("/inquiries", {"data": {"attributes": attributes}, "moon": 1}, 400, headers=OLD)


@pytest.mark.parametrize(
    ("kind", "has_runs"), [("watchlist", True), ("politically-exposed-person", True), ("adverse-media", False)]
)
def test_reports_of_2025_10_27_tell_their_runs(client: ContractClient, kind: str, has_runs: bool) -> None:
    id = client.report(kind, query={"term": "Jane"}).id
    versions = {version: client.get(f"/reports/{id}", headers={"Persona-Version": version}) for version in SIMULATED}
    runs: dict[str, Any] = {version: reply.attributes.get("run-history") for version, reply in versions.items()}
    earlier: list[Any] | None = [] if has_runs else None
    assert runs == {"2025-12-08": None, "2025-10-27": earlier, "2023-01-05": earlier}
    assert "included" not in versions["2025-10-27"].body


def test_a_replayed_reply_keeps_its_version(client: ContractClient) -> None:
    keyed = {"Idempotency-Key": "one"}
    first = client.call("POST", "/accounts", {}, headers={**keyed, **OLD}).expect(201)
    again = client.call("POST", "/accounts", {}, headers=keyed).expect(201)
    assert (again.body, again.headers[ANSWERED]) == (first.body, "2023-01-05")
    assert "name-first" in again.attributes
