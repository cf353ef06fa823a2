"""The pages in a real browser: from a link of the API to the changed inquiry, on a phone, by keyboard, and under attack."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from persona_block import Runner
from persona_block.sandbox import TEMPLATES, Sandbox

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: Any = {"width": 360, "height": 740}
HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}"),
]


class World:
    """A served sandbox with a client of its API, a browser, and a site of the workflow's own that applicants return to."""

    def __init__(self, sandbox: Sandbox, runner: Runner, browser: Browser, site: str, visits: list[str]) -> None:
        self.sandbox = sandbox
        self.runner = runner
        self.browser = browser
        self.origin = sandbox.base_url.removesuffix("/api/v1")
        self.site = site
        self.visits = visits  # what the site was asked for
        self.complaints: list[str] = []  # what the browser's consoles said, and dialogs

    async def inquiry(self, template: str = TEMPLATES.inquiry, **params: Any) -> tuple[str, str]:
        """Create an inquiry with the site as redirect URI; give its id and a one-time link."""
        given = {"inquiryTemplateId": template, "redirectUri": f"{self.site}/done?order=7", **params}
        created = (await self.runner.call("create_inquiry", given))["inquiry"]
        link = await self.runner.call("generate_inquiry_link", {"inquiryId": created["id"]})
        return created["id"], link["oneTimeLink"]

    async def read(self, inquiry: str) -> dict[str, Any]:
        """Read an inquiry through the API."""
        output = await self.runner.call("get_inquiry", {"inquiryId": inquiry})
        result: dict[str, Any] = output["inquiry"]
        return result

    async def verified(self, inquiry: str) -> list[tuple[str, str]]:
        """Read the kinds and statuses of an inquiry's verifications through the API."""
        found = []
        for each in (await self.read(inquiry))["verificationIds"]:
            verification = (await self.runner.call("get_verification", {"verificationId": each}))["verification"]
            found.append((verification["type"].partition("/")[2], verification["status"]))
        return found

    async def open(self, **options: Any) -> Page:
        """Open a browser of its own, which by default is a phone."""
        context: BrowserContext = await self.browser.new_context(**{"viewport": PHONE, **options})
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        return page


