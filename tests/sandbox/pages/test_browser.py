"""The pages in a real browser: the hosted flow and the dashboard, on a phone, by keyboard, and against other sites."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from persona_block import Runner, operation
from persona_block.sandbox import TEMPLATES, Sandbox
from persona_block.typed import Inquiry
from tests.support.browser import CHROMIUM, OPTIONS, PHONE, needs_chromium

HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    needs_chromium,
]


class BrowserSetup:
    """A served sandbox, a client of its API, a browser, and a site that applicants are redirected to."""

    def __init__(self, sandbox: Sandbox, runner: Runner, browser: Browser, site: str, visits: list[str]) -> None:
        self.sandbox = sandbox
        self.runner = runner
        self.browser = browser
        self.origin = sandbox.base_url.removesuffix("/api/v1")
        self.site = site
        self.visits = visits  # the paths that were requested from the site
        self.messages: list[str] = []  # of the browser's consoles, and dialogs

    async def inquiry(self, template: str = TEMPLATES.inquiry, **params: Any) -> tuple[str, str]:
        """Create an inquiry with the site as redirect URI; return its id, and a one-time link."""
        all_params = {"inquiryTemplateId": template, "redirectUri": f"{self.site}/done?order=7", **params}
        created = (await self.runner.call(operation("create_inquiry"), all_params))["inquiry"]
        link = await self.runner.call("generate_inquiry_link", {"inquiryId": created["id"]})
        return created["id"], link["oneTimeLink"]

    async def read(self, inquiry: str) -> Inquiry:
        """Read an inquiry through the API."""
        return (await self.runner.call("get_inquiry", {"inquiryId": inquiry}))["inquiry"]

    async def verifications(self, inquiry: str) -> list[tuple[str, str | None]]:
        """Read the kinds and statuses of an inquiry's verifications through the API."""
        statuses = []
        for each in (await self.read(inquiry))["verificationIds"]:
            verification = (await self.runner.call("get_verification", {"verificationId": each}))["verification"]
            statuses.append(((verification["type"] or "").partition("/")[2], verification["status"]))
        return statuses

    async def open(self, **options: Any) -> Page:
        """Open a page in a browser context of its own, by default of a phone's size."""
        context: BrowserContext = await self.browser.new_context(**{"viewport": PHONE, **options})
        page = await context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.messages.append(f"dialog: {dialog.message}"))
        return page


