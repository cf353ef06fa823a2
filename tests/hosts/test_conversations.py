"""A held conversation in each host, word for word as its model and its person see it.

The snapshots in tests/hosts/snapshots are read by eye when they change: PERSONA_SNAPSHOTS=write writes them anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from persona_block import Sandbox
from persona_block.hosts import ConsentRequest
from tests.support.frameworks import DRIVERS
from tests.support.frameworks.driver import TASK, Driver, Setup
from tests.support.scripted_model import DONE, Script, ToolCall, onboarding

SNAPSHOTS = Path(__file__).parent / "snapshots"
IDS = re.compile(r"\b(inq|act|ver|rep|iqse|doc|self|case|req)_[0-9A-Za-z]{20,}")
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def stable(text: str) -> str:
    """Return a text without what is another in every run: times, and ids, which are numbered by their first appearance."""
    numbers: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        return f"{match[1]}_{numbers.setdefault(match[0], len(numbers) + 1)}"

    return TIMES.sub("<time>", IDS.sub(numbered, text))


def recording(lines: list[str], script: Script) -> Script:
    """Return a script that writes down what the model says and is told."""

    def play(seen: object) -> ToolCall | str:
        assert isinstance(seen, list | tuple)
        told = sum(line.startswith("TOOL") for line in lines)
        lines.extend(f"TOOL\n{each}" for each in list(seen)[told:])
        turn = script(seen)
        said = f"MODEL\n{turn}" if isinstance(turn, str) else f"MODEL\n{turn.name} {turn.json}"
        if lines[-1:] != [said]:
            lines.append(said)
        return turn

    return play


@pytest.mark.slow
@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
async def test_a_conversation_word_for_word(driver: type[Driver], sandbox: Sandbox) -> None:
    lines = [f"TASK\n{TASK}"]

    def consent(request: ConsentRequest) -> bool:
        lines.append(f"PERSON IS ASKED\n{request.message}\n{request.prompt}")
        return True

    setup = Setup(sandbox, consent=None if driver.asks else consent)
    async with driver(setup, recording(lines, onboarding)) as agent:
        turn = await agent.start()
        if driver.asks:
            lines.append(f"PERSON IS ASKED\n{turn.question}")
            turn = await agent.answer(True)
    assert turn.words == DONE
    held = stable("\n\n".join(lines)) + "\n"
    path = SNAPSHOTS / f"{driver.name}.txt"
    if os.environ.get("PERSONA_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(held, "utf-8")
    assert held == path.read_text("utf-8"), "read what changed, then write it anew with PERSONA_SNAPSHOTS=write"
    assert sandbox.api_key not in held