@asynccontextmanager
async def returning() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve the workflow's own site; gives its origin and what it is asked for.

    `/lure` is its page with a form whose target and one field the query gives.
    """
    visits: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        visits.append(path)
        page = "<title>Shop</title><link rel=icon href='data:,'><h1>Welcome back</h1>"
        if path.startswith("/lure?"):
            asked = dict(parse_qsl(urlsplit(path).query))
            field = f"<input name='{asked['name']}' value='{asked['value']}'>"
            page += f"<form method=post action='{asked['target']}'>{field}<button>Win</button></form>"
        headers = f"Content-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close"
        writer.write(f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{page}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", visits


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests; what it remembers ends with the contexts of each."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module")
async def world(browser: Browser) -> AsyncIterator[World]:
    """A world of its own for each test; its clock stands still."""
    with Sandbox(speed=0) as sandbox:
        async with sandbox.serve() as base_url, returning() as (site, visits):
            async with Runner(api_key=sandbox.api_key, base_url=base_url) as runner:
                yield World(sandbox, runner, browser, site, visits)
                for context in browser.contexts:
                    await context.close()


async def heading(page: Page, text: str) -> None:
    """Wait for the page of a heading, and see that it fits the window."""
    await page.get_by_role("heading", level=1, name=text, exact=True).wait_for()
    width, window = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window, f"{text} is {width} wide"


async def press(page: Page, name: str) -> None:
    """Press a button."""
    await page.get_by_role("button", name=name, exact=True).click()


async def test_walk_on_a_phone(world: World) -> None:
    inquiry, link = await world.inquiry(referenceId="customer-7", fields={"name-first": "Jane", "name-last": "Doe"})
    page = await world.open()
    await page.goto(link)
    await heading(page, "Verify your identity")
    await press(page, "Start")
    await heading(page, "Government ID")
    assert (await world.read(inquiry))["status"] == "pending"
    await press(page, "Hand in, and pass")
    await heading(page, "Selfie")
    assert await world.verified(inquiry) == [("government-id", "passed")]
    await page.reload()
    await press(page, "Hand in, and pass")
    await heading(page, "All done?")
    await press(page, "Finish")
    await heading(page, "Welcome back")
    assert (await world.read(inquiry))["status"] == "completed"
    assert await world.verified(inquiry) == [("government-id", "passed"), ("selfie", "passed")]
    query = parse_qs(urlsplit(page.url).query)
    asked = ("order", "inquiry-id", "reference-id", "status", "fields[name-last][value]")
    assert [query[name] for name in asked] == [["7"], [inquiry], ["customer-7"], ["completed"], ["Doe"]]
    assert await page.evaluate("document.referrer") == "", "the session's address is not told"
    assert [f"{world.site}{path}" for path in world.visits] == [page.url]
    assert world.complaints == []


@pytest.mark.parametrize(("button", "ends"), [("Pass", "completed"), ("Fail", "failed"), ("Needs review", "needs_review")])
async def test_one_click_without_javascript(world: World, button: str, ends: str) -> None:
    inquiry, link = await world.inquiry()
    page = await world.open(java_script_enabled=False)
    await page.goto(link)
    await press(page, button)
    await page.wait_for_url(f"{world.site}/done?*")
    assert (await world.read(inquiry))["status"] == ends
    assert parse_qs(urlsplit(page.url).query)["status"] == [ends]
    assert world.complaints == []


async def test_details_are_asked_again_and_kept(world: World) -> None:
    inquiry, link = await world.inquiry(TEMPLATES.database, redirectUri=None)
    page = await world.open()
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Your details")
    await page.get_by_label("Last name").fill("O'Neill <b>")
    await page.get_by_label("Date of birth").fill("yesterday")
    await press(page, "Hand in, and pass")
    problem = page.get_by_role("alert")
    await problem.wait_for()
    assert "Date of birth must be a date" in await problem.inner_text()
    assert await page.get_by_label("Date of birth").get_attribute("aria-invalid") == "true"
    await page.get_by_label("Date of birth").fill("1990-02-03")
    await press(page, "Hand in, and pass")
    await heading(page, "All done?")
    await press(page, "Finish, needs review")
    await heading(page, "Thank you: a person will look at it")
    read = await world.read(inquiry)
    assert (read["status"], read["fields"]["name-last"]) == ("needs_review", "O'Neill <b>")
    assert [text for text in world.complaints if "422" not in text] == [], "Chromium tells of every 422 itself"


async def test_a_used_link_in_another_browser(world: World) -> None:
    inquiry, link = await world.inquiry()
    first, second = await world.open(), await world.open()
    await first.goto(link)
    await press(first, "Start")
    await heading(first, "Government ID")
    world.sandbox.clock.advance(600)
    answer = await second.goto(link)
    assert answer
    assert answer.status == 410
    await heading(second, "Link expired")
    await first.reload()
    await heading(first, "Government ID")
    await press(first, "Pass")
    await heading(first, "Welcome back")
    assert (await world.read(inquiry))["status"] == "completed"


async def test_a_double_click_and_the_way_back(world: World) -> None:
    inquiry, link = await world.inquiry()
    page = await world.open()
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Government ID")
    await page.get_by_role("button", name="Hand in, and pass", exact=True).dblclick()
    await heading(page, "Selfie")
    assert await world.verified(inquiry) == [("government-id", "passed")]
    stale = await world.open()
    other = (await world.runner.call("generate_inquiry_link", {"inquiryId": inquiry}))["oneTimeLink"]
    await stale.goto(other)
    await stale.get_by_role("heading", level=1).wait_for()
    await press(page, "Pass")
    await heading(page, "Welcome back")
    await press(stale, "Fail")
    await heading(stale, "Thank you, you are done")
    assert (await world.read(inquiry))["status"] == "completed"
    await page.go_back()
    await page.get_by_role("heading", level=1).wait_for()
    assert await world.verified(inquiry) == [("government-id", "passed"), ("selfie", "passed")]


async def test_walk_by_keyboard(world: World) -> None:
    inquiry, link = await world.inquiry(TEMPLATES.document)
    page = await world.open()

    async def reach(name: str) -> None:
        for _ in range(20):
            await page.keyboard.press("Tab")
            focused, outline = await page.evaluate(
                "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle]"
            )
            assert outline != "none", f"one sees that {focused} has the focus"
            if focused.strip() == name:
                return
        raise AssertionError(f"{name} cannot be reached")

    await page.goto(link)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    for title, name, key in (
        ("Verify your identity", "Start", "Enter"),
        ("Document", "Hand in, and pass", "Space"),
        ("All done?", "Finish", "Enter"),
    ):
        await heading(page, title)
        await reach(name)
        await page.keyboard.press(key)
    await heading(page, "Welcome back")
    assert (await world.read(inquiry))["status"] == "completed"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_dashboard_on_a_phone(world: World, scheme: str) -> None:
    inquiry, _ = await world.inquiry(fields={"name-first": HOSTILE, "name-last": "x" * 300}, note="y" * 400)
    world.sandbox.complete(inquiry, "review")
    page = await world.open(color_scheme=scheme)
    await page.goto(world.origin)
    await heading(page, "Overview")
    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(245, 246, 248)", "dark": "rgb(17, 22, 29)"}[scheme]
    for name in ("Inquiries", "Accounts", "Cases", "Reports", "Imports", "Requests", "Webhooks"):
        await page.get_by_role("navigation", name="Dashboard").get_by_role("link", name=name, exact=True).click()
        await heading(page, name)
    await page.get_by_role("link", name="Inquiries", exact=True).click()
    await heading(page, "Inquiries")
    assert HOSTILE in await page.get_by_role("table").inner_text()
    await page.get_by_role("link", name=inquiry).click()
    await page.get_by_role("heading", level=2, name="History").wait_for()
    assert HOSTILE in await page.locator("#main").inner_text()
    await page.get_by_text("As the API answers it").click()
    await heading(page, f"{inquiry} needs review")
    assert world.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_cell_of_a_table_can_be_read_on_a_phone(world: World, scheme: str) -> None:
    """Each row is a card: nothing is reached by scrolling sideways alone, and each value stands beside its name."""
    inquiry, _ = await world.inquiry(fields={"name-first": "x" * 80})
    world.sandbox.complete(inquiry, "review")
    page = await world.open(color_scheme=scheme)
    for path, names in (
        ("/dashboard/inquiries", ["Status", "Name", "Reference id", "Created"]),
        ("/dashboard/requests", ["Status", "Time", "Changes", "Request id", "Key"]),
        (f"/dashboard/objects/{inquiry}", ["Status after it", "Time", "By", "Request id"]),
    ):
        await page.goto(f"{world.origin}{path}")
        table = page.get_by_role("table").last
        edges = await table.evaluate(
            "table => [...table.querySelectorAll('td *, th *')].map(each => each.getBoundingClientRect().right)"
        )
        assert max(edges) <= PHONE["width"], path
        labels = await table.evaluate(
            "table => [...table.querySelector('tbody tr').cells].slice(1)"
            ".map(cell => getComputedStyle(cell, '::before').content)"
        )
        assert labels == [f'"{name}"' for name in names]
        assert await table.locator("thead").evaluate("head => head.getBoundingClientRect().width") <= 1
    await page.set_viewport_size({"width": 1280, "height": 800})
    assert await table.locator("thead").evaluate("head => head.getBoundingClientRect().width") > 500


async def test_an_app_that_nobody_has(world: World) -> None:
    inquiry, link = await world.inquiry(TEMPLATES.database, redirectUri="no.such.app://done")
    page = await world.open()
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Your details")
    await press(page, "Hand in, and fail")
    await heading(page, "This did not work out")
    target = await page.get_by_role("link", name="Continue", exact=True).get_attribute("href")
    assert target
    assert target.startswith(f"no.such.app://done?inquiry-id={inquiry}&status=failed")
    assert world.complaints == []


async def test_the_name_is_followed_by_one_click_and_by_enter(world: World) -> None:
    fields = {"name-first": "Jo", "name-last": "Fail"}
    clicked, link = await world.inquiry(fields=fields)
    page = await world.open()
    await page.goto(link)
    await press(page, "Go on as the name says")
    await heading(page, "Welcome back")
    entered, link = await world.inquiry(TEMPLATES.database, fields=fields)
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Your details")
    await page.get_by_label("City").press("Enter")
    await heading(page, "Welcome back")
    assert [(await world.read(each))["status"] for each in (clicked, entered)] == ["failed", "failed"]
    assert world.complaints == []


async def test_the_dashboard_opens_the_flow_and_moves_time(world: World) -> None:
    inquiry, _ = await world.inquiry()
    other, _ = await world.inquiry()
    page = await world.open(viewport={"width": 1280, "height": 800})
    # The browser may call this machine by another name than the sandbox does.
    await page.goto(f"{world.origin.replace('127.0.0.1', 'localhost')}/dashboard/objects/{inquiry}")
    await press(page, "Open the hosted flow")
    await heading(page, "Verify your identity")
    await press(page, "Needs review")
    await heading(page, "Welcome back")
    await page.goto(world.origin)
    await press(page, "Advance 1 day")
    await page.get_by_text("inquiry.expired").wait_for()
    statuses = [(await world.read(each))["status"] for each in (inquiry, other)]
    assert statuses == ["needs_review", "expired"]
    assert world.complaints == []


async def test_another_site_cannot_press_our_buttons(world: World) -> None:
    """A page of another origin, even of this machine, sends the very forms of ours."""
    inquiry, _ = await world.inquiry()
    before, effects = world.sandbox.clock.now(), len(world.sandbox.effects)
    page = await world.open()
    for site in (world.site, world.site.replace("127.0.0.1", "localhost")):
        for path in ("/dashboard/clock", f"/dashboard/objects/{inquiry}/link"):
            await page.goto(f"{site}/lure?target={world.origin}{path}&name=advance&value=1 day")
            await press(page, "Win")
            await heading(page, "Forbidden")
    assert (world.sandbox.clock.now(), len(world.sandbox.effects)) == (before, effects)
    sends = "url => fetch(url, {method: 'POST', mode: 'no-cors', body: '{\"advance-seconds\": 60}'}).catch(() => 0)"
    await page.evaluate(sends, f"{world.origin}/sandbox/clock")
    assert world.sandbox.clock.now() == before


async def test_no_page_can_be_framed(world: World) -> None:
    page = await world.open()
    await page.goto(f"{world.site}/shop")
    await page.evaluate(
        "url => new Promise(done => { const frame = document.createElement('iframe');"
        " frame.onload = done; frame.src = url; document.body.append(frame) })",
        world.origin,
    )
    assert any(re.search("frame", text, re.IGNORECASE) for text in world.complaints), world.complaints
