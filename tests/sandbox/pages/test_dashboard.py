"""The dashboard and the control of time: what they show, and that they show it safely."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block.sandbox import Sandbox
from persona_block.sandbox.objects.inquiries import STATUSES
from persona_block.sandbox.pages.dashboard import COLLECTIONS, PAGE_SIZE
from persona_block.sandbox.state.records import Delivery, Event
from tests.support.contract_client import Client

HOSTILE = "<img src=x onerror=alert(1)> \"'&{{7*7}}"
STYLE = Path(__file__).resolve().parents[3] / "persona_block/sandbox/pages/style.css"


@pytest.fixture(scope="module")
def explored() -> Iterator[Client]:
    """A client of a sandbox with an organisation in it, which no test changes."""
    with Client(populate=True) as client:
        yield client


def links(page: httpx.Response) -> list[str]:
    """Give the addresses that a page links to."""
    return [html.unescape(found) for found in re.findall(r'href="([^"]*)"', page.text)]


def ids(page: httpx.Response, prefix: str) -> list[str]:
    """Give the ids of a kind that a page's tables link to, in their order."""
    return re.findall(rf'<th scope="row"><a href="/dashboard/objects/({prefix}_\w+)"', page.text)


def shown(client: Client, path: str, status: int = 200, **headers: str) -> httpx.Response:
    """Ask for a page, which has to answer with a status."""
    response = client.visit(path, None, **headers)
    assert response.status_code == status, response.text
    return response


def test_every_page_can_be_reached_and_shown(explored: Client) -> None:
    """From the first page on, every link is followed but for the further ones of long lists; files are served."""
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
            assert link.startswith(("/", "https://files.sandbox.invalid/")), "nothing leads out"
            seen.add(link)
            kind = re.sub(r"_\w+$", "", link.partition("?")[0])
            per_kind[kind] = per_kind.get(kind, 0) + 1
            if per_kind[kind] <= 30 and link.startswith("/"):
                todo.append(link)
    kinds = {kind.rpartition("/")[2] for kind in per_kind}
    assert {"inq", "act", "case", "rep", "ver", "doc", "docf", "self", "iqse", "mprt", "itmpl", "user", "req"} <= kinds
    assert any(link.startswith("https://files.") for link in seen)


def test_files_are_links(explored: Client) -> None:
    inquiry = explored.get("/inquiries?filter[status]=approved&page[size]=100").data
    document = next(
        each["relationships"]["documents"]["data"][0]["id"] for each in inquiry if each["relationships"]["documents"]["data"]
    )
    files = [link for link in links(shown(explored, f"/dashboard/objects/{document}")) if "access_token" in link]
    assert files
    for link in files:
        assert explored.fetch(link).content.startswith(b"\x89PNG")


