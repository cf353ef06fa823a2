"""Servers on the offline Persona, and clients of both eras of the protocol that answer when they are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
from mcp import Client
from mcp.server import Server

from persona_block import Runner, Sandbox
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options

ERAS = ("legacy", "auto")
"""The handshake, and the stateless protocol that a client finds by itself."""


def options(sandbox: Sandbox, **chosen: Any) -> Options:
    """All operations against the sandbox, unless chosen otherwise."""

    def runner(files: Any) -> Runner:
        return Runner(base_url=sandbox.base_url, transport=sandbox.transport, files=files)

    return Options(**{"selection": Selection.of(), "runner": runner, **chosen})


class Person:
    """Answers every question alike, and remembers what was asked."""

    def __init__(self, action: str = "accept", answer: Any = True) -> None:
        self.asked: list[types.ElicitRequestFormParams] = []
        self._action = action
        self._answer = answer

    async def __call__(self, context: Any, params: Any) -> types.ElicitResult:
        self.asked.append(params)
        content = {"confirm": self._answer} if self._action == "accept" else None
        return types.ElicitResult.model_validate({"action": self._action, "content": content})


@asynccontextmanager
async def connected(server: Server[Any], era: str, person: Person | None = None) -> AsyncIterator[Client]:
    """A client of a server in this process; without a person it cannot ask anybody."""
    async with Client(server, mode=era, elicitation_callback=person) as client:
        yield client


def text(result: types.CallToolResult) -> str:
    """The text of a result's first block."""
    block = result.content[0]
    assert isinstance(block, types.TextContent)
    return block.text


def first(sandbox: Sandbox, status: str) -> str:
    """The id of some inquiry of a status."""
    return next(
        each.resource_id for each in reversed(sandbox.effects) if each.resource_id[:4] == "inq_" and _is(sandbox, each, status)
    )


def _is(sandbox: Sandbox, effect: Any, status: str) -> bool:
    last = [each for each in sandbox.effects if each.resource_id == effect.resource_id][-1]
    return bool(last.status == status)


Ask = Callable[..., Any]
