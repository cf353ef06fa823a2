"""Servers on the offline Persona, and clients of both eras of the protocol that answer when they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import mcp_types as types
import pytest
from mcp import Client
from mcp.server import Server

from persona_block import Runner, Sandbox
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options

Action = Literal["accept", "decline", "cancel"]
"""What a person does with a question."""

ERAS = ("legacy", "auto")
"""The handshake, and the stateless protocol that a client finds by itself."""


def options(sandbox: Sandbox, **chosen: Any) -> Options:
    """Return the options of a server with all operations against the sandbox, unless chosen otherwise."""

    def runner(files: Any) -> Runner:
        return Runner(base_url=sandbox.base_url, transport=sandbox.transport, files=files)

    return Options(**{"selection": Selection.of(), "runner": runner, **chosen})


class Person:
    """Answers every question alike, and remembers what was asked."""

    def __init__(self, action: Action = "accept", answer: Any = True) -> None:
        self.questions: list[types.ElicitRequestFormParams] = []
        self._action = action
        self._answer = answer

    async def __call__(self, *context_and_params: Any, **_: Any) -> types.ElicitResult:
        self.questions.append(context_and_params[1])
        content = {"confirm": self._answer} if self._action == "accept" else None
        return types.ElicitResult.model_validate({"action": self._action, "content": content})


@asynccontextmanager
async def connected(server: Server[Any], era: str, person: Person | None = None) -> AsyncIterator[Client]:
    """A client of a server in this process; without a person it cannot ask anybody."""
    async with Client(server, mode=era, elicitation_callback=person) as client:
        yield client


def text(result: types.CallToolResult) -> str:
    """Return the text of a result's first block."""
    block = result.content[0]
    assert isinstance(block, types.TextContent)
    return block.text


def first(sandbox: Sandbox, status: str) -> str:
    """Return the id of the inquiry that came to a status first, and is in it still."""
    latest = {effect.resource_id: effect.status for effect in sandbox.effects if effect.resource_id.startswith("inq_")}
    return next(inquiry for inquiry, latest_status in latest.items() if latest_status == status)


class Hanging:
    """A Persona that never answers, and knows when nobody waits for it any more."""

    def __init__(self) -> None:
        self._started, self._ended = asyncio.Event(), asyncio.Event()

    def runner(self, files: Any) -> Runner:
        """Return a runner that calls it."""
        return Runner(base_url="https://persona.test", transport=httpx.MockTransport(self._answer), files=files)

    async def cancel(self, client: Client) -> None:
        """Call a tool, cancel the call while it waits, and see that the server waits no longer."""
        call = asyncio.create_task(client.call_tool("persona_get_account", {"accountId": "act_1"}))
        await asyncio.wait_for(self._started.wait(), 10)
        call.cancel()
        await asyncio.wait_for(self._ended.wait(), 10)
        with pytest.raises(asyncio.CancelledError):
            await call

    async def _answer(self, _request: httpx.Request) -> httpx.Response:
        self._started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self._ended.set()
        raise AssertionError("nobody waits an hour")
