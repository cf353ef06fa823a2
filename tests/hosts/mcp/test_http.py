"""The MCP server over HTTP: each request's own key, callers apart, headers that only narrow, and consent in every form."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import mcp_types as types
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from persona_block import Runner, Sandbox
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options, create_app
from tests.support.budget import budget
from tests.support.mcp_servers import ERAS, Hanging, Person, first, options, text
from tests.support.scripted_model import data_of

CLIENT_OPTIONS: dict[str, Any] = {"timeout": 30, "verify": False}
"""What clients of a loopback port need; reading certificates would take most of the time of a client."""

BEARER = {"Authorization": "Bearer k"}
ACCEPTED = {"Accept": "application/json, text/event-stream"}

pytestmark = pytest.mark.slow
both_eras = pytest.mark.parametrize("era", ERAS)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The URL of an application that is served on a free loopback port while the context lasts."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, http="h11", log_level="warning", access_log=False))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - a flag is all it tells
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@asynccontextmanager
async def caller(
    url: str, key: str | None, era: str = "auto", person: Person | None = None, **headers: str
) -> AsyncIterator[Client]:
    """A client that sends its own key and headers with every request."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx2.AsyncClient(headers=sent, **CLIENT_OPTIONS) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=era, elicitation_callback=person) as client:
            yield client


def mirror(files: Any) -> Runner:
    """A runner on a Persona that answers with an account named after the key it was asked with."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        key = request.headers["authorization"].removeprefix("Bearer ")
        data = {"type": "account", "id": f"act_{hashlib.sha256(key.encode()).hexdigest()}", "attributes": {}}
        return httpx.Response(200, json={"data": data})

    return Runner(base_url="https://persona.test", transport=httpx.MockTransport(answer), files=files)


class TestKeys:
    @pytest.mark.soak
    @both_eras
    async def test_many_callers_at_once_each_with_a_key(self, era: str) -> None:
        async with served(create_app(Options(runner=mirror))) as url:

            async def call(number: int) -> None:
                key = f"persona_sandbox_{number}"
                async with caller(url, key, era) as client:
                    for _ in range(3):
                        result = await client.call_tool("persona_get_account", {"accountId": "act_1"})
                        own = hashlib.sha256(key.encode()).hexdigest()
                        assert result.structured_content["account"]["id"] == f"act_{own}"

            async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
                for number in range(budget(small=12, full=50)):
                    tasks.create_task(call(number))

    async def test_a_session_belongs_to_the_key_it_began_with(self) -> None:
        async with served(create_app(Options(runner=mirror))) as url, httpx.AsyncClient(**CLIENT_OPTIONS) as http:
            mine, theirs = ({"Authorization": f"Bearer {name}"} for name in ("mine", "theirs"))
            begun = await http.post(url, json=initialize("2025-06-18"), headers=mine | ACCEPTED)
            session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
            ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
            assert (await http.post(url, json=ping, headers=theirs | ACCEPTED | session)).status_code == 404
            assert (await http.post(url, json=ping, headers=ACCEPTED | session)).status_code == 401
            assert (await http.post(url, json=ping, headers=mine | ACCEPTED | session)).status_code == 200

    @both_eras
    async def test_files_are_their_callers_own(self, sandbox: Sandbox, era: str) -> None:
        async with served(create_app(options(sandbox))) as url:
            async with caller(url, sandbox.api_key, era) as mine, caller(url, sandbox.sandbox_key, era) as theirs:
                result = await mine.call_tool("persona_print_inquiry_pdf", {"inquiryId": first(sandbox, "approved")})
                uri = result.structured_content["file"]["uri"]
                assert (await mine.read_resource(uri)).contents
                assert not [each for each in (await theirs.list_resources()).resources if "/files/" in each.uri]
                with pytest.raises(MCPError, match="no such file"):
                    await theirs.read_resource(uri)

    async def test_pages_of_other_names_do_not_reach_it(self) -> None:
        hosts = {"evil.example.com": 421, "mcp.example.com": 200}
        async with (
            served(create_app(Options(runner=mirror), hosts=["mcp.example.com"])) as url,
            httpx.AsyncClient(**CLIENT_OPTIONS) as http,
        ):
            for host, status in hosts.items():
                headers = {"Host": host, **BEARER, **ACCEPTED}
                assert (await http.post(url, json=initialize("2025-06-18"), headers=headers)).status_code == status
            origin = {"Origin": "https://evil.example.com", **BEARER, **ACCEPTED}
            assert (await http.post(url, json=initialize("2025-06-18"), headers=origin)).status_code == 403


def initialize(version: str) -> dict[str, Any]:
    """The request that begins a session."""
    client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}


async def raw(url: str, version: str, capabilities: dict[str, Any], name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of a tool call by a client of the handshake era, message by message."""
    async with httpx.AsyncClient(headers=BEARER | ACCEPTED, **CLIENT_OPTIONS) as http:
        begin = initialize(version)
        begin["params"]["capabilities"] = capabilities
        begun = await http.post(url, json=begin)
        http.headers["Mcp-Session-Id"] = begun.headers["mcp-session-id"]
        await http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
        params = {"name": name, "arguments": arguments}
        answer = await http.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})
    (line,) = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    result: dict[str, Any] = json.loads(line.removeprefix("data: "))["result"]
    return result


