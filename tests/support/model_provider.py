"""A model provider on a loopback port that plays a script: Anthropic's Messages, OpenAI's Responses and Chat Completions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from persona_block.spec import catalog
from tests.hosts.test_portability import RULES
from tests.support.scripted_model import Script, ToolCall, onboarding


class Provider:
    """Answers with what its script says, notes tools that some provider would refuse, and keeps all it was sent.

    saw: the bodies of its requests. refused: what is wrong with tools. origin: the URL it listens on, without a path.
    """

    def __init__(self) -> None:
        self.script: Script = onboarding
        self.saw: list[str] = []
        self.refused: list[str] = []
        self.origin = ""

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body that a request to a path is answered with."""
        endpoint = path.partition("?")[0].rpartition("/")[2]
        return {"messages": self._anthropic, "responses": self._responses, "completions": self._chat}[endpoint](body)

    def _anthropic(self, body: dict[str, Any]) -> dict[str, Any]:
        self._note_refusals({tool["name"]: tool["input_schema"] for tool in body["tools"]})
        contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
        results = [block for content in contents for block in content if block["type"] == "tool_result"]
        turn = self.script([_text(result["content"]) for result in results])
        block: dict[str, Any] = {"type": "text", "text": turn}
        if isinstance(turn, ToolCall):
            block = {"type": "tool_use", "id": turn.id, "name": turn.name, "input": turn.arguments}
        reason = "tool_use" if isinstance(turn, ToolCall) else "end_turn"
        usage = {"input_tokens": 1, "output_tokens": 1}
        envelope = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_sequence": None}
        return envelope | {"content": [block], "stop_reason": reason, "usage": usage}

    def _responses(self, body: dict[str, Any]) -> dict[str, Any]:
        self._note_refusals({tool["name"]: tool["parameters"] for tool in body["tools"]})
        self.refused += [f"{tool['name']} is strict" for tool in body["tools"] if tool.get("strict") is not False]
        outputs = [item for item in body["input"] if item.get("type") == "function_call_output"]
        turn = self.script([_text(item["output"]) for item in outputs])
        item: dict[str, Any]
        if isinstance(turn, ToolCall):
            item = {"type": "function_call", "id": "fc_1", "call_id": turn.id, "name": turn.name, "arguments": turn.json}
        else:
            text = {"type": "output_text", "text": turn, "annotations": []}
            item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [text]}
        envelope = {"id": "resp_1", "object": "response", "created_at": 0, "model": body["model"], "status": "completed"}
        switches = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
        return envelope | switches | {"output": [item | {"status": "completed"}]}

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        self._note_refusals({tool["function"]["name"]: tool["function"]["parameters"] for tool in body["tools"]})
        self.refused += [tool["function"]["name"] for tool in body["tools"] if tool["function"].get("strict")]
        turn = self.script([_text(message["content"]) for message in body["messages"] if message["role"] == "tool"])
        message: dict[str, Any] = {"role": "assistant", "content": None if isinstance(turn, ToolCall) else turn}
        if isinstance(turn, ToolCall):
            function = {"name": turn.name, "arguments": turn.json}
            message["tool_calls"] = [{"id": turn.id, "type": "function", "function": function}]
        finish = "tool_calls" if isinstance(turn, ToolCall) else "stop"
        envelope = {"id": "chat_1", "object": "chat.completion", "created": 0, "model": body["model"]}
        return envelope | {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}

    def _note_refusals(self, schemas: dict[str, Any]) -> None:
        assert set(schemas) == {spec.tool_id for spec in catalog.load_all()}
        for name, schema in schemas.items():
            self.refused += [f"{name}: {rule}" for rule, (offences, _) in RULES.items() if offences(name, schema)]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that listens while the context lasts."""
    model_provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            model_provider.saw.append(body)
            reply = json.dumps(model_provider.reply(self.path, json.loads(body))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test shows what the provider saw where it matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model_provider.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield model_provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
