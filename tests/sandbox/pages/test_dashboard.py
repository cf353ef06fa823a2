"""The dashboard: its pages, lists and links, and that it shows every value as text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from persona_block.sandbox.objects.inquiries import STATUSES
from persona_block.sandbox.pages.dashboard import COLLECTIONS, PAGE_SIZE
from persona_block.sandbox.state.records import Delivery, OutgoingEvent
from tests.support.contract_client import ContractClient

HOSTILE = "<img src=x onerror=alert(1)> \"'&{{7*7}}"


@pytest.fixture(scope="module")
def explored() -> Iterator[ContractClient]:
    """A client of a sandbox with a populated organisation, which no test changes."""
    with ContractClient(populate=True) as client:
        yield client


def links(page: httpx.Response) -> list[str]:
    """Return the addresses that a page links to."""
    return [html.unescape(address) for address in re.findall(r'href="([^"]*)"', page.text)]


def ids(page: httpx.Response, prefix: str) -> list[str]:
    """Return the ids with a prefix that the first cells of a page's tables link to, in their order."""
    return re.findall(rf'<th scope="row"><a href="/dashboard/objects/({prefix}_\w+)"', page.text)


def shown(client: ContractClient, path: str, status: int = 200, **headers: str) -> httpx.Response:
    """Return a page, which must have the status; header names are in snake_case."""
    response = client.visit(path, None, **headers)
    assert response.status_code == status, response.text
    return response


def test_every_page_can_be_reached(explored: ContractClient) -> None:
    """From the first page on, every link is followed, up to 30 of each kind."""
    explored.get("/accounts")
    todo, seen, per_kind = ["/"], {"/"}, dict[str, int]()
    while todo:
        path = todo.pop()
        response = shown(explored, path)
        if not response.headers["content-type"].startswith("text/html"):
            continue
        assert "Simulation" in response.text
        assert response.headers["persona-sandbox"] == "simulation"
        assert "script" not in response.headers["content-security-policy"]
        assert len(re.findall("<h1>", response.text)) == 1
        for link in links(response):
            if link.startswith("#") or link in seen:
                continue
            assert link.startswith(("/", "https://files.sandbox.invalid/")), "no link leads to another site"
            seen.add(link)
            kind = re.sub(r"_\w+$", "", link.partition("?")[0])
            per_kind[kind] = per_kind.get(kind, 0) + 1
            if per_kind[kind] <= 30 and link.startswith("/"):
                todo.append(link)
    kinds = {kind.rpartition("/")[2] for kind in per_kind}
    assert {"inq", "act", "case", "rep", "ver", "doc", "docf", "self", "iqse", "mprt", "itmpl", "user", "req"} <= kinds
    assert any(link.startswith("https://files.") for link in seen)


def test_files_are_links(explored: ContractClient) -> None:
    inquiry = explored.get("/inquiries?filter[status]=approved&page[size]=100").data
    document = next(
        each["relationships"]["documents"]["data"][0]["id"] for each in inquiry if each["relationships"]["documents"]["data"]
    )
    files = [link for link in links(shown(explored, f"/dashboard/objects/{document}")) if "access_token" in link]
    assert files
    for link in files:
        assert explored.fetch(link).content.startswith(b"\x89PNG")


