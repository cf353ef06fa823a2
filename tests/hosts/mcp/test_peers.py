"""What others say of the MCP server: the MCP Inspector and the official conformance scenarios that need no fixtures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.spec import catalog

PEERS = Path(__file__).resolve().parents[2] / "peers" / "node_modules"
SERVE = [sys.executable, "-m", "persona_block.cli", "mcp", "--sandbox", "--toolsets", "all"]
SCENARIOS = (
    "server-initialize",
    "ping",
    "tools-list",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
)

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        not PEERS.is_dir(), reason="the MCP Inspector and the conformance scenarios are not installed: make peers"
    ),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server in a process of its own."""
    with subprocess.Popen([*SERVE, "--http", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            line = next(line for line in process.stderr if "/mcp" in line)
            yield next(word.rstrip(";") for word in line.split() if word.startswith("http://"))
        finally:
            process.kill()


def peer(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a peer, with the Node.js that it needs."""
    path = f"{PEERS / 'node' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(PEERS / ".bin" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, "PATH": path})


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_conformance(url: str, scenario: str, tmp_path: Path) -> None:
    done = peer("conformance", "server", "--url", url, "--scenario", scenario, "--output-dir", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    (results,) = tmp_path.rglob("checks.json")
    checks = json.loads(results.read_text("utf-8"))
    assert checks
    assert {check["status"] for check in checks} <= {"SUCCESS", "INFO"}, checks


def inspect(*arguments: str) -> Any:
    """What the Inspector prints of one method, which has to end well."""
    done = peer("mcp-inspector", "--cli", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_inspector_lists_and_finds_nothing_wrong_with_any_schema(url: str) -> None:
    done = peer("mcp-inspector", "--cli", url, "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    assert len(json.loads(done.stdout)["tools"]) == len(catalog.names())


def test_the_inspector_reads_prompts_and_resources(url: str) -> None:
    prompts = inspect(url, "--method", "prompts/list")["prompts"]
    assert {"erase-personal-data", "onboard-customer"} <= {prompt["name"] for prompt in prompts}
    told = inspect(
        url, "--method", "prompts/get", "--prompt-name", "post-pending-reviews", "--prompt-args", "channel=#reviews"
    )
    assert "persona_list_inquiries" in told["messages"][0]["content"]["text"]
    read = inspect(url, "--method", "resources/read", "--uri", "persona://templates/onboard-customer")
    assert json.loads(read["contents"][0]["text"])["name"] == "onboard-customer"


def test_the_inspector_calls_a_tool_over_http(url: str) -> None:
    result = inspect(url, "--method", "tools/call", "--tool-name", "persona_list_accounts", "--tool-arg", "maxItems=2")
    assert len(result["structuredContent"]["accounts"]) == 2


def test_the_inspector_calls_a_tool_on_stdio() -> None:
    call = ("--method", "tools/call", "--tool-name", "persona_list_cases", "--tool-arg", "status=Open")
    result = inspect(*SERVE, *call)
    assert {case["status"] for case in result["structuredContent"]["cases"]} == {"Open"}
