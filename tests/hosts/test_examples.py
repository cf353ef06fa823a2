"""Every example of an agent runs as it stands, against the offline Persona and a model provider that plays a script."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox
from persona_block.hosts import Toolbox
from tests.support.model_provider import Provider, provider
from tests.support.scripted_model import DONE, changes, in_review, onboarding, one_call

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "agents").glob("*.py"))
LOOPS = [path for path in EXAMPLES if path.stem in ("with_anthropic", "with_openai")]
"""The ones without a framework, which no other test plays through the provider's own library."""


async def play(example: Path, sandbox: Sandbox, model: Provider, word: str) -> str:
    async with sandbox.serve() as base_url:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(example),
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
        said, complaint = await asyncio.wait_for(process.communicate(f"{word}\n".encode()), 60)
    assert process.returncode == 0, complaint.decode()
    return said.decode()


@pytest.mark.process
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_approves_what_a_person_approved(example: Path, sandbox: Sandbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    with provider(onboarding) as model:
        said = await play(example, sandbox, model, "yes")
    assert f"Approve inquiry {inquiry}?" in said
    assert said.splitlines()[-1].endswith(DONE)
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created", "inquiry.approved"]
    assert changes(sandbox, before)[-1] == ("inquiry.approved", inquiry)
    assert model.refused == []
    assert len(model.saw) == 6
    assert all(sandbox.api_key not in body for body in model.saw)


@pytest.mark.process
@pytest.mark.parametrize("example", LOOPS, ids=lambda path: path.stem)
async def test_a_loop_does_nothing_that_a_person_refused(example: Path, sandbox: Sandbox) -> None:
    before = len(sandbox.effects)
    with provider(onboarding) as model:
        said = await play(example, sandbox, model, "no")
    assert "did not agree" in said.splitlines()[-1]
    assert [name for name, _ in changes(sandbox, before)] == ["report/watchlist.created"]


@pytest.mark.process
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_erases_what_a_person_named(example: Path, sandbox: Sandbox) -> None:
    inquiry, before = in_review(sandbox), len(sandbox.effects)
    with provider(one_call("persona_redact_inquiry", inquiryId=inquiry)) as model:
        said = await play(example, sandbox, model, inquiry)
    assert f"To confirm, type {inquiry}: " in said
    assert changes(sandbox, before) == [("inquiry.redacted", inquiry)]


@pytest.mark.process
@pytest.mark.parametrize("example", LOOPS, ids=lambda path: path.stem)
async def test_a_loop_does_not_erase_on_a_yes(example: Path, sandbox: Sandbox) -> None:
    before = len(sandbox.effects)
    with provider(one_call("persona_redact_inquiry", inquiryId=in_review(sandbox))) as model:
        said = await play(example, sandbox, model, "yes")
    assert "did not agree" in said.splitlines()[-1]
    assert changes(sandbox, before) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("operation", ["approve_inquiry", "redact_inquiry"])
def test_the_consent_of_an_example(example: Path, operation: str) -> None:
    """As the example defines it; its `asyncio.run` is left out."""
    typed = [""]
    names: dict[str, Any] = {"input": lambda _prompt: typed[-1]}
    exec(example.read_text("utf-8").replace("asyncio.run(main())", ""), names)
    request = Toolbox().consent_request(operation, {"inquiryId": "inq_1"})
    right = "inq_1" if operation == "redact_inquiry" else "yes"
    for word in ("yes", "no", "", "inq_1", "inq_2", f" {right} "):
        typed.append(word)
        assert names["consent"](request) is (word.strip() == right), word


def test_there_is_one_for_each_host() -> None:
    hosts = ("anthropic", "langchain", "openai", "openai_agents", "pydantic_ai")
    assert [path.stem for path in EXAMPLES] == [f"with_{host}" for host in hosts]