def test_lists_are_paged_both_ways(explored: ContractClient) -> None:
    listed, path, pages = list[str](), "/dashboard/inquiries", []
    while path:
        page = shown(explored, path)
        pages.append(path)
        listed += ids(page, "inq")
        path = next((html.unescape(link) for link in re.findall(r'rel="next" href="([^"]*)"', page.text)), "")
    newest = [each["id"] for each in explored.get("/inquiries?page[size]=100").data]
    assert listed == newest
    assert len(pages) == -(-len(newest) // PAGE_SIZE)
    back = html.unescape(re.findall(r'rel="prev" href="([^"]*)"', shown(explored, pages[-1]).text)[0])
    assert ids(shown(explored, back), "inq") == ids(shown(explored, pages[-2]), "inq")
    assert 'rel="prev"' not in shown(explored, pages[0]).text


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_inquiries_by_status(explored: ContractClient, status: str) -> None:
    page = shown(explored, f"/dashboard/inquiries?status={status}")
    expected = [each["id"] for each in explored.get(f"/inquiries?filter[status]={status}&page[size]={PAGE_SIZE}").data]
    assert expected
    assert ids(page, "inq") == expected
    assert set(COLLECTIONS["inquiries"].statuses) == STATUSES


def test_unknown_pages_and_empty_lists() -> None:
    with ContractClient() as client:
        for path in (
            "/dashboard/nothing",
            "/dashboard/objects/inq_nowhere",
            "/dashboard/requests/req_nowhere",
            "/dashboard/inquiries?status=odd",
            "/dashboard/inquiries?after=x",
            "/dashboard/inquiries?after=99999999999999999999",
            "/dashboard/requests?page=-1",
            "/?environment=odd",
        ):
            shown(client, path, 404)
        assert "There are none with the status pending" in shown(client, "/dashboard/inquiries?status=pending").text
        assert "Nobody has asked anything yet" in shown(client, "/").text


def test_environments_do_not_see_each_other(client: ContractClient) -> None:
    client.account(reference_id="real")
    client.post("/accounts", {"data": {"attributes": {"reference-id": "tried"}}}, 201, api_key=client.sandbox.sandbox_key)
    for environment, has, has_not in (("production", "real", "tried"), ("sandbox", "tried", "real")):
        page = shown(client, f"/dashboard/accounts?environment={environment}").text
        assert f">{has}</td>" in page
        assert f">{has_not}</td>" not in page
        overview = shown(client, f"/?environment={environment}").text
        assert "<strong>1</strong> Accounts" in overview
        assert overview.count("<strong>POST</strong> /accounts") == 1
        account = shown(client, re.findall(r"/dashboard/objects/act_\w+", page)[0])
        shared = next(link for link in links(account) if "/acttp_" in link)
        assert f'environment={environment}" aria-current="true"' in shown(client, shared).text
        assert all(f"environment={environment}" in link for link in re.findall(r'href="(/dashboard/\w+\?[^"]*)"', overview))


def test_an_inquiry_and_its_history(client: ContractClient) -> None:
    inquiry = client.inquiry({"fields": {"name-first": "Jane"}, "note": "call back"}).id
    client.finished(inquiry, "review")
    client.post(f"/inquiries/{inquiry}/approve", {"meta": {"comment": "looks fine"}})
    page = shown(client, f"/dashboard/objects/{inquiry}")
    assert all(text in page.text for text in ("Jane", "call back", "looks fine", ">approved<"))
    history = re.findall(r'<th scope="row"><code>(inquiry\.[\w-]+)</code>', page.text)
    assert history == [effect.name for effect in client.sandbox.effects if effect.resource_id == inquiry]
    assert {"inquiry.created", "inquiry.started", "inquiry.completed", "inquiry.approved"} <= set(history)
    read = client.get(f"/inquiries/{inquiry}")
    related = [read.related("account"), *read.related("verifications"), *read.related("documents"), *client.get("/cases").data]
    assert len(related) == 5
    for each in related:
        assert f"/dashboard/objects/{each['id']}" in [link.partition("?")[0] for link in links(page)]


def test_requests_show_what_they_changed_and_no_key(client: ContractClient) -> None:
    attributes = {"data": {"attributes": {"reference-id": "r"}}}
    first, second = (client.post("/accounts", attributes, 201, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    client.get("/accounts?filter[reference-id]=r")
    client.get("/accounts", 401, api_key="persona_production_not-a-key-of-ours")
    page = shown(client, "/dashboard/requests")
    requests = re.findall(r"<strong>(\w+)</strong> ([^<]*)", page.text)
    assert requests == [("GET", "/accounts"), ("GET", "/accounts"), ("POST", "/accounts"), ("POST", "/accounts")]
    assert "?filter[reference-id]=r" in html.unescape(page.text).replace("%5B", "[").replace("%5D", "]")
    assert page.text.count("replayed") == 1
    assert "persona_production_***" in page.text
    for secret in (client.sandbox.api_key, client.sandbox.sandbox_key, "not-a-key-of-ours"):
        assert secret not in page.text
    detail = shown(client, f"/dashboard/requests/{first.headers['request-id']}").text
    assert "account.created" in detail
    assert "k-1" in detail
    assert first.id in detail
    assert "Nothing." in shown(client, f"/dashboard/requests/{second.headers['request-id']}").text


def test_many_requests_are_paged(client: ContractClient) -> None:
    for _ in range(PAGE_SIZE + 3):
        client.get("/cases")
    first, second = shown(client, "/dashboard/requests"), shown(client, "/dashboard/requests?page=2")
    shown_ids = [re.findall(r'href="/dashboard/requests/(req_\w+)"', page.text) for page in (first, second)]
    assert [len(each) for each in shown_ids] == [PAGE_SIZE, 3]
    assert shown_ids[0] + shown_ids[1] == [record.id for record in reversed(client.sandbox.requests)]


def test_values_are_escaped(client: ContractClient) -> None:
    fields: dict[str, Any] = {
        "name-first": HOSTILE,
        "name-last": HOSTILE,
        HOSTILE: HOSTILE,
        "deep": {"filename": HOSTILE, "url": 5},
    }
    fields["link"] = {"filename": "x", "url": "javascript:alert(1)"}
    fields["file"] = {"filename": HOSTILE, "url": f"https://files.sandbox.invalid.evil.example/{HOSTILE}"}
    account = client.account(reference_id=HOSTILE, name_first=HOSTILE, tags=[HOSTILE], fields={"own": HOSTILE}).id
    inquiry = client.inquiry({"account-id": account, "fields": fields, "note": HOSTILE, "tags": [HOSTILE]}).id
    client.finished(inquiry, "review")
    report = client.report(
        account_id=account, query={"term": HOSTILE}, report_template_id=client.sandbox.templates.watchlist
    ).id
    client.post("/accounts", {}, 201, headers={"Idempotency-Key": HOSTILE})
    client.get("/accounts", query={"filter[reference-id]": HOSTILE})
    pages = ["/", *(f"/dashboard/{path}" for path in COLLECTIONS), "/dashboard/requests"]
    pages += [f"/dashboard/objects/{id}" for id in (account, inquiry, report, client.get("/cases").ids[0])]
    pages += [f"/dashboard/requests/{record.id}" for record in client.sandbox.requests]
    times = 0
    for path in pages:
        page = shown(client, path)
        assert "<img" not in page.text
        assert "49" not in re.findall(r"alert\(1\)&gt;[^<]*", page.text)
        assert not [link for link in links(page) if not link.startswith(("/", "#", "https://files.sandbox.invalid/"))], path
        times += page.text.count(html.escape(HOSTILE).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"))
    assert times > 15


class TestLinks:
    """The button that opens the hosted flow of an inquiry."""

    def test_the_button_creates_a_link(self, client: ContractClient) -> None:
        inquiry = client.inquiry().id
        button = f"/dashboard/objects/{inquiry}/link"
        assert f'action="{button}"' in shown(client, f"/dashboard/objects/{inquiry}").text
        opened = client.visit(button, {})
        assert opened.status_code == 303
        assert re.fullmatch(r"/verify\?code=us1-\w+", opened.headers["location"])
        assert client.visit(opened.headers["location"]).status_code == 303
        assert client.sandbox.effects[-1].name == "inquiry-session.started"
        assert [effect.name for effect in client.sandbox.effects].count("inquiry.one-time-link-generated") == 1

    def test_a_finished_inquiry_has_no_button(self, client: ContractClient) -> None:
        inquiry = client.inquiry().id
        client.finished(inquiry)
        assert "/link" not in shown(client, f"/dashboard/objects/{inquiry}").text
        refused = client.visit(f"/dashboard/objects/{inquiry}/link", {})
        assert refused.status_code == 422
        assert "has no one-time link" in refused.text
        assert client.visit("/dashboard/objects/inq_nowhere/link", {}).status_code == 404
        assert client.visit(f"/dashboard/objects/{client.account().id}/link", {}).status_code == 404

    def test_other_sites_are_refused(self, client: ContractClient) -> None:
        inquiry = client.inquiry().id
        for headers in ({"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}, {"host": "evil.example"}):
            assert client.visit(f"/dashboard/objects/{inquiry}/link", {}, **headers).status_code == 403
        assert client.get(f"/inquiries/{inquiry}").related("sessions") == []


def test_the_page_of_deliveries(client: ContractClient) -> None:
    assert "None has been delivered" in shown(client, "/dashboard/webhooks").text
    account, store = client.account().id, client.sandbox.organization.store
    event = OutgoingEvent(
        seq=1,
        id="evt_1",
        at=1_700_000_000_000,
        name="account.created",
        resource_id=account,
        body=b"{}",
        next_at=1_700_000_000_000,
    )
    url = "http://127.0.0.1:9/hooks"
    attempts: list[tuple[int, int | None, str | None, int | None]] = [
        (1, None, f"refused {HOSTILE}", 1_700_000_003_000),
        (2, 500, None, 1_700_000_018_000),
        (3, 204, None, None),
    ]
    with store.transaction():
        store.add_event(event)
        for number, status, error, next_at in attempts:
            delivery = Delivery(
                event_id=event.id,
                name=event.name,
                resource_id=account,
                at=event.at,
                url=url,
                attempt=number,
                status=status,
                error=error,
                next_at=next_at,
            )
            store.add_delivery(event, delivery)
    page = shown(client, "/dashboard/webhooks").text
    assert re.findall(r'class="badge (\w+)">([\w ]+)<', page) == [("good", "204"), ("bad", "500"), ("bad", "no answer")]
    assert page.count("evt_1") == page.count(url) == page.count(f"/dashboard/objects/{account}") == 3
    assert "2023-11-14 22:13:38" in page, "the moment of the third attempt"
    assert "<img" not in page
