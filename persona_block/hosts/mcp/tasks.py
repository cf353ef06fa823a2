"""Waiting as a task of the 2026-07-28 protocol's extension: a client is told at once, and looks again when it likes.

A client that declares `io.modelcontextprotocol/tasks` and calls a tool with `wait` gets a task in the place of the answer.
What the task gives in the end is the answer that the call would have given, after a longer wait. Others wait as before.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

from ..answer import ToolAnswer
from ..tool import WAIT, Tool

EXTENSION = "io.modelcontextprotocol/tasks"
"""The identifier that client and server declare."""
TASK_SECONDS = 30 * 60.0
"""How long a task waits; what has not ended by then is told as it is."""
KEPT_SECONDS = 3600.0
"""How long a task is kept from its beginning."""
POLL_SECONDS = 2.0
"""How often a client is asked to look."""
CALLER_TASKS = 20
"""How many tasks of one caller are kept; those that have ended make room, oldest first."""
ALL_TASKS = 1_000
"""How many tasks are kept in all."""

_log = logging.getLogger(__name__)
_Context = ServerRequestContext[Any, Any]


class CreatedTask(types.Result):
    """The answer to a call that goes on as a task."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: Literal["working"] = "working"
    created_at: str
    last_updated_at: str
    ttl_ms: int
    poll_interval_ms: int


class TaskParams(types.RequestParams):
    """Which task a request is about."""

    task_id: str


class UpdateParams(TaskParams):
    """Answers to what a task asked; these tasks ask nothing."""

    input_responses: dict[str, Any] = Field(default_factory=dict)


@dataclass
class _Task:
    task_id: str
    owner: str
    began: float
    created_at: str = field(default_factory=lambda: _now())
    updated_at: str = field(default_factory=lambda: _now())
    work: asyncio.Task[None] | None = None
    outcome: dict[str, Any] = field(default_factory=lambda: {"status": "working"})

    @property
    def has_ended(self) -> bool:
        return bool(self.outcome["status"] != "working")

    def end(self, **outcome: Any) -> None:
        self.outcome, self.updated_at = outcome, _now()


class Tasks:
    """The tasks of a server, each of them its caller's own."""

    def __init__(self, owner: Callable[[_Context], str]) -> None:
        self._owner = owner
        self._tasks: OrderedDict[str, _Task] = OrderedDict()

    def serve(self, server: Server[Any]) -> None:
        """Declare the extension, and answer its requests."""
        server.extensions[EXTENSION] = {}
        server.add_request_handler("tasks/get", TaskParams, self._get)
        server.add_request_handler("tasks/update", UpdateParams, self._update)
        server.add_request_handler("tasks/cancel", TaskParams, self._cancel)

    def takes(self, ctx: _Context, tool: Tool, arguments: Mapping[str, Any] | None) -> bool:
        """Return whether a call is answered with a task: it waits, its client knows tasks, and there is room for one more."""
        waits = WAIT in tool.host_arguments and (arguments or {}).get(WAIT) is True
        return bool(waits) and _knows_tasks(ctx) and self._has_room(self._owner(ctx))

    def begin(
        self, ctx: _Context, look: Callable[[], Awaitable[ToolAnswer]], result: Callable[[ToolAnswer], types.CallToolResult]
    ) -> CreatedTask:
        """Begin a task.

        look: waits a while and gives the answer, which says `more` where there is more to wait for. result: makes a tool's
        result of an answer.
        """
        task = _Task(secrets.token_urlsafe(24), self._owner(ctx), time.monotonic())
        self._tasks[task.task_id] = task
        task.work = asyncio.create_task(self._work(task, look, result))
        return CreatedTask(
            task_id=task.task_id,
            created_at=task.created_at,
            last_updated_at=task.updated_at,
            ttl_ms=int(KEPT_SECONDS * 1000),
            poll_interval_ms=int(POLL_SECONDS * 1000),
        )

    async def aclose(self) -> None:
        """Stop all work."""
        works = [task.work for task in self._tasks.values() if task.work and not task.work.done()]
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
        self._tasks.clear()

    async def _work(
        self, task: _Task, look: Callable[[], Awaitable[ToolAnswer]], result: Callable[[ToolAnswer], types.CallToolResult]
    ) -> None:
        try:
            answer = await look()
            while not answer.is_error and "more" in answer.data and time.monotonic() - task.began < TASK_SECONDS:
                answer = await look()
            task.end(status="completed", result=result(answer).model_dump(mode="json", by_alias=True, exclude_none=True))
        except asyncio.CancelledError:
            task.end(status="cancelled")
        except Exception as error:
            # Its text may hold anything, so neither a client nor a log gets to see it.
            _log.error("a task failed inside: %s", type(error).__name__)
            task.end(status="failed", error={"code": types.INTERNAL_ERROR, "message": "Internal error"})

    async def _get(self, ctx: _Context, params: TaskParams) -> dict[str, Any]:
        task = self._found(ctx, params.task_id)
        return {
            "resultType": "complete",
            "taskId": task.task_id,
            "createdAt": task.created_at,
            "lastUpdatedAt": task.updated_at,
            "ttlMs": int(KEPT_SECONDS * 1000),
            "pollIntervalMs": int(POLL_SECONDS * 1000),
            **task.outcome,
        }

    async def _update(self, ctx: _Context, params: UpdateParams) -> dict[str, Any]:
        self._found(ctx, params.task_id)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: _Context, params: TaskParams) -> dict[str, Any]:
        task = self._found(ctx, params.task_id)
        if task.work and not task.has_ended:
            task.work.cancel()
        return {"resultType": "complete"}

    def _found(self, ctx: _Context, task_id: str) -> _Task:
        """Return a task of the caller; raises MCPError for a client that does not know tasks, and for another's task."""
        if ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            raise MCPError(code=types.METHOD_NOT_FOUND, message="Method not found")
        if not _knows_tasks(ctx):
            needed: dict[str, Any] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
            message = "Missing required client capability"
            raise MCPError(code=types.MISSING_REQUIRED_CLIENT_CAPABILITY, message=message, data=needed)
        self._forget_old()
        task = self._tasks.get(task_id)
        if task is None or task.owner != self._owner(ctx):
            message = "There is no such task: it was kept for an hour, or the server was started anew."
            raise MCPError(code=types.INVALID_PARAMS, message=message)
        return task

    def _has_room(self, owner: str) -> bool:
        """Return whether a caller may begin another task, after making room where that can be done."""
        self._forget_old()
        owned = [task for task in self._tasks.values() if task.owner == owner]
        while len(owned) >= CALLER_TASKS or len(self._tasks) >= ALL_TASKS:
            candidates = owned if len(owned) >= CALLER_TASKS else list(self._tasks.values())
            ended = next((task for task in candidates if task.has_ended), None)
            if ended is None:
                return False
            del self._tasks[ended.task_id]
            owned = [task for task in owned if task is not ended]
        return True

    def _forget_old(self) -> None:
        """Drop the tasks that have been kept long enough; they come in the order in which they began."""
        while self._tasks and time.monotonic() - next(iter(self._tasks.values())).began > KEPT_SECONDS:
            _, task = self._tasks.popitem(last=False)
            if task.work:
                task.work.cancel()


def _knows_tasks(ctx: _Context) -> bool:
    """Return whether the client of a request declares the extension, in the protocol that has it."""
    capabilities = ctx.session.client_capabilities
    declared = (capabilities.extensions if capabilities else None) or {}
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and EXTENSION in declared


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
