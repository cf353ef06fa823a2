"""Links that begin a flow without the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from persona_block.sandbox import TEMPLATES
from persona_block.sandbox.objects.fields import plain
from persona_block.sandbox.state.environment import ENVIRONMENT_IDS
from tests.sandbox.pages.applicant import heading, opened, send, status
from tests.support.contract_client import ContractClient

PRODUCTION, SANDBOX = ENVIRONMENT_IDS["production"], ENVIRONMENT_IDS["sandbox"]


def link(template: str = TEMPLATES.inquiry, **parameters: str) -> str:
    """Return a link with a template, and other parameters with names in snake_case; `fields` are given as `fields_NAME`."""
    query = {"inquiry-template-id": template}
    for name, value in parameters.items():
        field = name.partition("fields_")[2].replace("_", "-")
        query[f"fields[{field}]" if field else name.replace("_", "-")] = value
    return f"/verify?{urlencode(query)}"


def inquiry_of(page: str) -> str:
    """Return the inquiry in the address of a session's page."""
    return parse_qs(urlsplit(page).query)["inquiry-id"][0]


def test_a_link_begins_a_flow(client: ContractClient) -> None:
    address = link(
        environment_id=PRODUCTION,
        reference_id="customer-1",
        fields_name_first="Jane",
        fields_name_last="Fail & Co",
        redirect_uri="https://app.example/done?a=b",
        language="ja",
    )
    page = opened(client, address)
    id = inquiry_of(page)
    inquiry = client.get(f"/inquiries/{id}")
    assert inquiry.attributes["status"] == "created"
    assert inquiry.attributes["reference-id"] == "customer-1"
    assert inquiry.related("inquiry-template")["id"] == TEMPLATES.inquiry
    fields = plain(inquiry.attributes["fields"])
    assert (fields["name-first"], fields["name-last"]) == ("Jane", "Fail & Co")
    account = client.get("/accounts?filter[reference-id]=customer-1").ids[0]
    assert inquiry.related("account")["id"] == account
    assert heading(client.visit(page)) == "Verify your identity"
    location = send(client, page, outcome="pass")
    assert location.startswith("https://app.example/done?a=b&inquiry-id=")
    assert status(client, id) == "completed"
    events = [effect.name for effect in client.sandbox.effects if effect.resource_id == id]
    assert events[:2] == ["inquiry.created", "inquiry.started"]


def test_each_visit_creates_an_inquiry(client: ContractClient) -> None:
    first, second = (opened(client, link(reference_id="same")) for _ in range(2))
    assert client.get("/inquiries").ids == [inquiry_of(second), inquiry_of(first)]
    assert len(client.get("/accounts").ids) == 1
    client.visit(first)
    assert len(client.get("/inquiries").ids) == 2, "the page that it leads to can be loaded again"


@pytest.mark.parametrize(
    ("parameters", "environment"),
    [
        ({"environment_id": SANDBOX}, "sandbox"),
        ({"environment": "sandbox"}, "sandbox"),
        ({"environment": "production"}, "production"),
        ({}, "production"),
    ],
)
def test_a_link_names_an_environment(client: ContractClient, parameters: dict[str, str], environment: str) -> None:
    id = inquiry_of(opened(client, link(**parameters)))
    api_key = client.sandbox.sandbox_key if environment == "sandbox" else client.sandbox.api_key
    assert client.get("/inquiries", api_key=api_key).ids == [id]


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("inquiry-template-version-id", TEMPLATES.inquiry_version),
        ("template-id", TEMPLATES.legacy),
        ("template-id", TEMPLATES.inquiry),
    ],
)
def test_other_names_of_a_template(client: ContractClient, name: str, template: str) -> None:
    id = inquiry_of(opened(client, f"/verify?{name}={template}"))
    relationships = client.get(f"/inquiries/{id}").data["relationships"]
    assert template in [
        (relationships[each]["data"] or {}).get("id") for each in ("inquiry-template", "inquiry-template-version", "template")
    ]


def test_fields_take_the_types_of_the_template(client: ContractClient) -> None:
    values = {"annual_income": "1234.5", "household_size": "3", "accepts_terms": "true", "nationality": "12", "own": "1"}
    address = link(TEMPLATES.database, **{f"fields_{name}": value for name, value in values.items()}, fields_birthdate="")
    fields = plain(client.get(f"/inquiries/{inquiry_of(opened(client, address))}").attributes["fields"])
    assert (fields["annual-income"], fields["household-size"], fields["accepts-terms"]) == (1234.5, 3, True)
    assert (fields["nationality"], fields["own"], fields["birthdate"]) == ("12", "1", None)


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        (link("itmpl_nowhere"), 404, "There is no template itmpl_nowhere"),
        (link(TEMPLATES.watchlist), 404, "There is no template rptp_Watchlist"),
        (link("<script>"), 404, "There is no template &lt;script&gt;"),
        (link(TEMPLATES.inactive), 422, "not active"),
        (link(""), 400, "exactly one template"),
        (f"{link()}&template-id={TEMPLATES.legacy}", 400, "exactly one template"),
        (link(environment_id="env_nowhere"), 404, "There is no such environment"),
        (link(environment="moon"), 404, "There is no such environment"),
        (link(reference_id="r", account_id="act_x"), 400, "both a reference-id and an account-id"),
        (link(account_id="act_x"), 404, "Record not found"),
        (link(fields_birthdate="tomorrow"), 422, "fields.birthdate must be a date"),
        (link(TEMPLATES.database, fields_household_size="1.5"), 422, "fields.household-size must be an integer"),
        (link(TEMPLATES.database, fields_annual_income="inf"), 422, "fields.annual-income must be a number"),
    ],
)
def test_links_that_are_refused(client: ContractClient, address: str, status: int, text: str) -> None:
    response = client.visit(address)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert text in response.text
    assert client.get("/inquiries").ids == client.get("/accounts").ids == []


@pytest.mark.parametrize(
    "headers",
    [{"host": "elsewhere.example"}, {"sec_fetch_dest": "image"}, {"sec_fetch_dest": "iframe"}, {"sec_fetch_dest": "empty"}],
)
def test_other_sites_begin_nothing(client: ContractClient, headers: dict[str, Any]) -> None:
    assert client.visit(link(), **headers).status_code == 403
    assert client.get("/inquiries").ids == []


def test_a_preview_begins_nothing(client: ContractClient) -> None:
    assert client.visit(link(), method="HEAD").status_code == 200
    assert client.get("/inquiries").ids == []


def test_a_browser_follows_the_link(client: ContractClient) -> None:
    response = client.visit(link(), sec_fetch_dest="document", sec_fetch_site="cross-site")
    assert response.status_code == 303
