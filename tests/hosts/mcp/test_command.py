"""`persona-block mcp` as an operator starts it: options, environment variables, and the process on stdio."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import mcp_types as types
import pytest
from mcp import Client, StdioServerParameters
from mcp.server import Server

from persona_block import Sandbox
from persona_block.cli import command as cli
from persona_block.hosts import Selection
from persona_block.hosts.selection import DEFAULT
from persona_block.spec import catalog
from tests.support.mcp_servers import Person, text
from tests.support.planted import KEY

COMMAND = ["-m", "persona_block.cli", "mcp"]
FULL_SANDBOX = ("--sandbox", "--toolsets", "all")


@asynccontextmanager
async def started(*arguments: str, person: Person | None = None, **environment: str) -> AsyncIterator[Client]:
    """A client of a server in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PERSONA_")}
    process = StdioServerParameters(command=sys.executable, args=[*COMMAND, *arguments], env=inherited | environment)
    async with Client(process, elicitation_callback=person) as client:
        yield client


class TalkTo(Protocol):
    """Runs the command in this process, and gives back what the talk with its server gives."""

    def __call__(self, talk: Callable[[Client], Awaitable[Any]], *arguments: str, **environment: str) -> Any: ...


@pytest.fixture
def talk_to(monkeypatch: pytest.MonkeyPatch) -> TalkTo:
    """Runs the command in this process, with a client that cannot ask in the place of standard input and output."""

    def run(talk: Callable[[Client], Awaitable[Any]], *arguments: str, **environment: str) -> Any:
        answers: list[Any] = []

        async def serve_client(server: Server[Any]) -> None:
            async with Client(server) as client:
                answers.append(await talk(client))

        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("PERSONA_")]:
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr("persona_block.hosts.mcp.serve_stdio", serve_client)
            patch.setattr(signal, "signal", lambda *_: None)
            assert cli.main(["mcp", *arguments]) == 0
        return answers[0]

    return run


@pytest.fixture
def offered(talk_to: TalkTo) -> Callable[..., set[str]]:
    """Gives the names of what the command's server lists, without their prefix."""

    async def tool_names(client: Client) -> set[str]:
        return {tool.name.removeprefix("persona_") for tool in (await client.list_tools()).tools}

    return lambda *arguments, **environment: talk_to(tool_names, *arguments, **environment)


def names(**chosen: Any) -> set[str]:
    """Return the names of a selection."""
    return set(Selection.of(**chosen).names)


def test_what_is_offered(offered: Callable[..., set[str]]) -> None:
    assert offered() == names(toolsets=[DEFAULT])
    assert offered("--toolsets", "cases,templates") == names(toolsets=["cases", "templates"])
    assert offered("--tools", "get_case,persona_approve_inquiry") == {"get_case", "approve_inquiry"}
    assert offered("--toolsets", "cases", "--tools", "get_account") == {"get_case", "list_cases", "get_account"}


def test_the_environment_says_the_same_and_an_option_goes_before_it(offered: Callable[..., set[str]]) -> None:
    assert offered(PERSONA_MCP_TOOLSETS="cases") == names(toolsets=["cases"])
    assert offered("--toolsets", "templates", PERSONA_MCP_TOOLSETS="cases") == names(toolsets=["templates"])
    assert offered("--tools", "get_case", PERSONA_MCP_TOOLSETS="all") == {"get_case"}
    assert offered(PERSONA_MCP_TOOLS="get_case") == {"get_case"}


@pytest.mark.parametrize("arguments", [("--toolsets", "all"), ("--tools", "approve_inquiry,get_case,list_cases")])
def test_excluding_and_read_only_win_wherever_they_stand(offered: Callable[..., set[str]], arguments: tuple[str, ...]) -> None:
    reads = {spec.name for spec in catalog.load_all() if spec.effect == "read"}
    by_option = offered(*arguments, "--read-only", "--exclude-tools", "get_case", PERSONA_MCP_EXCLUDE_TOOLS="list_cases")
    by_variable = offered(*arguments, PERSONA_MCP_READ_ONLY="true", PERSONA_MCP_EXCLUDE_TOOLS="get_case,list_cases")
    assert by_option == by_variable
    assert by_option <= reads - {"get_case", "list_cases"}


async def first_in_review(client: Client) -> str:
    """Return the id of an inquiry in review."""
    listed = await client.call_tool("persona_list_inquiries", {"status": "needs_review", "maxItems": 1})
    return str(listed.structured_content["inquiries"][0]["id"])


@pytest.mark.process
async def test_a_conversation_with_the_process() -> None:
    person = Person()
    async with started(*FULL_SANDBOX, person=person) as client:
        inquiry = await first_in_review(client)
        approved = await client.call_tool("persona_approve_inquiry", {"inquiryId": inquiry})
    assert approved.structured_content["inquiry"]["status"] == "approved"
    assert len(person.questions) == 1


