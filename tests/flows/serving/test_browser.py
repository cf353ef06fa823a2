"""The page of flows in a real browser: signing in, answering by keyboard, and hostile text."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import async_playwright

from persona_block import Sandbox, flows
from persona_block.credentials import Secret
from persona_block.flows.serving import Options, create_app
from tests.support.browser import CHROMIUM, OPTIONS, PHONE, needs_chromium
from tests.support.flow_ports import People
from tests.support.flow_world import engine, question, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, needs_chromium]

TOKEN = "the-token-of-the-page"
HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'
DOCUMENT = {
    "name": "release",
    "inputs": {"who": {"type": "string"}},
    "steps": [
        {"id": "decide", "host": "ask", "to": "#team", "text": "Release {input.who}?", "options": ["yes", HOSTILE]},
        {"id": "tell", "host": "notify", "to": "#team", "text": "{decide.answer}: {decide.comment}"},
    ],
}


async def test_a_question_is_answered_in_a_browser(
    sqlite_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    people, messages = People(), []
    with Sandbox() as sandbox, socket.create_server(("127.0.0.1", 0)) as listening:
        async with engine(sqlite_database, sandbox, people) as running:
            app = await asyncio.to_thread(create_app, running.client, Options(token=Secret(TOKEN), secrets=list))
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
            serving = asyncio.create_task(server.serve([listening]))
            await flows.start_template(DOCUMENT, {"who": HOSTILE}, workflow_id="one/two ?")
            await question(running)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
                page = await browser.new_page(viewport=PHONE)
                page.set_default_timeout(10_000)
                page.on("console", lambda message: messages.append(message.text))
                page.on("dialog", lambda dialog: messages.append(dialog.message))
                origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
                await page.goto(f"{origin}/")
                await page.get_by_label("Token").fill(TOKEN)
                await page.keyboard.press("Enter")
                await page.get_by_role("heading", level=1, name="Flows").wait_for()
                await page.wait_for_load_state()
                assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                await page.get_by_role("link", name="one/two ?").click()
                await page.get_by_text(f"Release {HOSTILE}?").wait_for(state="visible")
                await page.get_by_label("Comment").fill("Known to us")
                await page.keyboard.press("Tab")
                await page.keyboard.press("Tab")
                await page.keyboard.press("Enter")

                async def is_told() -> bool:
                    return f"{HOSTILE}: Known to us" in people.texts

                await until(is_told)
                await page.get_by_role("heading", level=1, name="release").wait_for()
                assert await page.get_by_role("button").count() == 0
                await browser.close()
            server.should_exit = True
            await serving
    assert messages == []
