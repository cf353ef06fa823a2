"""Lists: their order, their pages in both directions, the links between pages, and their filters."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from persona_block.sandbox.api.query import ACCOUNT_FILTERS, CASE_FILTERS, INQUIRY_FILTERS, REPORT_FILTERS
from tests.support import openapi
from tests.support.contract_client import ContractClient, contract

official = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)


def follow(client: ContractClient, path: str, direction: str) -> list[list[str]]:
    """Follow a list's links to its end, and return the ids of each page."""
    pages = []
    link: str | None = path
    while link:
        reply = client.get(f"https://persona.sandbox.invalid{link}" if link.startswith("/api/") else link)
        pages.append(reply.ids)
        link = reply.body["links"][direction]
        assert link is None or link.startswith("/api/v1/")
        assert link is None or "[" not in link
    return pages


@pytest.mark.parametrize("size", [1, 3, 7, 10, 100])
def test_pages_both_ways(client: ContractClient, size: int) -> None:
    ids = [client.account(reference_id=f"r{number}").id for number in range(10)][::-1]
    pages = follow(client, f"/accounts?page[size]={size}", "next")
    assert [id for page in pages for id in page] == ids
    assert all(len(page) == size for page in pages[:-1])
    assert client.get(f"/accounts?page[size]={size}").body["links"]["prev"] is None
    last = pages[-1][-1]
    back = follow(client, f"/accounts?page[size]={size}&page[before]={last}", "prev")
    assert [id for page in back[::-1] for id in page] == ids[:-1]
    # Each page leads to the one before and the one after.
    for id in ids:
        before = client.get(f"/accounts?page[size]={size}&page[before]={id}")
        if before.ids:
            following = follow(client, before.body["links"]["next"], "next")
            assert [id for page in following for id in page] == ids[ids.index(before.ids[-1]) + 1 :]


def test_a_list_that_grows_while_it_is_paged(client: ContractClient) -> None:
    old = [client.account().id for _ in range(4)][::-1]
    first = client.get("/accounts?page[size]=2")
    newer = client.account().id
    rest = client.get("https://persona.sandbox.invalid" + first.body["links"]["next"])
    assert first.ids + rest.ids == old
    before = client.get("https://persona.sandbox.invalid" + rest.body["links"]["prev"])
    assert before.ids == first.ids
    assert client.get(f"/accounts?page[before]={first.ids[0]}").ids == [newer]


def test_the_end_and_the_empty_list(client: ContractClient) -> None:
    assert client.get("/accounts").body == {"data": [], "links": {"prev": None, "next": None}}
    account = client.account().id
    assert client.get(f"/accounts?page[after]={account}").body["links"] == {"prev": None, "next": None}


def test_links_keep_filters_and_size(client: ContractClient) -> None:
    for _ in range(3):
        client.inquiry({"reference-id": "a b&c", "tags": ["x"]})
    query = {"filter[reference-id]": "a b&c", "filter[status]": "created", "page[size]": "1", "fields[inquiry]": "status"}
    reply = client.get("/inquiries", query=query)
    parts = urlsplit(reply.body["links"]["next"])
    assert parts.path == "/api/v1/inquiries"
    assert "page%5Bafter%5D=" in parts.query
    assert {name: values[0] for name, values in parse_qs(parts.query).items()} == {**query, "page[after]": reply.ids[0]}
    assert len(follow(client, reply.body["links"]["next"], "next")) == 2


def test_default_size(client: ContractClient) -> None:
    for _ in range(11):
        client.account()
    assert len(client.get("/accounts").ids) == 10


def test_both_cursors_are_refused(client: ContractClient) -> None:
    account = client.account().id
    assert "together" in client.get(f"/accounts?page[after]={account}&page[before]={account}", 400).details


