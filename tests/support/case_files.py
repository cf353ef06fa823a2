"""The case files: for every operation what goes in, what is sent, what comes back and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec

FOLDER = Path(__file__).resolve().parents[1] / "cases"
API_KEY = "persona_sandbox_case-file-key"


@dataclass(frozen=True)
class Case:
    """One example of one operation."""

    operation: str
    name: str
    params: dict[str, Any]
    request: dict[str, Any]
    response: dict[str, Any]
    output: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.operation}: {self.name}"

    @property
    def spec(self) -> ToolSpec:
        """The operation's spec."""
        return catalog.load(self.operation)

    @property
    def file_output(self) -> str | None:
        """The name of the output that is a file, or None."""
        return self.spec.file_source[0] if self.spec.file_source else None

    def live_params(self) -> dict[str, Any]:
        """Return the params as a caller gives them, which is a file's content as bytes."""
        files = {name: self.params[name] for name in self.params if self.spec.params[name].format == "file"}
        return self.params | {name: file | {"content": file["content"].encode()} for name, file in files.items()}

    def reply(self) -> httpx.Response:
        """Return Persona's answer."""
        headers = {"Request-Id": "req_Case1"}
        if "body" in self.response:
            return httpx.Response(self.response["status"], json=self.response["body"], headers=headers)
        headers["Content-Type"] = self.response["mediaType"]
        return httpx.Response(self.response["status"], content=self.response["text"].encode(), headers=headers)


def operations_with_cases() -> set[str]:
    """Return the names of all case files."""
    return {path.stem for path in FOLDER.glob("*.json")}


def cases() -> Iterator[Case]:
    """Yield every case of every file."""
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            yield Case(operation=path.stem, **case)


class Recorder:
    """A transport that answers with one reply and keeps what was sent."""

    def __init__(self, reply: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._reply = reply
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._reply
