"""A client of the MCP server in both eras of the protocol, whose person answers when the test says so."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import mcp_types as types
from mcp import Client

from persona_block import Runner
from persona_block.hosts.mcp import Options, create_server
from tests.support.frameworks.driver import Driver, Setup, Turn
from tests.support.mcp_servers import text
from tests.support.scripted_model import Script

AGREED = types.ElicitResult(action="accept", content={"confirm": True})
DECLINED = types.ElicitResult(action="decline")


class McpDriver(Driver):
    """An agent behind a client: it lists the tools, then makes the model's calls."""

    takes_consent = False
    is_local = False
    is_resumable = False
    shows_data = True
    era: ClassVar[str]

    def __init__(self, setup: Setup, script: Script) -> None:
        super().__init__(setup, script)
        self._saw: list[str] = []
        self._run: asyncio.Task[str] | None = None

    async def __aexit__(self, *exception: object) -> None:
        if self._run and not self._run.done():
            self._run.cancel()
            await asyncio.wait([self._run])
        await super().__aexit__(*exception)

    @property
    def saw(self) -> list[str]:
        return self._saw

    async def offered(self) -> list[str]:
        async with self._client() as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    async def start(self, key_carrier: Any = None) -> Turn:
        assert key_carrier is None, "the server holds the key"
        self._questions: asyncio.Queue[str] = asyncio.Queue()
        self._words: asyncio.Queue[bool] = asyncio.Queue()
        self._run = asyncio.create_task(self._converse())
        return await self._turn(self._run)

    async def answer(self, approved: bool) -> Turn:
        assert self._run is not None
        self._words.put_nowait(approved)
        return await self._turn(self._run)

    async def _turn(self, run: asyncio.Task[str]) -> Turn:
        question = asyncio.create_task(self._questions.get())
        await asyncio.wait({run, question}, return_when=asyncio.FIRST_COMPLETED)
        if question.done():
            return Turn(question=question.result())
        question.cancel()
        return Turn(run.result())

    def _client(self) -> Client:
        def runner(_files: Any) -> Runner:
            return self.setup.runner()

        api_key = self.setup.sandbox.api_key if self.setup.api_key is None else self.setup.api_key
        server = create_server(Options(self.setup.selection, runner=runner), api_key=api_key)
        return Client(server, mode=self.era, elicitation_callback=self._ask)

    async def _converse(self) -> str:
        async with self._client() as client:
            self._saw.append(repr(await client.list_tools()))
            seen: list[str] = []
            while not isinstance(turn := self.play(seen), str):
                result = await client.call_tool(turn.name, turn.arguments)
                self._saw.append(repr(result))
                data = result.structured_content
                self.saw_errors += [data["error"]] if "error" in data else []
                seen.append(text(result))
            return turn

    async def _ask(self, *context_and_params: Any, **_: Any) -> types.ElicitResult:
        self._questions.put_nowait(context_and_params[1].message)
        return AGREED if await self._words.get() else DECLINED


class LegacyMcpDriver(McpDriver):
    """The handshake era, in which a client is asked while its call waits."""

    name = "mcp-legacy"
    era = "legacy"


class StatelessMcpDriver(McpDriver):
    """The stateless era, in which a client makes its call again with the answer."""

    name = "mcp-stateless"
    era = "auto"
