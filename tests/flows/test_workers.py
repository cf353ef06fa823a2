"""Workers of one Postgres: what one that died leaves is taken over; their share of the limit; spans; and a full disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opentelemetry.trace
import pytest
import sqlalchemy as sa
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from persona_block import PersonaError, Sandbox, flows
from persona_block.call import pacing
from persona_block.call.pacing import Pacer
from persona_block.flows import workers
from persona_block.flows.database import claim, open_database
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox import Settings as SandboxSettings
from tests.support.flow_ports import People
from tests.support.flow_world import engine, result, until
from tests.support.postgres import Cluster

DOCUMENT: dict[str, Any] = {
    "inputs": {"referenceId": {"type": "string"}, "inquiryTemplateId": {"type": "string"}},
    "steps": [
        {
            "id": "start",
            "operation": "create_inquiry",
            "params": {"inquiryTemplateId": "{input.inquiryTemplateId}", "referenceId": "{input.referenceId}"},
        },
        {"id": "tell", "host": "notify", "to": "#team", "text": "{start.inquiry.id}"},
        *({"id": f"read{n}", "operation": "get_inquiry", "params": {"inquiryId": "{start.inquiry.id}"}} for n in range(8)),
    ],
}
INPUTS = {"referenceId": "Planted", "inquiryTemplateId": TEMPLATES.inquiry}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(settings=SandboxSettings(report_delay=0)) as made:
        yield made


@pytest.mark.process
async def test_a_worker_takes_over_what_a_dead_one_left(
    cluster: Cluster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT", 0.1)
    monkeypatch.setattr(workers, "GRACE", 0.5)
    database = cluster.database()
    async with engine(database, sandbox, executor_id="dead") as running:
        await running.client.start(DOCUMENT, INPUTS, "one")
        await result("one")
        # It is as if the process had been killed before it noted the end.
        with running.client.connections.begin() as connection:
            connection.execute(
                sa.text("UPDATE dbos.workflow_status SET status = 'PENDING', completed_at = NULL, output = NULL")
            )
    connections = open_database(database)
    living = claim(connections, "dead")
    async with engine(database, sandbox, executor_id="alive") as running:
        await asyncio.sleep(1.2)
        (flow,) = await running.client.dbos.list_workflows_async()
        assert (flow.status, flow.executor_id) == ("PENDING", "dead"), "one that lives keeps its flows"
        living.release()
        assert await asyncio.wait_for(result("one"), 20)
        (flow,) = await running.client.dbos.list_workflows_async()
        assert flow.executor_id == "alive"
    connections.dispose()
    assert sum(effect.name == "inquiry.created" for effect in sandbox.effects) == 1


@pytest.mark.process
async def test_the_limit_is_divided_among_those_who_live(
    cluster: Cluster, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT", 0.05)
    connections = open_database(cluster.database())
    async with engine(connections.url.render_as_string(hide_password=False), sandbox) as running:
        its_claim = claim(connections, None)
        other = workers.Workforce(connections, its_claim, running.client.dbos)

        def told() -> int:
            return _room(300)

        async def is_half() -> bool:
            return told() == 150

        async def are_two() -> bool:
            await asyncio.to_thread(other.look)
            return other.processes == 2

        await until(are_two)
        await until(is_half)
        pacing.share_among(1)
        attending = asyncio.create_task(other.attend())
        await until(is_half)
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)

        async def is_whole() -> bool:
            return told() == 299

        await until(is_whole)
    its_claim.release()
    connections.dispose()
    assert _room(300) == 299


def _room(limit: int) -> int:
    """Return how many calls a new pacer lets through in a window of so many, after the one that told of it."""
    pacer = Pacer()
    with pacer.try_admit() as ticket:  # type: ignore[union-attr]
        ticket.answered({"RateLimit-Limit": str(limit), "RateLimit-Remaining": str(limit - 1), "RateLimit-Reset": "60"})
    admitted = 0
    while not isinstance(pacer.try_admit(), float):
        admitted += 1
    return admitted + (1 if admitted < limit - 1 else 0)


async def test_a_step_is_a_span_without_anything_personal(
    sqlite_database: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(opentelemetry.trace, "get_tracer", provider.get_tracer)
    async with engine(sqlite_database, sandbox):
        await flows.template(DOCUMENT, INPUTS, workflow_id="one")
        failing = {**DOCUMENT, "steps": DOCUMENT["steps"][:2]}
        with pytest.raises(PersonaError):
            await flows.template(failing, {**INPUTS, "inquiryTemplateId": "itmpl_Gone"}, workflow_id="two")
    told = {
        (each.name, (each.attributes or {})["persona.flow.outcome"]): each
        for each in spans.get_finished_spans()
        if "flow" in each.name
    }
    step = told["flow step start", "done"]
    assert (step.attributes or {})["persona.flow.id"] == "one"
    assert any(name == "flow step start" and outcome != "done" for name, outcome in told)
    call = next(each for each in spans.get_finished_spans() if each.name == "persona create_inquiry")
    assert call.parent is not None
    assert call.parent.span_id in {each.context.span_id for each in spans.get_finished_spans() if each.context}
    assert "Planted" not in "".join(each.to_json() for each in spans.get_finished_spans())


async def test_a_full_disk_is_waited_out(
    sqlite_database: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing can be started meanwhile, no value is told, and what was under way goes on where it was."""
    monkeypatch.setattr("persona_block.flows.step.FIRST_PAUSE", 0.1)
    people, pages = People(), 1_000_000
    made = engine(sqlite_database, sandbox, people)

    async with made as running:

        @sa.event.listens_for(running.client.connections, "checkout")
        def bound(connection: Any, _record: Any, _proxy: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}")

        with running.client.connections.connect() as connection:
            used = connection.exec_driver_sql("PRAGMA page_count").scalar()
        await flows.start_template(DOCUMENT, INPUTS, workflow_id="one")
        pages, long = int(used or 0), {**INPUTS, "referenceId": "Secret" * 500}
        with pytest.raises(sa.exc.OperationalError) as raised:
            await running.client.start_many(DOCUMENT, [(f"more-{number}", long) for number in range(9)])
        assert "disk is full" in str(raised.value)
        assert "Secret" not in str(raised.value)
        await asyncio.sleep(0.5)
        states = {each.workflow_id: each.status for each in await running.client.dbos.list_workflows_async()}
        pages = 1_000_000
        assert await asyncio.wait_for(result("one"), 20)
    assert states["one"] != "ERROR"
    assert len(people.texts) >= 1
    assert "Secret" not in caplog.text
    assert sum(effect.name == "inquiry.created" for effect in sandbox.effects) <= 10
