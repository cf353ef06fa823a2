"""The manifest's workflow templates, each run durably from start to end: on its usual way, and on another one."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox, flows, manifest
from persona_block.flows.checker import output_spec
from persona_block.sandbox import Settings as SandboxSettings
from persona_block.typed import CreateInquiryParams
from tests.support.budget import budget
from tests.support.flow_ports import People, Shelf, choosing
from tests.support.flow_world import engine, result

TEMPLATES: dict[str, dict[str, Any]] = {template["name"]: template for template in manifest()["templates"]}
ONBOARD = TEMPLATES["onboard-customer"]

USUAL = {
    "onboard-customer": "keep",
    "send-link-and-wait": "tell",
    "route-by-outcome": "hold",
    "screen-before-activation": "clean",
    "rescreen-customer": "screen",
    "post-pending-reviews": "post",
    "work-through-reviews": "approved",
    "archive-approved": "keep",
    "build-case-file": "files",
    "import-customers": "done",
    "keep-account-in-step": "update",
    "honour-deletion-request": "entry",
    "purge-declined": "report",
    "weekly-case-digest": "digest",
    "revive-expired": "send",
    "close-abandoned": "close",
    "choose-template-and-start": "hand",
}
"""A step that each template reaches on its usual way."""

OTHER = {
    "onboard-customer": ("decline", "keep"),
    "send-link-and-wait": ("tell", "nothing"),
    "route-by-outcome": ("refuse", "hold"),
    "screen-before-activation": ("judge", "clean"),
    "rescreen-customer": ("alarm", "nothing"),
    "post-pending-reviews": ("pending", "post"),
    "work-through-reviews": ("noted", "approved"),
    "archive-approved": ("approved", "keep"),
    "build-case-file": ("data", "nothing"),
    "import-customers": ("warn", "done"),
    "keep-account-in-step": ("create", "update"),
    "honour-deletion-request": ("unknown", "erase"),
    "purge-declined": ("confirm", "erase"),
    "weekly-case-digest": ("digest", "nothing"),
    "revive-expired": ("expired", "send"),
    "close-abandoned": ("agree", "close"),
    "choose-template-and-start": ("hand", "nothing"),
}
"""A step that each template reaches on another way, and one that then does nothing."""


WAYS = [
    ("sqlite", True),
    ("sqlite", False),
    pytest.param("postgres", True, marks=pytest.mark.process),
    pytest.param("postgres", False, marks=pytest.mark.process),
][: budget(small=1, full=4)]
"""The databases, and whether a template takes its usual way there."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings=SandboxSettings(report_delay=0, import_delay=0)) as made:
        yield made


async def prepare(sandbox: Sandbox, name: str, folder: Path, *, usual: bool) -> dict[str, Any]:
    """Make what a template works on, and return its inputs: the examples, with ids and values that exist."""
    ids, template = sandbox.templates, TEMPLATES[name]
    csv = folder / "customers.csv"
    csv.write_text(f"reference_id,name_first\ncustomer-1,{'Ada' if usual else 'ImportError'}\n")
    async with sandbox.runner() as runner:
        inquiries = {}
        outcomes = {"Finished": "pass", "Waiting": "review", "Failed": "fail"}
        if not usual and name == "post-pending-reviews":
            del outcomes["Waiting"]
        for person, outcome in outcomes.items():
            params: CreateInquiryParams = {
                "inquiryTemplateId": ids.inquiry,
                "referenceId": person,
                "fields": {"name-first": "Jane"},
            }
            made = (await runner.call("create_inquiry", params))["inquiry"]
            inquiries[person] = made
            sandbox.complete(made["id"], outcome)
        if usual and name == "archive-approved":
            await runner.call("approve_inquiry", {"inquiryId": inquiries["Finished"]["id"]})
        if name == "purge-declined":
            await runner.call("decline_inquiry", {"inquiryId": inquiries["Finished"]["id"]})
        if name in ("revive-expired", "close-abandoned"):
            left = await runner.call("create_inquiry", {"inquiryTemplateId": ids.inquiry, "referenceId": "left"})
            if name == "revive-expired" and usual:
                await runner.call("expire_inquiry", {"inquiryId": left["inquiry"]["id"]})
        cases = (await runner.call("list_cases", {}))["cases"]
    matching = "Watchlist Hit" if not usual else "Jane Q Doe"
    known = {
        "inquiryTemplateId": ids.inquiry,
        "reportTemplateId": ids.watchlist,
        "watchlistTemplateId": ids.watchlist,
        "mediaTemplateId": ids.adverse_media,
        "officeTemplateId": ids.politically_exposed_person,
        "inquiryId": inquiries["Finished" if usual else "Failed"]["id"],
        "caseId": cases[0]["id"] if cases else "",
        "accountId": inquiries["Finished"]["accountId"],
        "referenceId": "Finished" if usual or name not in ("keep-account-in-step", "honour-deletion-request") else "nobody",
        "file": str(csv),
        "fullName": matching,
        "since": "2020-01-01T00:00:00Z",
        "before": "2999-01-01T00:00:00Z",
        "weekStart": "2020-01-01T00:00:00Z",
    }
    return {each: copy.deepcopy(known.get(each, shape["examples"][0])) for each, shape in template["inputs"].items()}


async def play(sandbox: Sandbox, running: flows.Engine, outcome: str) -> None:
    """Play the applicant of a flow's own inquiry, once it waits for them."""
    while True:
        for waiting in await running.client.waiting():
            inquiries = [effect for effect in sandbox.effects if effect.name == "inquiry.created"]
            if waiting.resource_id in {effect.resource_id for effect in inquiries[3:]}:
                sandbox.complete(waiting.resource_id, outcome)
                return
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", sorted(TEMPLATES))
@pytest.mark.parametrize(("database", "usual"), WAYS, indirect=["database"])
async def test_a_template_runs_durably(database: str, sandbox: Sandbox, tmp_path: Path, name: str, usual: bool) -> None:
    inputs = await prepare(sandbox, name, tmp_path, usual=usual)
    choices = {"onboard-customer": "decline", "work-through-reviews": "leave"}
    refusing = {"purge-declined": "keep", "close-abandoned": "keep", "screen-before-activation": "block"}
    option = "approve" if usual else {**choices, **refusing}.get(name, "keep")
    erasing = usual and name in ("honour-deletion-request", "purge-declined")
    option = "erase" if erasing else "expire" if usual and name == "close-abandoned" else option
    people, shelf = People(choosing(option)), Shelf()
    async with engine(database, sandbox, people, shelf, first_poll=0.05, files=str(tmp_path / "work")) as running:
        playing = asyncio.create_task(play(sandbox, running, "pass" if usual else "review"))
        results = await flows.template(TEMPLATES[name], inputs, workflow_id="one")
        playing.cancel()
        assert await result("one") == results
    reached, idle = (USUAL[name], "nothing") if usual else OTHER[name]
    assert results.get(reached, []) != []
    assert results.get(idle, []) == []
    for step in TEMPLATES[name]["steps"]:
        if "operation" in step and step["id"] in results:
            given = results[step["id"]]
            for output in given if isinstance(given, list) else [given]:
                assert set(output) - {"item"} == set(output_spec(step).output), step["id"]
    assert len({dedupe_id for _, _, dedupe_id in people.sent}) == len(people.sent)