@asynccontextmanager
async def workflow_site() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve a site of the workflow's own, and yield its origin and the list of paths that were requested.

    `/lure` is a page with a form, whose target and one field come from the query.
    """
    visits: list[str] = []

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        visits.append(path)
        page = "<title>Shop</title><link rel=icon href='data:,'><h1>Welcome back</h1>"
        if path.startswith("/lure?"):
            query = dict(parse_qsl(urlsplit(path).query))
            field = f"<input name='{query['name']}' value='{query['value']}'>"
            page += f"<form method=post action='{query['target']}'>{field}<button>Win</button></form>"
        headers = f"Content-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close"
        writer.write(f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{page}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", visits


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests; each test has contexts of its own."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module")
async def browser_setup(browser: Browser) -> AsyncIterator[BrowserSetup]:
    """A setup for each test, whose clock stands still between what the test does."""
    with Sandbox(speed=0) as sandbox:
        async with sandbox.serve() as base_url, workflow_site() as (site, visits):
            async with Runner(api_key=sandbox.api_key, base_url=base_url) as runner:
                yield BrowserSetup(sandbox, runner, browser, site, visits)
                for context in browser.contexts:
                    await context.close()


async def heading(page: Page, text: str) -> None:
    """Wait for the page with a heading, and check that it fits the window."""
    await page.get_by_role("heading", level=1, name=text, exact=True).wait_for()
    width, window = await page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window, f"{text} is {width} wide"


async def press(page: Page, name: str) -> None:
    """Press a button."""
    await page.get_by_role("button", name=name, exact=True).click()


async def test_walk_on_a_phone(browser_setup: BrowserSetup) -> None:
    inquiry, link = await browser_setup.inquiry(referenceId="customer-7", fields={"name-first": "Jane", "name-last": "Doe"})
    page = await browser_setup.open()
    await page.goto(link)
    await heading(page, "Verify your identity")
    await press(page, "Start")
    await heading(page, "Government ID")
    assert (await browser_setup.read(inquiry))["status"] == "pending"
    await press(page, "Hand in, and pass")
    await heading(page, "Selfie")
    assert await browser_setup.verifications(inquiry) == [("government-id", "passed")]
    await page.reload()
    await press(page, "Hand in, and pass")
    await heading(page, "All done?")
    await press(page, "Finish")
    await heading(page, "Welcome back")
    assert (await browser_setup.read(inquiry))["status"] == "completed"
    assert await browser_setup.verifications(inquiry) == [("government-id", "passed"), ("selfie", "passed")]
    query = parse_qs(urlsplit(page.url).query)
    names = ("order", "inquiry-id", "reference-id", "status", "fields[name-last][value]")
    assert [query[name] for name in names] == [["7"], [inquiry], ["customer-7"], ["completed"], ["Doe"]]
    assert await page.evaluate("document.referrer") == "", "the address of the session is not sent"
    assert [f"{browser_setup.site}{path}" for path in browser_setup.visits] == [page.url]
    assert browser_setup.messages == []


@pytest.mark.parametrize(("button", "ends"), [("Pass", "completed"), ("Fail", "failed"), ("Needs review", "needs_review")])
async def test_ending_at_once_without_javascript(browser_setup: BrowserSetup, button: str, ends: str) -> None:
    inquiry, link = await browser_setup.inquiry()
    page = await browser_setup.open(java_script_enabled=False)
    await page.goto(link)
    await press(page, button)
    await page.wait_for_url(f"{browser_setup.site}/done?*")
    assert (await browser_setup.read(inquiry))["status"] == ends
    assert parse_qs(urlsplit(page.url).query)["status"] == [ends]
    assert browser_setup.messages == []


async def test_wrong_details_are_asked_for_again(browser_setup: BrowserSetup) -> None:
    inquiry, link = await browser_setup.inquiry(TEMPLATES.database, redirectUri=None)
    page = await browser_setup.open()
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
    read = await browser_setup.read(inquiry)
    assert (read["status"], read["fields"]["name-last"]) == ("needs_review", "O'Neill <b>")
    assert [text for text in browser_setup.messages if "422" not in text] == [], "Chromium logs every 422 itself"


async def test_a_used_link_in_another_browser(browser_setup: BrowserSetup) -> None:
    inquiry, link = await browser_setup.inquiry()
    first, second = await browser_setup.open(), await browser_setup.open()
    await first.goto(link)
    await press(first, "Start")
    await heading(first, "Government ID")
    browser_setup.sandbox.clock.advance(600)
    reply = await second.goto(link)
    assert reply
    assert reply.status == 410
    await heading(second, "Link expired")
    await first.reload()
    await heading(first, "Government ID")
    await press(first, "Pass")
    await heading(first, "Welcome back")
    assert (await browser_setup.read(inquiry))["status"] == "completed"


async def test_a_double_click_and_the_back_button(browser_setup: BrowserSetup) -> None:
    inquiry, link = await browser_setup.inquiry()
    page = await browser_setup.open()
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Government ID")
    await page.get_by_role("button", name="Hand in, and pass", exact=True).dblclick()
    await heading(page, "Selfie")
    assert await browser_setup.verifications(inquiry) == [("government-id", "passed")]
    stale = await browser_setup.open()
    other = (await browser_setup.runner.call("generate_inquiry_link", {"inquiryId": inquiry}))["oneTimeLink"]
    await stale.goto(other)
    await stale.get_by_role("heading", level=1).wait_for()
    await press(page, "Pass")
    await heading(page, "Welcome back")
    await press(stale, "Fail")
    await heading(stale, "Thank you, you are done")
    assert (await browser_setup.read(inquiry))["status"] == "completed"
    await page.go_back()
    await page.get_by_role("heading", level=1).wait_for()
    assert await browser_setup.verifications(inquiry) == [("government-id", "passed"), ("selfie", "passed")]


async def test_walk_by_keyboard(browser_setup: BrowserSetup) -> None:
    inquiry, link = await browser_setup.inquiry(TEMPLATES.document)
    page = await browser_setup.open()

    async def reach(name: str) -> None:
        for _ in range(20):
            await page.keyboard.press("Tab")
            focused, outline = await page.evaluate(
                "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle]"
            )
            assert outline != "none", f"the focus is visible on {focused}"
            if focused.strip() == name:
                return
        raise AssertionError(f"{name} cannot be reached")

    await page.goto(link)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    for title, name, keyboard_key in (
        ("Verify your identity", "Start", "Enter"),
        ("Document", "Hand in, and pass", "Space"),
        ("All done?", "Finish", "Enter"),
    ):
        await heading(page, title)
        await reach(name)
        await page.keyboard.press(keyboard_key)
    await heading(page, "Welcome back")
    assert (await browser_setup.read(inquiry))["status"] == "completed"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_dashboard_on_a_phone(browser_setup: BrowserSetup, scheme: str) -> None:
    inquiry, _ = await browser_setup.inquiry(fields={"name-first": HOSTILE, "name-last": "x" * 300}, note="y" * 400)
    browser_setup.sandbox.complete(inquiry, "review")
    page = await browser_setup.open(color_scheme=scheme)
    await page.goto(browser_setup.origin)
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
    assert browser_setup.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_cell_of_a_table_can_be_read_on_a_phone(browser_setup: BrowserSetup, scheme: str) -> None:
    """Each row is a card: nothing needs scrolling sideways, and each value has its name beside it."""
    inquiry, _ = await browser_setup.inquiry(fields={"name-first": "x" * 80})
    browser_setup.sandbox.complete(inquiry, "review")
    page = await browser_setup.open(color_scheme=scheme)
    for path, names in (
        ("/dashboard/inquiries", ["Status", "Name", "Reference id", "Created"]),
        ("/dashboard/requests", ["Status", "Time", "Changes", "Request id", "Key"]),
        (f"/dashboard/objects/{inquiry}", ["Status after it", "Time", "By", "Request id"]),
    ):
        await page.goto(f"{browser_setup.origin}{path}")
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


async def test_a_redirect_to_a_missing_app_is_a_link(browser_setup: BrowserSetup) -> None:
    inquiry, link = await browser_setup.inquiry(TEMPLATES.database, redirectUri="no.such.app://done")
    page = await browser_setup.open()
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Your details")
    await press(page, "Hand in, and fail")
    await heading(page, "This did not work out")
    target = await page.get_by_role("link", name="Continue", exact=True).get_attribute("href")
    assert target
    assert target.startswith(f"no.such.app://done?inquiry-id={inquiry}&status=failed")
    assert browser_setup.messages == []


async def test_the_name_steers_by_one_click_and_by_enter(browser_setup: BrowserSetup) -> None:
    fields = {"name-first": "Jo", "name-last": "Fail"}
    clicked, link = await browser_setup.inquiry(fields=fields)
    page = await browser_setup.open()
    await page.goto(link)
    await press(page, "Go on as the name says")
    await heading(page, "Welcome back")
    entered, link = await browser_setup.inquiry(TEMPLATES.database, fields=fields)
    await page.goto(link)
    await press(page, "Start")
    await heading(page, "Your details")
    await page.get_by_label("City").press("Enter")
    await heading(page, "Welcome back")
    assert [(await browser_setup.read(each))["status"] for each in (clicked, entered)] == ["failed", "failed"]
    assert browser_setup.messages == []


async def test_the_dashboard_opens_the_flow_and_moves_time(browser_setup: BrowserSetup) -> None:
    inquiry, _ = await browser_setup.inquiry()
    other, _ = await browser_setup.inquiry()
    page = await browser_setup.open(viewport={"width": 1280, "height": 800})
    # The browser calls this machine by another name than the sandbox does.
    await page.goto(f"{browser_setup.origin.replace('127.0.0.1', 'localhost')}/dashboard/objects/{inquiry}")
    await press(page, "Open the hosted flow")
    await heading(page, "Verify your identity")
    await press(page, "Needs review")
    await heading(page, "Welcome back")
    await page.goto(browser_setup.origin)
    await press(page, "Advance 1 day")
    await page.get_by_text("inquiry.expired").wait_for()
    statuses = [(await browser_setup.read(each))["status"] for each in (inquiry, other)]
    assert statuses == ["needs_review", "expired"]
    assert browser_setup.messages == []


async def test_another_site_cannot_send_the_forms(browser_setup: BrowserSetup) -> None:
    """A page of another origin, even on this machine, sends the same forms as the sandbox's own pages."""
    inquiry, _ = await browser_setup.inquiry()
    before, effects = browser_setup.sandbox.clock.now(), len(browser_setup.sandbox.effects)
    page = await browser_setup.open()
    for site in (browser_setup.site, browser_setup.site.replace("127.0.0.1", "localhost")):
        for path in ("/dashboard/clock", f"/dashboard/objects/{inquiry}/link"):
            await page.goto(f"{site}/lure?target={browser_setup.origin}{path}&name=advance&value=1 day")
            await press(page, "Win")
            await heading(page, "Forbidden")
    assert (browser_setup.sandbox.clock.now(), len(browser_setup.sandbox.effects)) == (before, effects)
    sends = "url => fetch(url, {method: 'POST', mode: 'no-cors', body: '{\"advance-seconds\": 60}'}).catch(() => 0)"
    await page.evaluate(sends, f"{browser_setup.origin}/sandbox/clock")
    assert browser_setup.sandbox.clock.now() == before


async def test_no_page_can_be_framed(browser_setup: BrowserSetup) -> None:
    page = await browser_setup.open()
    await page.goto(f"{browser_setup.site}/shop")
    await page.evaluate(
        "url => new Promise(done => { const frame = document.createElement('iframe');"
        " frame.onload = done; frame.src = url; document.body.append(frame) })",
        browser_setup.origin,
    )
    assert any(re.search("frame", text, re.IGNORECASE) for text in browser_setup.messages), browser_setup.messages
