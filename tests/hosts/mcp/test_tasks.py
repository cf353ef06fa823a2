"""Waiting as a task: who gets one, what it gives in the end, and that it is its caller's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.shared.exceptions import MCPError

from persona_block import Runner
from persona_block.hosts import Selection
from persona_block.hosts.mcp import Options, create_server
from persona_block.hosts.mcp.tasks import ALL_TASKS, CALLER_TASKS, EXTENSION, CreatedTask, TaskParams, Tasks
from tests.support.mcp_servers import connected, text

CALL: dict[str, Any] = {"reportId": "rep_1", "wait": True}


class GetTask(types.Request[TaskParams, Literal["tasks/get"]]):
    """Asks how a task stands."""

    method: Literal["tasks/get"] = "tasks/get"
    name_param = "taskId"


class CancelTask(types.Request[TaskParams, Literal["tasks/cancel"]]):
    """Stops a task."""

    method: Literal["tasks/cancel"] = "tasks/cancel"
    name_param = "taskId"


class TaskState(types.Result):
    """How a task stands."""

    task_id: str
    status: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Extension(ClientExtension):
    """A client's part: it takes a task and looks until that has ended."""

    identifier = EXTENSION

    def __init__(self) -> None:
        self.created: list[CreatedTask] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=CreatedTask, resolve=self._resolve)]

    async def _resolve(self, created: CreatedTask, ctx: ClaimContext) -> types.CallToolResult:
        self.created.append(created)
        state = await look(ctx.session, created.task_id)
        while state.status == "working":
            await asyncio.sleep(0.01)
            state = await look(ctx.session, created.task_id)
        return types.CallToolResult.model_validate(state.result)


async def look(session: Any, task_id: str) -> TaskState:
    """Return how a task stands."""
    state: TaskState = await session.send_request(GetTask(params=TaskParams(task_id=task_id)), TaskState)
    return state


class Persona:
    """A Persona whose report is ready once it is told so."""

    def __init__(self) -> None:
        self.is_ready = False
        self.calls = 0

    def runner(self, files: Any) -> Runner:
        """Return a runner that calls it."""
        return Runner(base_url="https://persona.test", transport=httpx.MockTransport(self._answer), files=files)

    async def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.calls += 1
        attributes = {"status": "ready" if self.is_ready else "pending", "has-match": False if self.is_ready else None}
        return httpx.Response(200, json={"data": {"type": "report/watchlist", "id": "rep_1", "attributes": attributes}})


@pytest.fixture
def persona(monkeypatch: pytest.MonkeyPatch) -> Persona:
    """A Persona at which a call waits for a moment alone."""
    monkeypatch.setattr("persona_block.hosts.toolbox.WAIT_SECONDS", 0.05)
    monkeypatch.setattr("persona_block.hosts.toolbox.GRACE_SECONDS", 0.05)
    return Persona()


@asynccontextmanager
async def client_of(persona: Persona, extension: ClientExtension | None) -> AsyncIterator[Client]:
    """A client of a server on this Persona."""
    server = create_server(Options(Selection.of(), runner=persona.runner), api_key="k")
    async with Client(server, mode="auto", extensions=[extension] if extension else []) as client:
        yield client


async def test_a_task_waits_for_longer_than_a_call(persona: Persona) -> None:
    extension = Extension()
    async with client_of(persona, extension) as client:
        call = asyncio.create_task(client.call_tool("persona_get_report", CALL))
        while persona.calls < 3:  # noqa: ASYNC110 - the next look at the report is all there is to wait for
            await asyncio.sleep(0.01)
        persona.is_ready = True
        result = await asyncio.wait_for(call, 20)
    assert result.structured_content["report"]["status"] == "ready"
    assert text(result).startswith("report rep_1 report/watchlist ready, hasMatch false")
    (created,) = extension.created
    assert (created.ttl_ms, created.poll_interval_ms, len(created.task_id)) == (3_600_000, 2_000, 32)


async def test_who_knows_no_tasks_waits_as_before(persona: Persona) -> None:
    async with client_of(persona, None) as client:
        result = await client.call_tool("persona_get_report", CALL)
        assert result.structured_content["more"] == "It has not ended yet. Call persona_get_report with wait again."
        with pytest.raises(MCPError) as raised:
            await look(client.session, "x")
    assert raised.value.error.code == types.MISSING_REQUIRED_CLIENT_CAPABILITY
    server = create_server(Options(Selection.of(), runner=persona.runner), api_key="k")
    async with connected(server, "legacy") as old:
        assert "more" in (await old.call_tool("persona_get_report", CALL)).structured_content
        with pytest.raises(MCPError) as raised:
            await look(old.session, "x")
    assert raised.value.error.code == types.METHOD_NOT_FOUND


async def test_what_does_not_wait_or_is_wrong_is_answered_at_once(persona: Persona) -> None:
    extension = Extension()
    async with client_of(persona, extension) as client:
        assert (await client.call_tool("persona_get_report", {"reportId": "rep_1"})).structured_content["report"]
        assert (await client.call_tool("persona_get_report", {"wait": True})).is_error
        assert (await client.call_tool("persona_get_report", CALL | {"wait": False})).structured_content["report"]
    assert extension.created == []


async def test_a_task_can_be_stopped(persona: Persona) -> None:
    async with client_of(persona, Extension()) as client:
        created = await client.session.call_tool("persona_get_report", CALL, allow_claimed=True)
        assert isinstance(created, CreatedTask)
        await client.session.send_request(CancelTask(params=TaskParams(task_id=created.task_id)), types.EmptyResult)
        await asyncio.sleep(0.05)
        assert (await look(client.session, created.task_id)).status == "cancelled"
        calls = persona.calls
        await asyncio.sleep(0.2)
        assert persona.calls == calls


async def test_an_error_of_the_tool_is_how_the_task_was_completed(persona: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"errors": [{"title": "Record not found"}]})

    monkeypatch.setattr(persona, "_answer", answer)
    async with client_of(persona, Extension()) as client:
        result = await client.call_tool("persona_get_report", CALL)
    assert result.is_error


class Context:
    """What a task knows of a request."""

    protocol_version = "2026-07-28"

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.session = self
        self.client_capabilities = types.ClientCapabilities(extensions={EXTENSION: {}})


async def test_a_task_is_its_callers_own_and_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from persona_block.hosts.tool import load_tool

    tasks = Tasks(lambda ctx: str(getattr(ctx, "caller", "")))
    tool, never = load_tool("get_report"), asyncio.Event()

    async def hang() -> Any:
        await never.wait()

    mine, theirs = Context("mine"), Context("theirs")

    def begin(context: Any) -> CreatedTask | None:
        return tasks.begin(context, hang, lambda answer: answer) if tasks.takes(context, tool, CALL) else None  # type: ignore[arg-type,return-value]

    created = [begin(mine) for _ in range(CALLER_TASKS + 1)]
    assert created[-1] is None
    assert created[0]
    assert begin(theirs)
    get: Any = tasks._get  # noqa: SLF001
    with pytest.raises(MCPError, match="no such task"):
        await get(theirs, TaskParams(task_id=created[0].task_id))
    assert (await get(mine, TaskParams(task_id=created[0].task_id)))["status"] == "working"
    monkeypatch.setattr("persona_block.hosts.mcp.tasks.KEPT_SECONDS", -1.0)
    with pytest.raises(MCPError, match="no such task"):
        await get(mine, TaskParams(task_id=created[0].task_id))
    assert ALL_TASKS > CALLER_TASKS
    await tasks.aclose()
