"""The case files: for every operation what goes in, what is sent, what comes back and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

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

    def live_params(self) -> dict[str, Any]:
        """The params as a caller gives them: a file's content as bytes."""
        file = self.params.get("file")
        return self.params if file is None else self.params | {"file": file | {"content": file["content"].encode()}}

    def reply(self) -> httpx.Response:
        """Persona's answer."""
        headers = {"Request-Id": "req_Case1"}
        if "body" in self.response:
            return httpx.Response(self.response["status"], json=self.response["body"], headers=headers)
        headers["Content-Type"] = self.response["mediaType"]
        return httpx.Response(self.response["status"], content=self.response["text"].encode(), headers=headers)


def operations_with_cases() -> set[str]:
    """The names of all case files."""
    return {path.stem for path in FOLDER.glob("*.json")}


def cases() -> Iterator[Case]:
    """Every case of every file."""
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
