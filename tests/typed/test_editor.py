"""An editor completes operations, params, choices and outputs, as its language server offers them while one types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.spec import catalog

HEAD = "from persona_block import Runner\n\nasync def program(runner: Runner) -> None:\n"
SPEC = catalog.load("create_report")
TYPED_SO_FAR = {
    'await runner.call("|")': set(catalog.names()),
    'await runner.wait("|")': {spec.name for spec in catalog.load_all() if spec.wait or spec.then},
    'await runner.call("create_report", {"|"})': {*SPEC.params, "apiKey"},
    'await runner.call("create_report", {"reportType": "|"})': set(SPEC.params["reportType"].enum or ()),
    '(await runner.call("list_cases"))["|"]': set(catalog.load("list_cases").output),
}
"""Lines with the place of the cursor, and what is offered there."""


class LanguageServer:
    """A client of the language server of pyright, which completes in one file."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", "from basedpyright.langserver import main; main()", "--stdio"]
        self._process = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._uri = (folder / "program.py").as_uri()
        self._count = 0
        root = folder.as_uri()
        workspace = {"workspaceFolders": [{"uri": root, "name": "test"}], "rootUri": root}
        self._ask("initialize", {"processId": None, "capabilities": {"workspace": {"configuration": True}}, **workspace})
        self._send({"method": "initialized", "params": {}})

    def close(self) -> None:
        """Ask the server to end, and wait for that."""
        self._ask("shutdown", {})
        self._send({"method": "exit"})
        self._process.communicate(timeout=60)

    def open(self, text: str) -> None:
        """Show the file to the server."""
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def offers(self, line: int, character: int) -> set[str]:
        """Return what may stand at a place within quotes."""
        position = {"line": line, "character": character}
        found = self._ask("textDocument/completion", {"textDocument": {"uri": self._uri}, "position": position})
        return {item["label"].strip('"') for item in found["items"]}

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._count += 1
        self._send({"id": self._count, "method": method, "params": params})
        while (message := self._received()).get("id") != self._count or "method" in message:
            if message.get("method") == "workspace/configuration":
                settings = [{"pythonPath": sys.executable} for _ in message["params"]["items"]]
                self._send({"id": message["id"], "result": settings})
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None})
        return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _received(self) -> dict[str, Any]:
        assert self._process.stdout
        size = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        message: dict[str, Any] = json.loads(self._process.stdout.read(size))
        return message


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LanguageServer]:
    started = LanguageServer(tmp_path)
    yield started
    started.close()


@pytest.mark.process
@pytest.mark.slow
def test_it_completes_what_the_specs_say(server: LanguageServer) -> None:
    server.open(HEAD + "".join(f"    {line.replace('|', '')}\n" for line in TYPED_SO_FAR))
    first = HEAD.count("\n")
    for number, (line, expected) in enumerate(TYPED_SO_FAR.items()):
        assert server.offers(first + number, 4 + line.index("|")) == expected, line
