"""Every example of an agent runs as it stands, against the offline Persona and a model provider that plays a script."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox
from persona_block.hosts import Toolbox
from tests.support.model_provider import Provider, provider
from tests.support.scripted_model import DONE, Script, ToolCall, all_in_review, changes, onboarding, one_call

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "agents").glob("*.py"))

END = "-- the run has ended --"
REPEAT = f"""
import runpy, sys
for _ in range(int(sys.argv[2])):
    runpy.run_path(sys.argv[1], run_name="__main__")
    print({END!r})
"""
"""Runs an example several times in one process, since importing a framework takes longer than the run."""


@dataclass(frozen=True)
class Run:
    """One run of an example: the model's script, and what the person types when asked."""

    script: Script
    word: str


@dataclass(frozen=True)
class Outcome:
    """What a run printed, what it changed, and what the model's provider was sent."""

    printed: str
    changed: list[tuple[str, str]]
    requests: list[str]


class InTurn:
    """The scripts of several runs, one after the other: a run begins where no tool has answered yet."""

    def __init__(self, runs: Sequence[Run], sandbox: Sandbox, requests: list[str]) -> None:
        self._coming = [run.script for run in runs]
        self._sandbox = sandbox
        self._requests = requests
        self.begins: list[tuple[int, int]] = []
        """How many effects and how many requests there were before each run."""

    def __call__(self, seen: Sequence[str]) -> ToolCall | str:
        if not seen:
            self.begins.append((len(self._sandbox.effects), len(self._requests) - 1))
            self._script = self._coming.pop(0)
        return self._script(seen)


async def play(example: Path, sandbox: Sandbox, runs: Sequence[Run]) -> tuple[list[Outcome], Provider]:
    """Run an example in a process of its own, as often as there are runs."""
    with provider() as model:
        model.script = script = InTurn(runs, sandbox, model.saw)
        async with sandbox.serve() as base_url:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                REPEAT,
                str(example),
                str(len(runs)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={
                    "PATH": os.environ["PATH"],
                    "PERSONA_API_KEY": sandbox.api_key,
                    "PERSONA_BASE_URL": base_url,
                    "ANTHROPIC_API_KEY": "none",
                    "ANTHROPIC_BASE_URL": model.origin,
                    "OPENAI_API_KEY": "none",
                    "OPENAI_BASE_URL": f"{model.origin}/v1",
                    "OPENAI_AGENTS_DISABLE_TRACING": "1",
                },
            )
            words = "".join(f"{run.word}\n" for run in runs)
            printed, complaint = await asyncio.wait_for(process.communicate(words.encode()), 60)
    assert process.returncode == 0, complaint.decode()
    *texts, rest = printed.decode().split(f"{END}\n")
    assert (len(texts), rest) == (len(runs), "")
    ends = [*script.begins[1:], (len(sandbox.effects), len(model.saw))]
    return [
        Outcome(text, changes(sandbox, effects, until_effects), model.saw[requests:until_requests])
        for text, (effects, requests), (until_effects, until_requests) in zip(texts, script.begins, ends, strict=True)
    ], model


@pytest.mark.process
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_does_what_a_person_agreed_to_and_nothing_else(example: Path, sandbox: Sandbox) -> None:
    oldest, *_, latest = all_in_review(sandbox)
    redaction = one_call("persona_redact_inquiry", inquiryId=oldest)
    runs = (Run(onboarding, "yes"), Run(onboarding, "no"), Run(redaction, "yes"), Run(redaction, oldest))
    (approval, refusal, yes_to_erasing, erasure), model = await play(example, sandbox, runs)

    assert f"Approve inquiry {latest}?" in approval.printed
    assert approval.printed.splitlines()[-1].endswith(DONE)
    assert [name for name, _ in approval.changed] == ["report/watchlist.created", "inquiry.approved"]
    assert approval.changed[-1] == ("inquiry.approved", latest)
    assert len(approval.requests) == 6

    assert "did not agree" in refusal.printed.splitlines()[-1]
    assert [name for name, _ in refusal.changed] == ["report/watchlist.created"]

    assert "did not agree" in yes_to_erasing.printed.splitlines()[-1]
    assert yes_to_erasing.changed == []

    assert f"To confirm, type {oldest}: " in erasure.printed
    assert erasure.changed == [("inquiry.redacted", oldest)]

    assert model.refused == []
    assert all(sandbox.api_key not in body for body in model.saw)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("operation", ["approve_inquiry", "redact_inquiry"])
def test_the_consent_of_an_example(example: Path, operation: str) -> None:
    """As the example defines it; its `asyncio.run` is left out."""
    typed = [""]
    names: dict[str, Any] = {"input": lambda _prompt: typed[-1]}
    exec(example.read_text("utf-8").replace("asyncio.run(main())", ""), names)
    request = Toolbox().bare_request(operation, {"inquiryId": "inq_1"})
    right = "inq_1" if operation == "redact_inquiry" else "yes"
    for word in ("yes", "no", "", "inq_1", "inq_2", f" {right} "):
        typed.append(word)
        assert names["consent"](request) is (word.strip() == right), word


def test_there_is_one_for_each_host() -> None:
    hosts = ("anthropic", "langchain", "openai", "openai_agents", "pydantic_ai")
    assert [path.stem for path in EXAMPLES] == [f"with_{host}" for host in hosts]
