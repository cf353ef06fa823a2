"""The settings for MCP clients in the documentation start servers that answer."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from persona_block import Sandbox
from persona_block.cli import command as cli
from persona_block.hosts.mcp import create_app
from tests.hosts.mcp.test_http import caller, served
from tests.support.mcp_servers import options

PAGE = (Path(__file__).resolve().parents[3] / "docs/mcp.md").read_text("utf-8")
SETTINGS: list[dict[str, Any]] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
SERVERS = [(settings.get("mcpServers") or settings["servers"])["persona"] for settings in SETTINGS]
STDIO = [server for server in SERVERS if "command" in server]
(HTTP,) = [server for server in SERVERS if "url" in server]


COMMANDS = {
    "uvx": ["--from", "persona-block[mcp]", "persona-block", "mcp"],
    "python": ["-m", "persona_block.cli", "mcp"],
    "docker": ["run", "-i", "--rm", "-e", "PERSONA_API_KEY", "persona-block"],
}
"""What the server is started by, and what it is told before the server's own options."""
CLAUDE_CODE = re.findall(r"^claude mcp add persona --env PERSONA_API_KEY=\S+ -- (.*)$", PAGE, re.MULTILINE)


def server_options(command: str, arguments: list[str]) -> list[str]:
    """Return the options of the server itself in a client's setting."""
    name = Path(command).name
    assert name == command or (name == "python" and Path(command).is_absolute())
    start = COMMANDS[name]
    assert arguments[: len(start)] == start
    return arguments[len(start) :]


def test_each_client_can_start_it_in_each_way() -> None:
    """The image's own command is `persona-block mcp`, which its options follow."""
    ways = [(server["command"], server_options(server["command"], server["args"])) for server in STDIO]
    claude = [shlex.split(line) for line in CLAUDE_CODE]
    ways += [(command, server_options(command, arguments)) for command, *arguments in claude]
    assert [Path(command).name for command, _ in ways] == list(COMMANDS) * 3
    assert len({tuple(given) for _, given in ways}) == 3


@pytest.mark.process
@pytest.mark.parametrize("server", STDIO[1::3], ids=lambda server: " ".join(server["args"]))
async def test_settings_for_stdio(server: dict[str, Any]) -> None:
    # The same server, but offline: no key of the page opens anything.
    process = StdioServerParameters(
        command=sys.executable, args=[*server["args"], "--sandbox"], env={**os.environ, **server["env"]}
    )
    async with Client(process) as client:
        assert "persona_list_cases" in {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("persona_list_cases", {"status": "Open", "maxItems": 1})
    assert len(result.structured_content["cases"]) == 1


async def test_settings_for_http(sandbox: Sandbox) -> None:
    headers = {name.replace("-", "_"): value for name, value in HTTP["headers"].items() if name != "Authorization"}
    async with served(create_app(options(sandbox))) as url, caller(url, sandbox.api_key, "auto", None, **headers) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {"persona_get_inquiry", "persona_list_inquiries", "persona_get_case", "persona_list_cases"}
        assert not (await client.call_tool("persona_list_cases", {})).is_error


def test_the_options_of_the_page_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["mcp", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    # What stands before the server's own options is uvx's and docker's.
    text = re.sub(r"claude mcp add.* --env|--from|docker (run|build).*? persona-block\b|--rm|--env", "", PAGE, flags=re.DOTALL)
    used = set(re.findall(r"(?<![-\w])--[a-z-]+", text))
    assert used
    assert used <= known