class TestInquiryFilters:
    """The filters of the list of inquiries."""

    @pytest.fixture
    def ids(self, client: ContractClient) -> dict[str, str]:
        """The ids of three inquiries, a minute apart, that differ in everything that a filter compares."""
        templates = client.sandbox.templates
        ids = {}
        flows: dict[str, dict[str, str | None]] = {
            "one": {"inquiry-template-id": templates.inquiry},
            "two": {"inquiry-template-id": templates.database},
            "legacy": {"inquiry-template-id": None, "template-id": templates.legacy},
        }
        for name, template in flows.items():
            ids[name] = client.inquiry({**template, "reference-id": f"r-{name}", "note": f"n-{name}"}).id
            client.sandbox.clock.advance(60)
        client.post(f"/inquiries/{ids['two']}/approve")
        return ids

    @pytest.mark.parametrize(
        ("filters", "names"),
        [
            ({"inquiry-id": "{one},{legacy}"}, ["legacy", "one"]),
            ({"account-id": "{account}"}, ["two"]),
            ({"note": "n-one"}, ["one"]),
            ({"reference-id": "r-one"}, ["one"]),
            ({"reference-id": "r-one,r-two"}, []),
            ({"inquiry-template-id": "itmpl_GovernmentIdAndSelfie, itmpl_DatabaseCheck"}, ["two", "one"]),
            ({"template-id": "tmpl_LegacyGovernmentId"}, ["legacy"]),
            ({"template-id": "tmpl_LegacyGovernmentId", "inquiry-template-id": "itmpl_DatabaseCheck"}, []),
            ({"status": "created"}, ["legacy", "one"]),
            ({"status": "created,approved"}, ["legacy", "two", "one"]),
            ({"status": "created", "reference-id": "r-two"}, []),
            ({"created-at-start": "{at_two}"}, ["legacy", "two"]),
            ({"created-at-end": "{at_two}"}, ["two", "one"]),
            ({"created-at-start": "{at_two}", "created-at-end": "{at_two}"}, ["two"]),
            ({"created-at-start": "2000-01-01"}, ["legacy", "two", "one"]),
            ({"status": ""}, []),
            ({"status": "nonsense"}, []),
        ],
    )
    def test_a_filter(self, client: ContractClient, ids: dict[str, str], filters: dict[str, str], names: list[str]) -> None:
        two = client.get(f"/inquiries/{ids['two']}")
        known = {**ids, "account": two.related("account")["id"], "at_two": two.attributes["created-at"]}
        query = {f"filter[{name}]": value.format(**known) for name, value in filters.items()}
        assert client.get("/inquiries", query=query).ids == [ids[name] for name in names]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("filter[status][]=created&filter[status][]=approved", ["legacy", "two", "one"]),
            ("filter[status][]=approved", ["two"]),
            ("filter[status][]=", []),
            ("filter[status][]=&filter[status][]=approved", ["two"]),
            ("filter[inquiry_id][]={one}&filter[inquiryId][]={legacy}", ["legacy", "one"]),
            ("filter[account-id][]={account}&filter[status]=created,approved", ["two"]),
            ("filter[inquiry-template-id][]=itmpl_DatabaseCheck&filter[template-id][]=tmpl_LegacyGovernmentId", []),
            ("filter[status]=created&filter[status]=approved", ["two"]),
        ],
    )
    def test_an_array(self, client: ContractClient, ids: dict[str, str], query: str, names: list[str]) -> None:
        account = client.get(f"/inquiries/{ids['two']}").related("account")["id"]
        assert client.get(f"/inquiries?{query.format(**ids, account=account)}").ids == [ids[name] for name in names]

    @pytest.mark.parametrize(
        ("query", "details"),
        [
            ("filter[status]=created&filter[status][]=approved", "filter[status] must be an array or a comma-separated list"),
            ("filter[status][]=created&filter[status]=approved", "filter[status] must be an array or a comma-separated list"),
            ("filter[status][0]=created", "filter[status][0] is not allowed"),
            ("filter[note][]=n", "filter[note][] is not allowed"),
            ("filter[moon][]=n", "filter[moon][] is not allowed"),
            ("page[size][]=1", "page[size][] is not allowed"),
            ("fields[inquiry][]=status", "fields[inquiry][] is not allowed"),
            ("&".join(f"filter[inquiry-id][]=inq_{number}" for number in range(101)), "takes at most 100 ids"),
        ],
    )
    def test_arrays_that_are_refused(self, client: ContractClient, query: str, details: str) -> None:
        assert details in client.get(f"/inquiries?{query}", 400).details

    @pytest.mark.parametrize(
        "filters",
        [
            {"note": "n", "status": "created"},
            {"created-at-start": "yesterday"},
            {"inquiry-id": ",".join(f"inq_{number}" for number in range(101))},
        ],
    )
    def test_a_contradiction_is_refused(self, client: ContractClient, filters: dict[str, str]) -> None:
        client.get("/inquiries", 400, query={f"filter[{name}]": value for name, value in filters.items()})


