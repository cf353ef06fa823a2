"""The Claude Agent SDK: the example as it stands, with the tools on a server of MCP in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox
from persona_block.sandbox import Settings
from tests.support.scripted_model import DONE, ToolCall, changes, in_review, onboarding

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/agents/in_process/with_claude_agent_sdk.py"
PREFIX = "mcp__persona__"


def events(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the model's provider streams in answer to a request."""
    contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
    results = [block for content in contents for block in content if block["type"] == "tool_result"]
    turn = onboarding([each if isinstance(each := result["content"], str) else each[0]["text"] for result in results])
    if isinstance(turn, ToolCall):
        block = {"type": "tool_use", "id": f"toolu_{len(results)}", "name": PREFIX + turn.name, "input": {}}
        delta, reason = {"type": "input_json_delta", "partial_json": turn.json}, "tool_use"
    else:
        block = {"type": "text", "text": ""}
        delta, reason = {"type": "text_delta", "text": turn}, "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 1}}
    yield {"type": "message_stop"}


@contextmanager
def provider(saw: list[dict[str, Any]]) -> Iterator[str]:
    """Serve the model's provider on loopback, and give its URL; `saw` gets the bodies of its requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            saw.append(body)
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for event in events(body):
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("word", ["yes", "no"])
def test_the_example(tmp_path: Path, word: str) -> None:
    saw: list[dict[str, Any]] = []
    with Sandbox(populate=True, settings=Settings(report_delay=0), speed=0) as sandbox, provider(saw) as origin:
        inquiry, before = in_review(sandbox), len(sandbox.effects)
        with sandbox.serve_in_thread() as base_url:
            done = subprocess.run(
                [sys.executable, str(EXAMPLE)],
                input=f"{word}\n",
                capture_output=True,
                text=True,
                timeout=100,
                cwd=tmp_path,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(tmp_path),
                    "CLAUDE_CONFIG_DIR": str(tmp_path),
                    "PYTHONPATH": os.environ["PYTHONPATH"],
                    "PERSONA_API_KEY": sandbox.api_key,
                    "PERSONA_BASE_URL": base_url,
                    "ANTHROPIC_API_KEY": "none",
                    "ANTHROPIC_BASE_URL": origin,
                    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                },
                check=False,
            )
        assert done.returncode == 0, done.stderr
        assert f"Approve inquiry {inquiry}?" in done.stdout
        assert "Failed checks: none of 3" in done.stdout
        names = [name for name, _ in changes(sandbox, before)]
        if word == "yes":
            assert done.stdout.splitlines()[-1].endswith(DONE)
            assert names == ["report/watchlist.created", "inquiry.approved"]
        else:
            assert "did not agree" in done.stdout
            assert names == ["report/watchlist.created"]
        assert {tool["name"].removeprefix(PREFIX) for body in saw for tool in body.get("tools", ())} >= {"persona_get_inquiry"}
        offered = {tool["name"] for body in saw for tool in body.get("tools", ())}
        # Beside them there is at most the SDK's stand-in for tools that it tells its model of later.
        assert {name for name in offered if not name.startswith(PREFIX)} <= {"DeferredToolPlaceholder"}
        assert sandbox.api_key not in json.dumps(saw)
