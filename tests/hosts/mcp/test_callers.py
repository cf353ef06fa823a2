"""Who gets in over HTTP: nobody without a key, nobody before their request is here, and nobody in the place of all others."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from persona_block import Runner
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options, callers, create_app
from tests.hosts.mcp.test_http import ACCEPTED, CLIENT_OPTIONS, caller, initialize, mirror, served
from tests.support.mcp_servers import Hanging, text
from tests.support.planted import KEY

pytestmark = pytest.mark.slow

PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
LISTING = {
    "jsonrpc": "2.0",
    "id": 3,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "new", "version": "1"},
        }
    },
}
MODERN = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
BYTES_OF_MODERN = {name.encode(): value.encode() for name, value in MODERN.items()}
NO_KEYS = ["", "Basic azo=", "Bearer", "Bearer two words", "Bearer ключ", "Bearer a\x7fb", "k"]


@asynccontextmanager
async def client(app: Any) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client without a key, and the URL of the application."""
    async with served(app) as url, httpx.AsyncClient(headers=ACCEPTED, **CLIENT_OPTIONS) as http:
        yield http, url


def bearer(key: str) -> dict[str, str]:
    """Return the header that brings a key."""
    return {"Authorization": f"Bearer {key}"}


async def begin(http: httpx.AsyncClient, url: str, key: str) -> dict[str, str]:
    """Begin a session, and return the headers of its requests."""
    begun = await http.post(url, json=initialize("2025-06-18"), headers=bearer(key))
    assert begun.status_code == 200
    return bearer(key) | {"Mcp-Session-Id": begun.headers["mcp-session-id"]}


async def statuses(http: httpx.AsyncClient, url: str, *sessions: dict[str, str]) -> list[int]:
    """Return how a request of each session is answered, in order."""
    return [(await http.post(url, json=PING, headers=session)).status_code for session in sessions]