def test_a_client_that_cannot_ask_is_refused_unless_the_operator_allows_it(talk_to: TalkTo) -> None:
    async def approve(client: Client) -> types.CallToolResult:
        return await client.call_tool("persona_approve_inquiry", {"inquiryId": await first_in_review(client)})

    async def approve_and_redact(client: Client) -> list[types.CallToolResult]:
        inquiry = {"inquiryId": await first_in_review(client)}
        return [await client.call_tool(f"persona_{name}_inquiry", inquiry) for name in ("approve", "redact")]

    refused = talk_to(approve, *FULL_SANDBOX)
    assert "--allow decide" in text(refused)
    results = talk_to(approve_and_redact, *FULL_SANDBOX, "--allow", "erase", PERSONA_MCP_ALLOW="decide")
    assert [result.is_error for result in results] == [False, False]


@pytest.mark.process
async def test_the_key_comes_from_the_environment_and_shows_nowhere(sandbox: Sandbox) -> None:
    async with sandbox.serve() as url, started(PERSONA_API_KEY=KEY, PERSONA_BASE_URL=url) as client:
        listed = await client.list_tools()
        refused = await client.call_tool("persona_get_account", {"accountId": "act_1"})
    assert "401" in text(refused)
    assert KEY not in f"{listed}{refused}"


def test_without_a_key_every_call_says_so(talk_to: TalkTo) -> None:
    async def get_account(client: Client) -> types.CallToolResult:
        return await client.call_tool("persona_get_account", {"accountId": "act_1"})

    assert "PERSONA_API_KEY" in text(talk_to(get_account))


def test_files_are_read_from_the_named_folder_alone(talk_to: TalkTo, tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    folder.mkdir()
    (folder / "people.csv").write_text("reference_id,name_first\nperson-1,Ann\n")
    (tmp_path / "secret.csv").write_text("reference_id,name_first\nperson-2,Ben\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    outside = ("../secret.csv", "link.csv", str(tmp_path / "secret.csv"), "s3://bucket/people.csv")

    async def import_files(client: Client) -> dict[str, bool]:
        results = {
            file: await client.call_tool("persona_import_accounts", {"file": file}) for file in ("people.csv", *outside)
        }
        return {file: result.is_error for file, result in results.items()}

    async def import_a_path(client: Client) -> types.CallToolResult:
        return await client.call_tool("persona_import_accounts", {"file": str(folder / "people.csv")})

    arguments = ("--sandbox", "--tools", "import_accounts")
    failures = talk_to(import_files, *arguments, "--files-from", str(folder))
    assert failures == {"people.csv": False, **dict.fromkeys(outside, True)}
    assert "CSV text" in text(talk_to(import_a_path, *arguments))


@pytest.mark.parametrize(
    ("arguments", "environment", "is_short"),
    [
        ([], {}, False),
        (["--text", "summary"], {}, True),
        ([], {"PERSONA_MCP_TEXT": "summary"}, True),
        (["--text", "full"], {"PERSONA_MCP_TEXT": "summary"}, False),
        (["--full-text"], {"PERSONA_MCP_TEXT": "summary"}, False),
        ([], {"PERSONA_MCP_FULL_TEXT": "yes"}, False),
    ],
)
def test_how_much_stands_in_a_text(talk_to: TalkTo, arguments: list[str], environment: dict[str, str], is_short: bool) -> None:
    async def first_case(client: Client) -> Any:
        return text(await client.call_tool("persona_list_cases", {"maxItems": 1}))

    shown = talk_to(first_case, "--sandbox", *arguments, **environment)
    assert ('{"cases":[{"id"' not in shown) == is_short


def test_templates_and_fields_that_the_operator_names(talk_to: TalkTo) -> None:
    async def listed(client: Client) -> Any:
        templates = (await client.call_tool("persona_list_inquiry_templates", {})).structured_content
        case = (await client.call_tool("persona_list_cases", {"maxItems": 1})).structured_content["cases"][0]
        return templates, case

    named = ["--templates", "itmpl_1=Onboarding, EU", "--templates", "rptp_1=Sanctions"]
    templates, case = talk_to(listed, "--sandbox", *named, "--leave-out", "name,status")
    assert templates["inquiryTemplates"] == [{"id": "itmpl_1", "name": "Onboarding, EU"}]
    assert templates["reportTemplates"] == [{"id": "rptp_1", "name": "Sanctions"}]
    assert not {"name", "status"} & set(case)
    assert "creatorId" in case
    variables = {"PERSONA_MCP_TEMPLATES": "itmpl_2=Other,rptp_2=Press", "PERSONA_MCP_LEAVE_OUT": "none"}
    templates, case = talk_to(listed, "--sandbox", **variables)
    assert [each["id"] for each in templates["inquiryTemplates"]] == ["itmpl_2"]
    assert case["tags"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--toolsets", "inquirys"], "did you mean inquiries"),
        (["--tools", "get_inquiri,get_kase"], "did you mean get_case"),
        (["--http", "--host", "0.0.0.0"], "--public-host"),
        (["--http", "--files-from", "x"], "stdio alone"),
        (["--files-from", "no-such-folder"], "no folder"),
        (["--templates", "itmpl_1"], "itmpl_1 needs a name"),
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
        ("PERSONA_MCP_TEXT", "long"),
        ("PERSONA_MCP_TEMPLATES", "inq_1=Name"),
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
    assert variable in said or "toolsets" in said or "templates" in said


@pytest.mark.process
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
