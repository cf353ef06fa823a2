"""Campaigns: a flow for each row, at most once, shared by workers of which one dies, within Persona's limit."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from persona_block import InputError, Sandbox
from persona_block.flows import connect
from persona_block.flows.campaign import campaign
from persona_block.flows.overview import counts
from persona_block.sandbox import TEMPLATES
from persona_block.sandbox import Settings as SandboxSettings
from persona_block.sandbox.serving.faults import Faults
from tests.support.budget import budget
from tests.support.flow_workers import CALLS_A_ROW, DOCUMENT, until, worker
from tests.support.postgres import Cluster

CONSTANTS = {"inquiryTemplateId": TEMPLATES.inquiry}
ROWS = int(os.environ.get("FLOW_CAMPAIGN_ROWS", 0)) or budget(small=60, full=1000)
LIMIT, WINDOW = 300, budget(small=2, full=5)
"""Calls that Persona allows in a window, of so many seconds: scaled from 60 s."""


def items(folder: Path, *lines: str) -> Path:
    path = folder / "items.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


# --- rows ------------------------------------------------------------------------------------------------------------------


def test_a_row_keeps_its_flow(tmp_path: Path) -> None:
    whole = campaign("spring", DOCUMENT, items(tmp_path, "referenceId", "c-1", "c-2", "", "c-1"), CONSTANTS)
    assert [row.inputs["referenceId"] for row in whole.rows] == ["c-1", "c-2"]
    assert whole.repeated == 1
    assert all(workflow_id.startswith(whole.prefix) for workflow_id, _ in whole.runs())
    # The same rows in another order, with one more, are the same flows; in another campaign they are others.
    longer = campaign("spring", DOCUMENT, items(tmp_path, "referenceId", "c-3", "c-2", "c-1"), CONSTANTS)
    ids = {workflow_id for workflow_id, _ in whole.runs()}
    assert ids < {workflow_id for workflow_id, _ in longer.runs()}
    other = campaign("autumn", DOCUMENT, items(tmp_path, "referenceId", "c-1"), CONSTANTS)
    assert ids.isdisjoint(workflow_id for workflow_id, _ in other.runs())


def test_a_row_that_was_mended_is_the_same_by_its_key(tmp_path: Path) -> None:
    def ids(template: str, **options: Any) -> list[str]:
        path = items(tmp_path, "referenceId,inquiryTemplateId", f"c-1,{template}")
        return [row.workflow_id for row in campaign("spring", DOCUMENT, path, **options).rows]

    assert ids("itmpl_1", row_key="referenceId") == ids("itmpl_2", row_key="referenceId")
    assert ids("itmpl_1") != ids("itmpl_2")


@pytest.mark.parametrize(
    ("lines", "options", "problem"),
    [
        (["Jane Doe", "Ann Poe"], {}, "--items: the heading of column 1 is no input of the workflow"),
        (["referenceId", "c-1,Planted"], {}, "row 1: has 2 cells under 1 headings"),
        (["referenceId", '"c-1'], {}, "--items: is not a CSV file"),
        (["referenceId"], {}, "--items: has no row below its headings"),
        (["referenceId,referenceId", "c-1,c-2"], {}, "--items: has the heading of column 2 before it, too"),
        (["referenceId", "c-1"], {"row_key": "Planted"}, "--row-key: must be the heading of a column of the file"),
        (["referenceId", "c-1", " "], {"constants": {}}, "row 1: inputs.inquiryTemplateId is required"),
    ],
)
def test_faults_of_a_file_are_told_without_what_it_holds(
    tmp_path: Path, lines: list[str], options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InputError) as raised:
        campaign("spring", DOCUMENT, items(tmp_path, *lines), **{"constants": CONSTANTS, **options})
    told = [f"{each.param}: {each.message}" for each in raised.value.problems]
    assert any(each.startswith(problem) for each in told), told
    assert not any(word in each for each in told for word in ("Jane", "Poe", "Planted", "c-2"))


# --- workers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("disturbance", ["killed", *(["restarted"] if budget(small=0, full=1) else [])])
def test_workers_share_a_campaign(cluster: Cluster, tmp_path: Path, disturbance: str) -> None:
    """One of two is killed for good, or Postgres is restarted: all rows are done, none twice, and the limit holds."""
    logging.getLogger("dbos").setLevel(logging.ERROR)
    database = cluster.database()
    rows = campaign("c", DOCUMENT, items(tmp_path, "referenceId", *(f"c-{each}" for each in range(ROWS))), CONSTANTS)
    settings = SandboxSettings(rate_limit=LIMIT, rate_window=WINDOW)
    faults = Faults(0.05, ["reset-before", "reset-after", "html-502", "html-502-after"])
    with Sandbox(settings=settings, faults=faults) as sandbox, sandbox.serve_in_thread() as base_url:

        def created() -> int:
            return sum(effect.name == "inquiry.created" for effect in sandbox.effects)

        client = connect(database)
        with (
            worker(database, base_url, sandbox.api_key) as first,
            worker(database, base_url, sandbox.api_key) as second,
        ):
            began = time.monotonic()
            asyncio.run(client.start_many(DOCUMENT, rows.runs()))
            starting, before = time.monotonic() - began, len(sandbox.requests)
            until(lambda: created() > ROWS // 4, 60)
            shares = executors(client.connections)
            busiest = max(shares, key=lambda name: shares[name])
            if disturbance == "killed":
                (first if busiest == "executor-1" else second).kill()
            else:
                cluster.stop()
                cluster.start()
            allowed = (ROWS * CALLS_A_ROW / LIMIT) * WINDOW * 3 + 60

            def all_ended() -> bool:
                try:
                    standing = asyncio.run(counts(client, rows.prefix))
                except sa.exc.DBAPIError:
                    return False
                return standing["done"] + standing["failed"] == ROWS

            until(all_ended, allowed)
            assert [first.poll(), second.poll()].count(None) == (1 if disturbance == "killed" else 2)
            standing = asyncio.run(counts(client, rows.prefix))
        client.close()
        requests, effects = sandbox.requests, sandbox.effects
    assert standing["done"] == ROWS
    assert len(shares) == 2 or ROWS < 1000
    assert Counter(effect.name for effect in effects)["inquiry.created"] == ROWS
    references = Counter(request.path for request in requests if request.path.endswith("/generate-one-time-link"))
    assert len(references) == ROWS
    assert [request for request in requests if request.status == 429] == []
    since = requests[before:]
    wall = (since[-1].at - since[0].at) / 1000
    ideal = (len(since) / LIMIT) * WINDOW
    told = f"then {len(since)} requests in {wall:.1f} s, where the limit allows {ideal:.1f} s"
    print(f"{ROWS} rows started in {starting:.1f} s; {told}")
    if disturbance == "killed" and ROWS >= 1000:
        assert starting < 5 or ROWS > 1000
        assert wall < 1.15 * ideal


def executors(connections: sa.Engine) -> Counter[str]:
    """Return how many flows each process runs or ran."""
    with connections.connect() as connection:
        query = "SELECT executor_id FROM dbos.workflow_status WHERE status IN ('PENDING', 'SUCCESS')"
        return Counter(str(name) for name in connection.execute(sa.text(query)).scalars())