async def test_a_client_from_before_structured_content_gets_it_as_text() -> None:
    async with served(create_app(Options(runner=mirror))) as url:
        result = await raw(url, "2025-03-26", {}, "persona_get_account", {"accountId": "act_1"})
    assert data_of(result["content"][0]["text"])["account"]["id"].startswith("act_")


async def test_a_client_that_can_only_open_pages_cannot_ask() -> None:
    capabilities: dict[str, Any] = {"elicitation": {"url": {}}}
    async with served(create_app(Options(Selection.of(), runner=mirror))) as url:
        result = await raw(url, "2025-11-25", capabilities, "persona_approve_inquiry", {"inquiryId": "inq_1"})
    assert result["isError"]
    assert "cannot ask" in result["content"][0]["text"]


@both_eras
async def test_cancelling_stops_the_work(era: str) -> None:
    hanging = Hanging()
    async with served(create_app(Options(runner=hanging.runner))) as url, caller(url, "k", era) as client:
        await hanging.cancel(client)


class TestNarrowing:
    async def names(self, url: str, **headers: str) -> set[str]:
        async with caller(url, "k", "auto", None, **headers) as client:
            return {tool.name.removeprefix("persona_") for tool in (await client.list_tools()).tools}

    async def test_headers_choose_within_what_is_offered(self) -> None:
        chosen = Options(Selection.of(toolsets=["inquiries", "cases"], exclude=["list_cases"]), runner=mirror)
        async with served(create_app(chosen)) as url:
            everything = await self.names(url)
            assert await self.names(url, x_mcp_toolsets="all") == everything
            cases = set(Selection.of(toolsets=["cases"], exclude=["list_cases"]).names)
            assert await self.names(url, x_mcp_toolsets="cases, accounts") == cases
            assert await self.names(url, x_mcp_tools="persona_get_inquiry,list_cases") == {"get_inquiry"}
            assert "approve_inquiry" not in await self.names(url, x_mcp_readonly="true")
            assert await self.names(url, x_mcp_readonly="false") == everything
            assert await self.names(url, x_mcp_exclude_tools="get_inquiry") == everything - {"get_inquiry"}
            async with caller(url, "k", x_mcp_exclude_tools="get_inquiry") as client:
                result = await client.call_tool("persona_get_inquiry", {"inquiryId": "inq_1"})
                assert "is not offered here" in text(result)

    async def test_a_read_only_server_stays_so(self) -> None:
        chosen = Options(Selection.of(read_only=True), runner=mirror)
        async with served(create_app(chosen)) as url:
            names = await self.names(url, x_mcp_toolsets="all", x_mcp_tools="approve_inquiry", x_mcp_readonly="false")
            assert "approve_inquiry" not in names
            async with caller(url, "k", x_mcp_tools="approve_inquiry") as client:
                result = await client.call_tool("persona_approve_inquiry", {"inquiryId": "inq_1"})
                assert "is not offered here" in text(result)

    @pytest.mark.parametrize(
        ("lines", "missing"),
        [
            ([("X-MCP-Readonly", "false"), ("X-MCP-Readonly", "true")], "approve_inquiry"),
            ([("X-MCP-Readonly", "true"), ("X-MCP-Readonly", "false")], "approve_inquiry"),
            ([("X-MCP-Readonly", "certainly")], "approve_inquiry"),
            ([("X-MCP-Exclude-Tools", ""), ("X-MCP-Exclude-Tools", "get_case")], "get_case"),
            ([("X-MCP-Exclude-Tools", "list_cases"), ("X-MCP-Exclude-Tools", "get_case")], "get_case"),
        ],
    )
    async def test_a_header_that_comes_twice_counts_twice(self, lines: list[tuple[str, str]], missing: str) -> None:
        """As where a gateway adds its own restriction to what a client sent."""
        async with served(create_app(Options(Selection.of(), runner=mirror))) as url:
            async with httpx2.AsyncClient(headers=[*lines, ("Authorization", "Bearer k")], **CLIENT_OPTIONS) as http:
                async with Client(streamable_http_client(url, http_client=http)) as client:
                    names = {tool.name for tool in (await client.list_tools()).tools}
        assert "persona_get_inquiry" in names
        assert f"persona_{missing}" not in names

    async def test_a_list_is_kept_by_nobody_but_its_caller(self) -> None:
        for app in (create_app(Options(runner=mirror)), create_app(Options(runner=mirror), api_key="k")):
            async with served(app) as url, caller(url, "k") as client:
                assert (await client.list_tools()).cache_scope == "private"

    async def test_a_name_that_is_none_is_an_error(self) -> None:
        async with served(create_app(Options(runner=mirror))) as url, caller(url, "k", x_mcp_toolsets="inquirys") as client:
            with pytest.raises(MCPError, match="did you mean inquiries"):
                await client.list_tools()
            assert (await client.call_tool("persona_get_account", {"accountId": "act_1"})).is_error