def test_account_and_report_filters(client: ContractClient) -> None:
    accounts = {name: client.account(reference_id=name).id for name in ("a", "b", "c")}
    reports = {name: client.report(query={"term": name}, account_id=accounts[name]).id for name in ("a", "b")}
    assert client.get("/accounts?filter[reference-id]=a,c").ids == [accounts["c"], accounts["a"]]
    assert client.get(f"/reports?filter[account-id]={accounts['a']}").ids == [reports["a"]]
    assert client.get("/reports?filter[reference-id]=b").ids == [reports["b"]]


def test_an_array_takes_commas_as_they_are(client: ContractClient) -> None:
    comma, plain = client.account(reference_id="a,b").id, client.account(reference_id="c").id
    assert client.get("/accounts?filter[reference-id][]=a,b&filter[reference-id][]=c").ids == [plain, comma]
    assert client.get("/accounts?filter[reference-id]=a,b").ids == []


def test_links_repeat_arrays(client: ContractClient) -> None:
    for name in ("a", "b", "c"):
        client.account(reference_id=name)
    pages = follow(client, "/accounts?filter[reference-id][]=a&filter[reference-id][]=c&page[size]=1", "next")
    assert [len(page) for page in pages] == [1, 1]


def test_templates_are_paged(client: ContractClient) -> None:
    pages = follow(client, "/inquiry-templates?page[size]=1", "next")
    assert pages[0] == [client.sandbox.templates.inquiry]
    assert len(pages) == 4
    listed = client.get("/inquiry-templates").data
    assert {item["attributes"]["status"] for item in listed} == {"active", "inactive"}
    for item in listed:
        keys = {schema["key"] for schema in item["attributes"]["field-schemas"]}
        assert "name-first" in keys
        assert item["relationships"]["latest-published-version"]["data"]["id"].startswith("itmplv_")


@pytest.mark.parametrize("spelled", ["inquiry-session", "inquiry_session", "inquirySession"])
def test_a_type_of_sparse_fields_in_every_spelling(client: ContractClient, spelled: str) -> None:
    inquiry = client.inquiry(meta={"auto-create-one-time-link": True}).id
    (session,) = client.get(f"/inquiries/{inquiry}?include=sessions&fields[{spelled}]=status").body["included"]
    assert session["attributes"].keys() == {"status"}


@official
@pytest.mark.parametrize(
    ("path", "filters"),
    [("/inquiries", INQUIRY_FILTERS), ("/accounts", ACCOUNT_FILTERS), ("/cases", CASE_FILTERS), ("/reports", REPORT_FILTERS)],
)
def test_filters_are_the_documented_ones(path: str, filters: dict[str, Any]) -> None:
    rules = contract()
    assert rules
    parameters = rules.schema("paths", path, "get")["parameters"]
    documented = next(parameter for parameter in parameters if parameter.get("name") == "filter")
    assert set(filters) == set(documented["schema"]["properties"])
