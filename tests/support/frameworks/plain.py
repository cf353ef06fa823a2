"""A loop of one's own over `dispatch`, as with a model provider's API; only the toolbox's `consent` can ask there."""

from __future__ import annotations

from typing import Any

from persona_block.hosts import anthropic_tools, dispatch, openai_tools
from tests.support.frameworks.driver import Driver, Setup, Turn
from tests.support.scripted_model import Script


class PlainDriver(Driver):
    """The loop."""

    name = "plain"
    asks = False
    is_resumable = False
    takes_text = True
    calls_directly = True

    def __init__(self, setup: Setup, script: Script) -> None:
        super().__init__(setup, script)
        self._saw: list[str] = []

    @property
    def saw(self) -> list[str]:
        return [*self._saw, repr(anthropic_tools(self.toolbox)), repr(openai_tools(self.toolbox))]

    async def offered(self) -> list[str]:
        return [tool["name"] for tool in openai_tools(self.toolbox)]

    async def start(self, key_carrier: Any = None) -> Turn:
        assert key_carrier is None, "a loop hands its key to the toolbox"
        seen: list[str] = []
        while not isinstance(turn := self.play(seen), str):
            seen.append((await dispatch(turn.name, turn.json, toolbox=self.toolbox)).content)
        self._saw += seen
        return Turn(turn)