class TestConsent:
    @both_eras
    async def test_a_person_is_asked(self, sandbox: Sandbox, era: str) -> None:
        person, inquiry = Person(), first(sandbox, "needs_review")
        async with served(create_app(options(sandbox))) as url, caller(url, sandbox.api_key, era, person) as client:
            result = await client.call_tool("persona_decline_inquiry", {"inquiryId": inquiry})
        assert result.structured_content["inquiry"]["status"] == "declined"
        assert len(person.questions) == 1

    @pytest.mark.parametrize(("era", "asks"), [("legacy", False), ("auto", True)])
    async def test_without_sessions(self, sandbox: Sandbox, era: str, asks: bool) -> None:
        """A client of the handshake era has no way to answer then, and is refused."""
        person, app = Person(), create_app(options(sandbox), stateless=True)
        async with served(app) as url, caller(url, sandbox.api_key, era, person) as client:
            result = await client.call_tool("persona_decline_inquiry", {"inquiryId": first(sandbox, "needs_review")})
        assert result.is_error != asks
        assert len(person.questions) == asks
        assert [effect.name for effect in sandbox.effects if effect.request_id].count("inquiry.declined") == asks

    async def test_an_answer_is_its_callers_own(self, sandbox: Sandbox) -> None:
        arguments = {"inquiryId": first(sandbox, "needs_review")}
        agreed: types.InputResponses = {"confirm": types.ElicitResult(action="accept", content={"confirm": True})}
        async with served(create_app(options(sandbox))) as url:
            async with (
                caller(url, "another", person=Person()) as theirs,
                caller(url, sandbox.api_key, person=Person()) as mine,
            ):
                question = await mine.session.call_tool("persona_approve_inquiry", arguments, allow_input_required=True)
                assert isinstance(question, types.InputRequiredResult)
                with pytest.raises(MCPError, match="requestState"):
                    await theirs.session.call_tool(
                        "persona_approve_inquiry", arguments, input_responses=agreed, request_state=question.request_state
                    )
        assert not [effect for effect in sandbox.effects if effect.name == "inquiry.approved" and effect.request_id]
