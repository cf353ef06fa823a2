"""The settings for MCP clients in the documentation start servers that answer."""

from __future__ import annotations

import json
import os
import re
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


@pytest.mark.process
@pytest.mark.parametrize("server", STDIO, ids=lambda server: " ".join(server["args"]))
async def test_settings_for_stdio(server: dict[str, Any]) -> None:
    command = Path(sys.executable).parent / server["command"]
    # The same server, but offline: no key of the page opens anything.
    process = StdioServerParameters(
        command=str(command), args=[*server["args"], "--sandbox"], env={**os.environ, **server["env"]}
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
    used = set(re.findall(r"--[a-z-]+", re.sub(r"claude mcp add[^`]*", "", PAGE)))
    assert used
    assert used <= known
