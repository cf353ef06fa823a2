"""Branches of a workflow that run at once: those that another run could mix up are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from persona_block import Sandbox, flows
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox import Settings as SandboxSettings
from tests.support.flow_ports import People, choosing
from tests.support.flow_world import engine, started

TELL: dict[str, Any] = {"inputs": {}, "steps": [{"id": "tell", "host": "notify", "to": "#team", "text": "Hello"}]}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(settings=SandboxSettings(report_delay=0)) as made:
        yield made


async def _two_calls(reference_id: str) -> list[str]:
    account = (await flows.call("create_account", {"referenceId": reference_id}))["account"]
    inquiry = await flows.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, "accountId": account["id"]})
    return [account["id"], str(inquiry["inquiry"]["accountId"])]


async def _one_call(reference_id: str) -> str:
    return str((await flows.call("create_account", {"referenceId": reference_id}))["account"]["referenceId"])


async def _map_and_call(reference_id: str) -> str:
    await flows.map("create_account", [{"referenceId": f"{reference_id}-{number}"} for number in range(3)])
    return await _one_call(reference_id)


async def _ask(to: str) -> str:
    return str((await flows.ask(to, "Go on?", ["yes"])).answer)


async def _run(branch: str, names: list[str]) -> Any:
    functions: dict[str, Any] = {"two calls": _two_calls, "map": _map_and_call, "ask": _ask, "call": _one_call}
    functions["template"] = lambda _: flows.template(TELL, {})
    return await asyncio.gather(*(functions[branch](name) for name in names))


@DBOS.workflow(max_recovery_attempts=None)
async def branched(branch: str, names: list[str]) -> str:
    try:
        await _run(branch, names)
    except RuntimeError as error:
        return str(error)
    return "no error"


@pytest.mark.parametrize("branch", ["two calls", "map", "ask", "template"])
async def test_branches_that_could_be_mixed_up_are_refused(sqlite_database: str, sandbox: Sandbox, branch: str) -> None:
    async with engine(sqlite_database, sandbox, People(choosing("yes"))):
        for number, names in enumerate((["#a", "#b"], ["#c"])):
            told = await (await started(branched, f"wf-{number}", branch, names)).get_result()
            assert ("several steps at the same time" in told) == (len(names) > 1), told


@DBOS.workflow(max_recovery_attempts=None)
async def sound() -> list[Any]:
    gathered = await _run("call", ["a", "b", "c"])
    beside = asyncio.create_task(_one_call("beside"))
    await flows.notify("#team", "one")
    await flows.notify("#team", "two")
    helped = await asyncio.wait_for(_two_calls("helped"), 30)
    asked, called = await asyncio.gather(_ask("#team"), _one_call("while asking"))
    return [*gathered, await beside, helped[0] == helped[1], asked, called]


async def test_branches_whose_order_is_certain_are_let_through(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox, People(choosing("yes"))):
        told = await (await started(sound, "one")).get_result()
    assert told == ["a", "b", "c", "beside", True, "yes", "while asking"]