def test_lists_are_paged_both_ways(explored: Client) -> None:
    found, path, pages = list[str](), "/dashboard/inquiries", []
    while path:
        page = shown(explored, path)
        pages.append(path)
        found += ids(page, "inq")
        path = next((html.unescape(link) for link in re.findall(r'rel="next" href="([^"]*)"', page.text)), "")
    newest = [each["id"] for each in explored.get("/inquiries?page[size]=100").data]
    assert found == newest
    assert len(pages) == -(-len(newest) // PAGE_SIZE)
    back = html.unescape(re.findall(r'rel="prev" href="([^"]*)"', shown(explored, pages[-1]).text)[0])
    assert ids(shown(explored, back), "inq") == ids(shown(explored, pages[-2]), "inq")
    assert 'rel="prev"' not in shown(explored, pages[0]).text


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_inquiries_by_status(explored: Client, status: str) -> None:
    page = shown(explored, f"/dashboard/inquiries?status={status}")
    expected = [each["id"] for each in explored.get(f"/inquiries?filter[status]={status}&page[size]={PAGE_SIZE}").data]
    assert expected
    assert ids(page, "inq") == expected
    assert set(COLLECTIONS["inquiries"].statuses) == STATUSES


def test_what_there_is_not() -> None:
    with Client() as client:
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


def test_environments_are_apart(client: Client) -> None:
    client.account(reference_id="real")
    client.post("/accounts", {"data": {"attributes": {"reference-id": "tried"}}}, 201, key=client.sandbox.sandbox_key)
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


def test_an_inquiry_and_its_history(client: Client) -> None:
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


def test_requests_show_what_they_changed_and_no_key(client: Client) -> None:
    attributes = {"data": {"attributes": {"reference-id": "r"}}}
    first, second = (client.post("/accounts", attributes, 201, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    client.get("/accounts?filter[reference-id]=r")
    client.get("/accounts", 401, key="persona_production_not-a-key-of-ours")
    page = shown(client, "/dashboard/requests")
    asked = re.findall(r"<strong>(\w+)</strong> ([^<]*)", page.text)
    assert asked == [("GET", "/accounts"), ("GET", "/accounts"), ("POST", "/accounts"), ("POST", "/accounts")]
    assert "?filter[reference-id]=r" in html.unescape(page.text).replace("%5B", "[").replace("%5D", "]")
    assert page.text.count("replayed") == 1
    assert "persona_production_***" in page.text
    for key in (client.sandbox.api_key, client.sandbox.sandbox_key, "not-a-key-of-ours"):
        assert key not in page.text
    detail = shown(client, f"/dashboard/requests/{first.headers['request-id']}").text
    assert "account.created" in detail
    assert "k-1" in detail
    assert first.id in detail
    assert "Nothing." in shown(client, f"/dashboard/requests/{second.headers['request-id']}").text


def test_many_requests_are_paged(client: Client) -> None:
    for _ in range(PAGE_SIZE + 3):
        client.get("/cases")
    first, second = shown(client, "/dashboard/requests"), shown(client, "/dashboard/requests?page=2")
    found = [re.findall(r'href="/dashboard/requests/(req_\w+)"', page.text) for page in (first, second)]
    assert [len(each) for each in found] == [PAGE_SIZE, 3]
    assert found[0] + found[1] == [record.id for record in reversed(client.sandbox.requests)]


def test_whatever_a_workflow_writes_is_text(client: Client) -> None:
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

    def test_it_makes_a_link_as_the_api_would(self, client: Client) -> None:
        inquiry = client.inquiry().id
        button = f"/dashboard/objects/{inquiry}/link"
        assert f'action="{button}"' in shown(client, f"/dashboard/objects/{inquiry}").text
        opened = client.visit(button, {})
        assert opened.status_code == 303
        assert re.fullmatch(r"/verify\?code=us1-\w+", opened.headers["location"])
        assert client.visit(opened.headers["location"]).status_code == 303
        assert client.sandbox.effects[-1].name == "inquiry-session.started"
        assert [effect.name for effect in client.sandbox.effects].count("inquiry.one-time-link-generated") == 1

    def test_only_where_the_api_would(self, client: Client) -> None:
        inquiry = client.inquiry().id
        client.finished(inquiry)
        assert "/link" not in shown(client, f"/dashboard/objects/{inquiry}").text
        refused = client.visit(f"/dashboard/objects/{inquiry}/link", {})
        assert refused.status_code == 422
        assert "has no one-time link" in refused.text
        assert client.visit("/dashboard/objects/inq_nowhere/link", {}).status_code == 404
        assert client.visit(f"/dashboard/objects/{client.account().id}/link", {}).status_code == 404

    def test_no_other_site_can_press_it(self, client: Client) -> None:
        inquiry = client.inquiry().id
        for headers in ({"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}, {"host": "evil.example"}):
            assert client.visit(f"/dashboard/objects/{inquiry}/link", {}, **headers).status_code == 403
        assert client.get(f"/inquiries/{inquiry}").related("sessions") == []


class TestClock:
    """Time that a person or a program moves."""

    @pytest.mark.parametrize(("step", "seconds"), [("1 hour", 3600), ("1 day", 86_400), ("7 days", 604_800)])
    def test_buttons(self, client: Client, step: str, seconds: int) -> None:
        inquiry, before = client.inquiry().id, client.sandbox.clock.milliseconds()
        page = shown(client, "/?environment=sandbox").text
        assert f'value="{step}"' in page
        moved = client.visit("/dashboard/clock?environment=sandbox", {"advance": step})
        assert (moved.status_code, moved.headers["location"]) == (303, "/?environment=sandbox")
        assert client.sandbox.clock.milliseconds() - before == seconds * 1000
        expected = "expired" if seconds >= 86_400 else "created"
        effects = [effect.status for effect in client.sandbox.effects if effect.resource_id == inquiry]
        assert effects[-1] == expected, "what was due has happened already"
        assert client.visit("/dashboard/clock", {"advance": "1 year"}).status_code == 400

    def advance(self, client: Client, content: bytes, **headers: str) -> httpx.Response:
        """Send a body to the endpoint for programs."""
        sent = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return client.call("POST", "/../../sandbox/clock", content=content, headers=sent).response

    def test_programs(self, client: Client) -> None:
        before = client.sandbox.clock.now()
        report = client.report(query={"term": "Jane"}, report_template_id=client.sandbox.templates.watchlist).id
        for content, seconds in (
            (b'{"advance-seconds": 3600}', 3600),
            (b'{"advance-seconds": 0.5}', 0.5),
            (b'{"advance-seconds": 0}', 0),
        ):
            answer = self.advance(client, content)
            assert answer.status_code == 200
            assert answer.headers["persona-sandbox"] == "simulation"
            assert (client.sandbox.clock.now() - before).total_seconds() == seconds
            before = client.sandbox.clock.now()
            assert answer.json() == {"now": f"{before:%Y-%m-%dT%H:%M:%S}.{before.microsecond // 1000:03}Z"}
        assert client.get(f"/reports/{report}").attributes["status"] == "ready"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"[]",
            b"3600",
            b"{}",
            b'{"advance-seconds": "3600"}',
            b'{"advance-seconds": true}',
            b'{"advance-seconds": null}',
            b'{"advance-seconds": -1}',
            b'{"advance-seconds": NaN}',
            b'{"advance-seconds": Infinity}',
            b'{"advance-seconds": 1e300}',
            b'{"advance-seconds": 1' + b"0" * 400 + b"}",
            b'{"advance-seconds": 1' + b"0" * 5000 + b"}",
            b'{"advance-seconds": 300000000000}',
            b'{"advance-seconds": 1',
            b"\xff",
        ],
    )
    def test_what_it_does_not_take(self, client: Client, content: bytes) -> None:
        before = client.sandbox.clock.now()
        answer = self.advance(client, content)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["details"]
        assert client.sandbox.clock.now() == before

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"content_type": "text/plain"}, 400),
            ({"content_type": "application/x-www-form-urlencoded"}, 400),
            ({"content_type": ""}, 400),
            ({"content_type": "application/json; charset=utf-8"}, 200),
            ({"sec_fetch_site": "cross-site"}, 403),
            ({"sec_fetch_site": "same-site"}, 403),
            ({"origin": "https://evil.example"}, 403),
            ({"origin": "https://persona.sandbox.invalid"}, 200),
            ({"host": "evil.example"}, 403),
        ],
    )
    def test_whom_it_takes_it_from(self, client: Client, headers: dict[str, str], status: int) -> None:
        before = client.sandbox.clock.now()
        answer = self.advance(client, b'{"advance-seconds": 60}', **headers)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        assert (client.sandbox.clock.now() > before) == (status == 200)

    def test_what_it_says_of_the_clock(self) -> None:
        for speed, says in ((0, "stands still"), (1, "as fast as yours"), (60, "60 times as fast")):
            with Client(Sandbox(speed=speed)) as client:
                assert says in shown(client, "/").text


