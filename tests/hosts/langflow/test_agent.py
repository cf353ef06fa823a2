"""The operations as tools of Langflow's own agent: what is on at first, and what stops it at a decision."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

pytest.importorskip("lfx", reason="lfx is not installed here: make langflow runs these")

from lfx.load import aload_flow_from_json
from lfx.run.hitl import run_graph_with_human_input
from lfx.schema.message import Message

from persona_block.hosts.langflow import agent, running
from persona_block.hosts.langflow.canvas.persona.persona import PersonaComponent
from persona_block.hosts.langflow.fields import API_KEY, BASE_URL, SANDBOX
from persona_block.hosts.langflow.running import Connection, NodeError
from persona_block.sandbox import Sandbox
from persona_block.spec import catalog
from tests.hosts.langflow import scripted_model
from tests.hosts.langflow.documents import agent_flow

APPROVE = "persona_approve_inquiry"


class Outcome(NamedTuple):
    """How a run of the agent ended: what the model was told of its call, what a person was asked, what Persona changed."""

    told: str
    asked: list[dict[str, Any]]
    effects: list[str]


@pytest_asyncio.fixture
async def sandbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """A fresh offline Persona in the place of the server's."""
    with Sandbox(populate=True) as fresh:
        for module in (agent, running):
            monkeypatch.setattr(module, "embedded_sandbox", lambda: fresh)
        yield fresh


async def completed_inquiry(sandbox: Sandbox) -> str:
    async with sandbox.runner() as runner:
        listed = await runner.call("list_inquiries", {"status": "completed"})
    return str(listed["inquiries"][0]["id"])


async def outcome(sandbox: Sandbox, approvals: dict[str, list[str]], answer: str = "approve", name: str = APPROVE) -> Outcome:
    """Let the agent call a tool about a completed inquiry, with a person who always answers the same."""
    script: list[dict[str, Any]] = [
        {"text": "", "calls": [{"name": name, "args": {"inquiryId": await completed_inquiry(sandbox)}}]},
        {"text": "That is all."},
    ]
    graph = await aload_flow_from_json(agent_flow(script, approvals=approvals))
    graph.session_id = "a-session"
    asked: list[dict[str, Any]] = []

    def person(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"action_id": answer, "values": {}}

    scripted_model.SEEN.clear()
    before = len(sandbox.effects)
    await run_graph_with_human_input(graph, decision_provider=person, input_value="Decide about it.")
    return Outcome(
        scripted_model.SEEN[-1],
        asked,
        [effect.name for effect in sandbox.effects[before:] if effect.name.startswith("inquiry.")],
    )


async def test_reads_are_on_and_what_settles_needs_an_approval() -> None:
    component = PersonaComponent(sandbox=True)
    shown = await component.run_and_validate_update_outputs({"outputs": [], "template": {}}, "tool_mode", True)
    rows = shown["template"]["tools_metadata"]["value"]
    assert [row["display_name"] for row in rows] == [spec.title for spec in catalog.in_order_of_use()]
    for row, spec in zip(rows, catalog.in_order_of_use(), strict=True):
        assert row["name"] == spec.tool_id
        assert row["status"] == (spec.effect == "read")
        assert row["approval_actions"] == (["approve", "reject"] if spec.effect in ("decide", "erase") else [])
        assert set(spec.params) >= set(row["args"]) - {"maxItems", "wait", "outputFields"}


async def test_a_read_is_made_without_asking(sandbox: Sandbox) -> None:
    ended = await outcome(sandbox, {}, name="persona_get_inquiry")
    assert ended.asked == []
    assert '"status":"completed"' in ended.told
    assert "nobody was verified" in ended.told


async def test_a_person_is_asked_once_and_the_decision_is_made(sandbox: Sandbox) -> None:
    ended = await outcome(sandbox, {APPROVE: ["approve", "reject"]})
    assert [len(request["action_requests"]) for request in ended.asked] == [1]
    assert ended.asked[0]["action_requests"][0]["name"] == APPROVE
    assert ended.effects == ["inquiry.approved"]


async def test_a_person_who_rejects_stops_it(sandbox: Sandbox) -> None:
    ended = await outcome(sandbox, {APPROVE: ["approve", "reject"]}, answer="reject")
    assert len(ended.asked) == 1
    assert ended.effects == []


async def test_an_unticked_box_cannot_decide(sandbox: Sandbox) -> None:
    ended = await outcome(sandbox, {APPROVE: []})
    assert ended.asked == []
    assert ended.effects == []
    assert "did not ask a person" in ended.told


async def test_an_unticked_box_cannot_decide_beside_a_ticked_one(sandbox: Sandbox) -> None:
    ended = await outcome(sandbox, {APPROVE: [], "persona_decline_inquiry": ["approve", "reject"]})
    assert ended.asked == []
    assert ended.effects == []
    assert "did not ask a person" in ended.told


async def test_a_ticked_box_of_a_host_that_does_not_ask_cannot_decide(sandbox: Sandbox, tmp_path: Path) -> None:
    tools = {tool.name: tool for tool in agent.node_tools(lambda: Connection.of({SANDBOX: True}), tmp_path)}
    assert (tools[APPROVE].metadata or {})["approval_actions"]
    inquiry_id = await completed_inquiry(sandbox)
    before = len(sandbox.effects)
    told = await tools[APPROVE].ainvoke({"inquiryId": inquiry_id})
    assert "did not ask a person" in str(told)
    assert len(sandbox.effects) == before


async def test_a_tool_that_is_off_is_not_there(sandbox: Sandbox) -> None:
    ended = await outcome(sandbox, {}, name="persona_update_inquiry")
    assert ended.effects == []
    assert "not a valid tool" in ended.told


@pytest.mark.parametrize(("given", "words"), [("of the\nnode", "copy the key again"), ("", "has no Persona API key")])
async def test_a_node_never_uses_another_key_or_address_than_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, words: str
) -> None:
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)
    tools = {tool.name: tool for tool in agent.node_tools(lambda: Connection.of({API_KEY: given}), tmp_path)}
    if given:
        monkeypatch.setenv("PERSONA_API_KEY", "persona_sandbox_of_the_server")
    told = str(await tools["persona_get_inquiry"].ainvoke({"inquiryId": "inq_1"}))
    assert told.startswith("Nothing was sent.")
    assert words in told


def test_a_node_with_a_wired_address_is_no_tools() -> None:
    component = PersonaComponent(sandbox=True)
    with pytest.raises(NodeError, match="takes no wire"):
        component.set_attributes({BASE_URL: Message(text="https://elsewhere.example")})