class TestKeys:
    @pytest.mark.parametrize("stateless", [False, True], ids=["with sessions", "without"])
    async def test_nobody_gets_in_without_a_key(self, stateless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PERSONA_API_KEY", KEY)
        async with client(create_app(Options(runner=mirror), stateless=stateless)) as (http, url):
            for authorization in NO_KEYS:
                headers = {b"Authorization": authorization.encode()} if authorization else {}
                answers = [
                    await http.post(url, json=initialize("2025-06-18"), headers=headers),
                    await http.post(url, json=PING, headers=headers),
                    await http.post(url, json=LISTING, headers=headers | BYTES_OF_MODERN),
                    await http.get(url, headers=headers),
                    await http.delete(url, headers=headers),
                ]
                for answer in answers:
                    assert answer.status_code == 401
                    assert answer.headers["www-authenticate"].startswith("Bearer ")
                    assert "Authorization: Bearer" in answer.json()["error"]["message"]
                    assert "mcp-session-id" not in answer.headers
                    assert KEY not in answer.text

    @pytest.mark.parametrize("stateless", [False, True], ids=["with sessions", "without"])
    async def test_a_key_lets_in_in_both_eras(self, stateless: bool) -> None:
        async with client(create_app(Options(runner=mirror), stateless=stateless)) as (http, url):
            assert (await http.post(url, json=initialize("2025-06-18"), headers=bearer("k"))).status_code == 200
            listed = await http.post(url, json=LISTING, headers=MODERN | bearer("k"))
            assert listed.status_code == 200
            assert "persona_get_account" in listed.text

    async def test_a_server_with_a_key_of_its_own_asks_for_none(self) -> None:
        async with client(create_app(Options(runner=mirror), api_key="k")) as (http, url):
            assert (await http.post(url, json=initialize("2025-06-18"))).status_code == 200
            assert (await http.post(url, json=LISTING, headers=MODERN)).status_code == 200

    async def test_nothing_of_a_key_is_kept(self) -> None:
        token = await callers.KeyVerifier().verify_token(KEY)
        assert token
        assert KEY not in repr(token)
        other = await callers.KeyVerifier().verify_token(f" {KEY} ")
        assert other == token


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three sessions a key, and five in all."""
    monkeypatch.setattr(callers, "CALLER_SESSIONS", 3)
    monkeypatch.setattr(callers, "ALL_SESSIONS", 5)


@pytest.mark.usefixtures("small")
class TestSessions:
    async def test_a_key_has_so_many_and_the_one_idle_for_longest_goes(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            others = await begin(http, url, "other")
            first, second, third = [await begin(http, url, "k") for _ in range(3)]
            assert await statuses(http, url, first) == [200], "it is now the one used last"
            fourth = await begin(http, url, "k")
            assert await statuses(http, url, second, first, third, fourth, others) == [404, 200, 200, 200, 200]

    async def test_junk_keys_lock_nobody_out(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            sessions = [await begin(http, url, f"junk-{number}") for number in range(12)]
            mine = await begin(http, url, "mine")
            assert await statuses(http, url, mine) == [200]
            alive = await statuses(http, url, *sessions)
            assert alive == [404] * 8 + [200] * 4
            async with caller(url, "modern") as modern:
                assert (await modern.list_tools()).tools

    async def test_requests_of_the_stateless_era_end_no_session(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            sessions = [await begin(http, url, f"key-{number}") for number in range(5)]
            for _ in range(10):
                assert (await http.post(url, json=LISTING, headers=MODERN | bearer("modern"))).status_code == 200
            assert await statuses(http, url, *sessions) == [200] * 5

    async def test_what_begins_no_session_takes_no_place(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            for _ in range(10):
                assert (await http.post(url, json=PING, headers=bearer("k"))).status_code == 400
            sessions = [await begin(http, url, "k") for _ in range(3)]
            assert await statuses(http, url, *sessions) == [200] * 3

    async def test_a_session_that_its_client_ends_makes_room(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            first, second, third = [await begin(http, url, "k") for _ in range(3)]
            assert (await http.delete(url, headers=third)).status_code == 200
            fourth = await begin(http, url, "k")
            assert await statuses(http, url, first, second, fourth) == [200] * 3

    async def test_nobody_ends_the_session_of_another(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            mine = await begin(http, url, "mine")
            theirs = {**mine, **bearer("theirs")}
            assert (await http.delete(url, headers=theirs)).status_code == 404
            assert (await http.post(url, json=PING, headers=theirs)).status_code == 404
            assert await statuses(http, url, mine) == [200]
            more = [await begin(http, url, "mine") for _ in range(3)]
            assert await statuses(http, url, mine, *more) == [404, 200, 200, 200], "it is still counted"

    async def test_a_session_that_works_outlasts_those_that_idle(self) -> None:
        release = asyncio.Event()

        def runner(files: Any) -> Runner:
            async def answer(_request: httpx.Request) -> httpx.Response:
                await release.wait()
                return httpx.Response(200, json={"data": {"type": "account", "id": "act_1", "attributes": {}}})

            return Runner(base_url="https://persona.test", transport=httpx.MockTransport(answer), files=files)

        async with client(create_app(Options(runner=runner))) as (http, url):
            working = await begin(http, url, "k")
            params = {"name": "persona_get_account", "arguments": {"accountId": "act_1"}}
            call = {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": params}
            answered = asyncio.create_task(http.post(url, json=call, headers=working))
            await asyncio.sleep(0.05)
            idle = [await begin(http, url, "k") for _ in range(4)]
            assert await statuses(http, url, *idle) == [404, 404, 200, 200]
            release.set()
            assert "act_1" in (await answered).text
            assert await statuses(http, url, working) == [200]

    async def test_a_stream_that_listens_is_no_work(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            listening, second, third = [await begin(http, url, "k") for _ in range(3)]
            async with http.stream("GET", url, headers=listening) as stream:
                assert stream.status_code == 200
                fourth = await begin(http, url, "k")
                assert await statuses(http, url, listening, second, third, fourth) == [404, 200, 200, 200]

    async def test_streams_and_questions_that_stay_open_lock_nobody_out(self) -> None:
        """A stream that listens is no work, and where every session works, the oldest goes."""
        async with client(create_app(Options(Selection.of(), runner=Hanging().runner))) as (http, url):
            async with asyncio.TaskGroup() as tasks:
                held = []
                for number in range(5):
                    session = await begin(http, url, f"junk-{number}")
                    params = {"name": "persona_get_account", "arguments": {"accountId": "act_1"}}
                    call = {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": params}
                    held.append(tasks.create_task(_swallowing(http.post(url, json=call, headers=session))))
                    held.append(tasks.create_task(_swallowing(http.get(url, headers=session))))
                await asyncio.sleep(0.05)
                mine = await begin(http, url, "mine")
                assert await statuses(http, url, mine) == [200]
                for task in held:
                    task.cancel()

    async def test_many_that_open_at_once_all_get_in(self) -> None:
        async with client(create_app(Options(runner=mirror))) as (http, url):
            sessions = await asyncio.gather(*(begin(http, url, f"key-{number}") for number in range(10)))
            alive = await statuses(http, url, *sessions)
        assert alive.count(200) == 5


async def _swallowing(request: Any) -> None:
    with suppress(httpx.HTTPError):
        await request


async def test_a_request_that_does_not_arrive_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(callers, "ALL_SESSIONS", 2)
    async with client(create_app(Options(runner=mirror))) as (http, url):
        sessions = [await begin(http, url, f"key-{number}") for number in range(2)]
        host = urlsplit(url)
        head = f"POST /mcp HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Bearer junk\r\nContent-Length: 1000\r\n\r\n{{"
        opened = [await asyncio.open_connection(host.hostname, host.port) for _ in range(10)]
        for _, writer in opened:
            writer.write(head.encode())
        assert await statuses(http, url, *sessions) == [200, 200]
        async with asyncio.timeout(10):
            for reader, writer in opened:
                assert b" 408 " in await reader.readline()
                writer.close()
        assert await statuses(http, url, *sessions) == [200, 200]


async def test_a_request_that_is_too_large_is_refused() -> None:
    def pieces() -> Iterator[bytes]:
        yield from itertools.repeat(b" " * 1024 * 1024, 6)

    async def sent() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    async with client(create_app(Options(runner=mirror))) as (http, url):
        headers = bearer("k") | {"Content-Type": "application/json"}
        assert (await http.post(url, content=sent(), headers=headers)).status_code == 413


async def test_no_cookie_of_one_caller_goes_out_with_the_requests_of_another() -> None:
    requests: list[httpx.Request] = []

    def runner(files: Any) -> Runner:
        async def answer(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            key = request.headers["authorization"].removeprefix("Bearer ")
            data = {"type": "account", "id": f"act_{len(requests)}", "attributes": {}}
            cookies = [("Set-Cookie", f"session-{len(requests)}={key}; Path=/; Max-Age=3600")]
            return httpx.Response(200, json={"data": data}, headers=cookies)

        return Runner(base_url="https://persona.test", transport=httpx.MockTransport(answer), files=files)

    async with served(create_app(Options(runner=runner))) as url:
        for era in ("legacy", "auto"):
            for number in range(2):
                async with caller(url, f"persona_sandbox_{number}", era) as mcp_client:
                    for _ in range(8):
                        result = await mcp_client.call_tool("persona_get_account", {"accountId": "act_1"})
                        assert "act_" in text(result)
    assert len(requests) == 32
    assert not [request for request in requests if "cookie" in request.headers]
    assert len({len(str(request.headers)) for request in requests}) == 1
