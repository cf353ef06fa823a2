"""The control of the clock, by the buttons of the dashboard and by programs."""

from __future__ import annotations

import httpx
import pytest

from persona_block.sandbox import Sandbox
from tests.sandbox.pages.test_dashboard import shown
from tests.support.contract_client import ContractClient


@pytest.mark.parametrize(("step", "seconds"), [("1 hour", 3600), ("1 day", 86_400), ("7 days", 604_800)])
def test_buttons_move_the_clock(client: ContractClient, step: str, seconds: int) -> None:
    inquiry, before = client.inquiry().id, client.sandbox.clock.milliseconds()
    page = shown(client, "/?environment=sandbox").text
    assert f'value="{step}"' in page
    moved = client.visit("/dashboard/clock?environment=sandbox", {"advance": step})
    assert (moved.status_code, moved.headers["location"]) == (303, "/?environment=sandbox")
    assert client.sandbox.clock.milliseconds() - before == seconds * 1000
    expected = "expired" if seconds >= 86_400 else "created"
    effects = [effect.status for effect in client.sandbox.effects if effect.resource_id == inquiry]
    assert effects[-1] == expected, "what is due happens at once"
    assert client.visit("/dashboard/clock", {"advance": "1 year"}).status_code == 400


def advance(client: ContractClient, content: bytes, **headers: str) -> httpx.Response:
    """Send a body to the endpoint that moves the clock, and return its answer; header names are in snake_case."""
    sent = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.call("POST", "/../../sandbox/clock", content=content, headers=sent).response


def test_programs_move_the_clock(client: ContractClient) -> None:
    before = client.sandbox.clock.now()
    report = client.report(query={"term": "Jane"}, report_template_id=client.sandbox.templates.watchlist).id
    for content, seconds in (
        (b'{"advance-seconds": 3600}', 3600),
        (b'{"advance-seconds": 0.5}', 0.5),
        (b'{"advance-seconds": 0}', 0),
    ):
        reply = advance(client, content)
        assert reply.status_code == 200
        assert reply.headers["persona-sandbox"] == "simulation"
        assert (client.sandbox.clock.now() - before).total_seconds() == seconds
        before = client.sandbox.clock.now()
        assert reply.json() == {"now": f"{before:%Y-%m-%dT%H:%M:%S}.{before.microsecond // 1000:03}Z"}
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
def test_other_bodies_are_refused(client: ContractClient, content: bytes) -> None:
    before = client.sandbox.clock.now()
    reply = advance(client, content)
    assert reply.status_code == 400
    assert reply.json()["errors"][0]["details"]
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
def test_other_sites_and_types_are_refused(client: ContractClient, headers: dict[str, str], status: int) -> None:
    before = client.sandbox.clock.now()
    reply = advance(client, b'{"advance-seconds": 60}', **headers)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/json"
    assert (client.sandbox.clock.now() > before) == (status == 200)


def test_the_overview_shows_the_speed() -> None:
    for speed, text in ((0, "stands still"), (1, "as fast as yours"), (60, "60 times as fast")):
        with ContractClient(Sandbox(speed=speed)) as client:
            assert text in shown(client, "/").text
