"""What flows need over HTTP: Persona's webhooks, Slack's buttons and the page, lost, repeated, reordered and forged."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa

from persona_block import InputError, Sandbox, flows, manifest, webhooks
from persona_block.credentials import Secret
from persona_block.flows import Engine
from persona_block.flows.serving import Options, create_app
from persona_block.flows.serving.guard import COOKIE
from persona_block.flows.targets.slack_message import ACTION
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox import Settings as SandboxSettings
from tests.support.flow_ports import People
from tests.support.flow_world import engine, question, until, waiter
from tests.support.slack_server import SIGNING_SECRET, signed

TOKEN = "the-token-of-the-page"
OLD, NEW = "wbhsec_old", "wbhsec_new"
DOCUMENT = next(each for each in manifest()["templates"] if each["name"] == "onboard-customer")
INPUTS = {
    "referenceId": "customer-1042",
    "contact": "jane@example.com",
    "fullName": "Jane Q Doe",
    "birthdate": "1994-04-12",
    "inquiryTemplateId": TEMPLATES.inquiry,
    "reportTemplateId": TEMPLATES.watchlist,
    "reviewers": "#reviews",
    "archive": "s3://records",
}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with Sandbox(settings=SandboxSettings(report_delay=0)) as made:
        yield made


class World:
    """An engine with an application on it, and a client of that."""

    def __init__(self, running: Engine, http: httpx.AsyncClient, people: People, secrets: list[str]) -> None:
        self.running, self.http, self.people, self.secrets = running, http, people, secrets

    async def deliver(self, body: bytes, secret: str = NEW, **headers: str) -> int:
        signature = headers.get("signature") or webhooks.sign(body, secret)
        answer = await self.http.post("/webhooks/persona", content=body, headers={"Persona-Signature": signature})
        return answer.status_code

    async def click(self, option: str, *, secret: str = SIGNING_SECRET, age: float = 0) -> int:
        asked = await question(self.running)
        value = json.dumps({"w": asked.workflow_id, "q": asked.question_id, "o": option})
        action = {"action_id": f"{ACTION}{option}", "value": value}
        payload = {"type": "block_actions", "user": {"id": "U1", "username": "alex"}, "actions": [action]}
        now = time.time() - age
        body, stamp, signature = signed(urlencode({"payload": json.dumps(payload)}).encode(), secret, now)
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        return (await self.http.post("/slack/interactivity", content=body, headers=headers)).status_code

    async def sign_in(self) -> None:
        assert (await self.http.post("/sign-in", data={"token": TOKEN})).status_code == 303


@asynccontextmanager
async def world(database: str, sandbox: Sandbox) -> AsyncIterator[World]:
    people, secrets = People(), [OLD, NEW]
    async with engine(database, sandbox, people, first_poll=600) as running:
        options = Options(token=Secret(TOKEN), secrets=lambda: [Secret(each) for each in secrets])
        app = await asyncio.to_thread(create_app, running.client, options)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8486") as http:
            yield World(running, http, people, secrets)


def event_body(inquiry_id: str, status: str, event_id: str = "evt_1") -> bytes:
    inquiry = {"type": "inquiry", "id": inquiry_id, "attributes": {"status": status}}
    attributes = {"name": f"inquiry.{status}", "created-at": "2026-01-05T09:00:00.000Z", "payload": {"data": inquiry}}
    return json.dumps({"data": {"type": "event", "id": event_id, "attributes": attributes}}).encode()


async def started(running: Engine, sandbox: Sandbox) -> str:
    """Start an onboarding, and return the id of the inquiry that it waits for, once it has looked at it."""
    await flows.start_template(DOCUMENT, INPUTS, workflow_id="one")

    async def has_looked() -> bool:
        return len(sandbox.requests) == 3

    await until(has_looked)
    return str((await waiter(running)).resource_id)


async def test_events_wake_a_flow_however_they_come(database: str, sandbox: Sandbox) -> None:
    async with world(database, sandbox) as here:
        inquiry_id = await started(here.running, sandbox)
        looks = len(sandbox.requests)
        body = event_body(inquiry_id, "completed")
        # Forged in each way: nobody is woken, and Persona is told which.
        assert await here.deliver(body, "wbhsec_forged") == 401
        assert await here.deliver(body, signature="t=1,v1=" + "0" * 64) == 401
        assert await here.deliver(body + b" ", signature=webhooks.sign(body, NEW)) == 401
        assert await here.deliver(body, signature=webhooks.sign(body, NEW, now=time.time() - 3600)) == 401
        assert await here.deliver(b"{}") == 400
        assert (await here.http.post("/webhooks/persona", content=b"x" * (webhooks.BODY_LIMIT + 1))).status_code == 413
        assert (await here.http.get("/webhooks/persona")).status_code == 405
        # One of an earlier status comes late, and one of a flow that nobody runs.
        sandbox.complete(inquiry_id)
        assert await here.deliver(event_body(inquiry_id, "pending", "evt_0")) == 200
        assert await here.deliver(event_body("inq_Unknown", "completed", "evt_9")) == 200
        await asyncio.sleep(0.1)
        assert len(sandbox.requests) == looks
        # Signed with either secret while one replaces another; twice is once.
        assert [await here.deliver(body, secret) for secret in (OLD, NEW, NEW)] == [200, 200, 200]
        asked = await question(here.running)
        assert "is completed" in asked.text
        here.secrets[:] = [NEW]
        assert await here.deliver(event_body(inquiry_id, "completed", "evt_2"), OLD) == 401


async def test_an_event_is_taken_only_once_it_is_stored(
    sqlite_database: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(sqlite_database, sandbox) as here:
        inquiry_id = await started(here.running, sandbox)
        sandbox.complete(inquiry_id)
        body = event_body(inquiry_id, "completed")

        async def away(_: Any) -> int:
            raise sa.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))

        with monkeypatch.context() as patch:
            patch.setattr(here.running.client, "deliver", away)
            assert await here.deliver(body) == 503
        assert await here.running.client.questions() == []
        assert await here.deliver(body) == 200
        assert await question(here.running)
        here.secrets[:] = []
        assert await here.deliver(body) == 503


async def test_clicks_of_slack_answer_a_question(
    sqlite_database: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(sqlite_database, sandbox) as here:
        inquiry_id = await started(here.running, sandbox)
        sandbox.complete(inquiry_id)
        assert await here.deliver(event_body(inquiry_id, "completed")) == 200
        assert await here.click("approve") == 503
        monkeypatch.setenv("PERSONA_FLOWS_SLACK_SIGNING_SECRET", SIGNING_SECRET)
        assert await here.click("approve", secret="f" * 32) == 401
        assert await here.click("approve", age=600) == 401
        assert len(await here.running.client.questions()) == 1
        assert await here.click("decline") == 200

        async def is_declined() -> bool:
            return any(each.name == "inquiry.declined" for each in sandbox.effects)

        await until(is_declined)


async def test_the_page_is_for_those_who_know_the_token(sqlite_database: str, sandbox: Sandbox) -> None:
    async with world(sqlite_database, sandbox) as here:
        inquiry_id = await started(here.running, sandbox)
        sandbox.complete(inquiry_id)
        await here.deliver(event_body(inquiry_id, "completed"))
        asked = await question(here.running)
        for path in ("/", "/flows/one"):
            refused = await here.http.get(path)
            assert refused.status_code == 303
            assert "customer" not in refused.text
        answer = {"question": asked.question_id, "option": "approve"}
        assert (await here.http.post("/flows/one/answer", data=answer)).status_code == 303
        assert (await here.http.post("/sign-in", data={"token": "guess"})).status_code == 401
        forged = {COOKIE: f"{int(time.time()) + 99}.{'0' * 64}"}
        assert (await here.http.get("/", headers={"Cookie": f"{COOKIE}={forged[COOKIE]}"})).status_code == 303
        assert (await here.http.get("/sign-in", headers={"Host": "evil.example"})).status_code == 403
        await here.sign_in()
        listed = (await here.http.get("/")).text
        assert "onboard-customer" in listed
        assert "customer-1042: the inquiry" in listed
        shown = await here.http.get("/flows/one")
        assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
        assert "Jane Q Doe" not in shown.text
        assert "Jane Q Doe" in (await here.http.get("/flows/one?values")).text
        assert (await here.http.get("/flows/none")).status_code == 404
        # A form of another site has no key of this page, and a browser says where it comes from.
        key = re.findall(r'name="form_key" value="(\w+)"', shown.text)[0]
        other = {"Sec-Fetch-Site": "cross-site"}
        assert (await here.http.post("/flows/one/answer", data=answer)).status_code == 403
        assert (await here.http.post("/flows/one/answer", data={**answer, "form_key": key}, headers=other)).status_code == 403
        assert (await here.http.post("/flows/one/answer", data={**answer, "form_key": key, "option": "x"})).status_code == 409
        assert len(await here.running.client.questions()) == 1
        comment = {"form_key": key, "comment": "Looks right"}
        assert (await here.http.post("/flows/one/answer", data={**answer, **comment})).status_code == 303

        async def is_approved() -> bool:
            return any(each.name == "inquiry.approved" for each in sandbox.effects)

        await until(is_approved)
        assert (await here.http.post("/flows/one/answer", data={**answer, **comment, "option": "decline"})).status_code == 409


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"token": "short"}, "--token"),
        ({"public_url": "http://flows.example.com"}, "--public-url"),
        ({"public_url": "https://"}, "--public-url"),
    ],
)
def test_what_it_cannot_be_served_with(options: dict[str, str], param: str) -> None:
    token = Secret(options.pop("token", TOKEN))
    with pytest.raises(InputError) as raised:
        Options(token=token, secrets=list, **options)
    assert [each.param for each in raised.value.problems] == [param]