def test_webhooks(client: Client) -> None:
    assert "None has been delivered" in shown(client, "/dashboard/webhooks").text
    account, store = client.account().id, client.sandbox.organization.store
    event = Event(1, "evt_1", 1_700_000_000_000, "account.created", account, b"{}", next_at=1_700_000_000_000)
    url = "http://127.0.0.1:9/hooks"
    attempts: list[tuple[int, int | None, str | None, int | None]] = [
        (1, None, f"refused {HOSTILE}", 1_700_000_003_000),
        (2, 500, None, 1_700_000_018_000),
        (3, 204, None, None),
    ]
    with store.transaction():
        store.add_event(event)
        for number, status, error, next_at in attempts:
            delivery = Delivery(event.id, event.name, account, event.at, url, number, status, error, next_at)
            store.add_delivery(event, delivery)
    page = shown(client, "/dashboard/webhooks").text
    assert re.findall(r'class="badge (\w+)">([\w ]+)<', page) == [("good", "204"), ("bad", "500"), ("bad", "no answer")]
    assert page.count("evt_1") == page.count(url) == page.count(f"/dashboard/objects/{account}") == 3
    assert "2023-11-14 22:13:38" in page, "when the second attempt is followed by the third"
    assert "<img" not in page


def test_colours_can_be_told_apart() -> None:
    """Text on its ground has the contrast that WCAG asks for at level AA: 4.5 to 1."""
    style = STYLE.read_text("utf-8")
    schemes = [dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)]
    assert len(schemes) == 2
    pairs = [("text", "ground"), ("text", "card"), ("text", "plain-soft"), ("quiet", "ground"), ("quiet", "card")]
    pairs += [("accent", "ground"), ("accent", "card"), ("accent", "soft"), ("on-accent", "accent"), ("on-banner", "banner")]
    pairs += [(tone, f"{tone}-soft") for tone in ("good", "bad", "wait")]
    for scheme in schemes:
        for text, ground in pairs:
            darker, lighter = sorted((luminance(scheme[text]), luminance(scheme[ground])))
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)


def luminance(colour: str) -> float:
    """Give a colour's relative luminance, as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
