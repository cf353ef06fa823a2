"""`persona-block mcp` as an operator starts it: options, environment variables, and the process on stdio."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from persona_block import Sandbox
from persona_block.cli import command as cli
from persona_block.hosts import Selection
from persona_block.hosts.selection import DEFAULT
from persona_block.spec import catalog
from tests.support.mcp_servers import Person, text
from tests.support.planted import KEY

COMMAND = ["-m", "persona_block.cli", "mcp"]


@asynccontextmanager
async def started(*arguments: str, person: Person | None = None, **environment: str) -> AsyncIterator[Client]:
    """A client of a server in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PERSONA_")}
    process = StdioServerParameters(command=sys.executable, args=[*COMMAND, *arguments], env=inherited | environment)
    async with Client(process, elicitation_callback=person) as client:
        yield client


async def offered(*arguments: str, **environment: str) -> set[str]:
    """The names of what such a server lists."""
    async with started(*arguments, person=None, **environment) as client:
        return {tool.name.removeprefix("persona_") for tool in (await client.list_tools()).tools}


def names(**chosen: Any) -> set[str]:
    """The names of a selection."""
    return set(Selection.of(**chosen).names)


async def test_what_is_offered() -> None:
    assert await offered() == names(toolsets=[DEFAULT])
    assert await offered("--toolsets", "cases,templates") == names(toolsets=["cases", "templates"])
    assert await offered("--tools", "get_case,persona_approve_inquiry") == {"get_case", "approve_inquiry"}
    assert await offered("--toolsets", "cases", "--tools", "get_account") == {"get_case", "list_cases", "get_account"}


async def test_the_environment_says_the_same_and_an_option_goes_before_it() -> None:
    assert await offered(PERSONA_MCP_TOOLSETS="cases") == names(toolsets=["cases"])
    assert await offered("--toolsets", "templates", PERSONA_MCP_TOOLSETS="cases") == names(toolsets=["templates"])
    assert await offered("--tools", "get_case", PERSONA_MCP_TOOLSETS="all") == {"get_case"}
    assert await offered(PERSONA_MCP_TOOLS="get_case") == {"get_case"}


@pytest.mark.parametrize("arguments", [("--toolsets", "all"), ("--tools", "approve_inquiry,get_case,list_cases")])
async def test_excluding_and_read_only_win_wherever_they_stand(arguments: tuple[str, ...]) -> None:
    reads = {spec.name for spec in catalog.load_all() if spec.effect == "read"}
    by_option = await offered(*arguments, "--read-only", "--exclude-tools", "get_case", PERSONA_MCP_EXCLUDE_TOOLS="list_cases")
    by_variable = await offered(*arguments, PERSONA_MCP_READ_ONLY="true", PERSONA_MCP_EXCLUDE_TOOLS="get_case,list_cases")
    assert by_option == by_variable
    assert by_option <= reads - {"get_case", "list_cases"}


async def test_a_conversation_with_the_process() -> None:
    person = Person()
    async with started("--sandbox", "--toolsets", "all", person=person) as client:
        found = await client.call_tool("persona_list_inquiries", {"status": "needs_review", "maxItems": 1})
        inquiry = found.structured_content["inquiries"][0]["id"]
        done = await client.call_tool("persona_approve_inquiry", {"inquiryId": inquiry})
    assert done.structured_content["inquiry"]["status"] == "approved"
    assert len(person.asked) == 1
    async with started("--sandbox", "--toolsets", "all") as client:
        refused = await client.call_tool("persona_approve_inquiry", {"inquiryId": inquiry})
        assert "--allow decide" in text(refused)
    async with started("--sandbox", "--toolsets", "all", "--allow", "erase", PERSONA_MCP_ALLOW="decide") as client:
        found = await client.call_tool("persona_list_inquiries", {"status": "needs_review", "maxItems": 1})
        inquiry = found.structured_content["inquiries"][0]["id"]
        for tool in ("persona_approve_inquiry", "persona_redact_inquiry"):
            assert not (await client.call_tool(tool, {"inquiryId": inquiry})).is_error


async def test_the_key_comes_from_the_environment_and_shows_nowhere(sandbox: Sandbox) -> None:
    async with sandbox.serve() as url, started(PERSONA_API_KEY=KEY, PERSONA_BASE_URL=url) as client:
        listed = await client.list_tools()
        refused = await client.call_tool("persona_get_account", {"accountId": "act_1"})
    assert "401" in text(refused)
    assert KEY not in f"{listed}{refused}"
    async with started() as client:
        assert "PERSONA_API_KEY" in text(await client.call_tool("persona_get_account", {"accountId": "act_1"}))


async def test_files_are_read_from_the_named_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    folder.mkdir()
    (folder / "people.csv").write_text("reference_id,name_first\nperson-1,Ann\n")
    (tmp_path / "secret.csv").write_text("reference_id,name_first\nperson-2,Ben\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    async with started("--sandbox", "--tools", "import_accounts", "--files-from", str(folder)) as client:
        assert not (await client.call_tool("persona_import_accounts", {"file": "people.csv"})).is_error
        for file in ("../secret.csv", "link.csv", str(tmp_path / "secret.csv"), "s3://bucket/people.csv"):
            assert (await client.call_tool("persona_import_accounts", {"file": file})).is_error, file
    async with started("--sandbox", "--tools", "import_accounts") as client:
        result = await client.call_tool("persona_import_accounts", {"file": str(folder / "people.csv")})
        assert "CSV text" in text(result)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--toolsets", "inquirys"], "did you mean inquiries"),
        (["--tools", "get_inquiri,get_kase"], "did you mean get_case"),
        (["--http", "--host", "0.0.0.0"], "--public-host"),
        (["--http", "--files-from", "x"], "stdio alone"),
        (["--files-from", "no-such-folder"], "no folder"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mcp", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PERSONA_MCP_ALLOW", "decide,everything"),
        ("PERSONA_MCP_READ_ONLY", "enabled"),
        ("PERSONA_MCP_FULL_TEXT", "2"),
        ("PERSONA_MCP_TOOLSETS", "inquirys"),
        ("PERSONA_BASE_URL", "http://example.com"),
    ],
)
def test_a_wrong_variable_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert cli.main(["mcp"]) == 2
    said = capsys.readouterr().err
    assert variable in said or "toolsets" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [[], ["--http", "--port", "0"]])
def test_a_signal_ends_it_quietly_and_leaves_no_file(arguments: list[str], number: signal.Signals, tmp_path: Path) -> None:
    """While a client holds standard input open, as clients do."""
    command = [sys.executable, *COMMAND, "--sandbox", *arguments]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            assert process.stdin
            assert process.stdout
            assert process.stderr
            process.stderr.readline()
            if arguments:
                assert "/mcp" in process.stderr.readline()
            else:
                begin = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
                process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin}) + "\n")
                process.stdin.flush()
                assert "serverInfo" in process.stdout.readline()
                assert list(tmp_path.iterdir())
            process.send_signal(number)
            assert process.wait(20) in (0, 128 + number, -number)
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []
