"""The manifest's workflow templates, each run durably from start to end: on its usual way, and on another one."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block import InputError, Sandbox, WaitTimedOut, flows, manifest
from persona_block.flows.checker import output_spec
from persona_block.sandbox import Settings as SandboxSettings
from persona_block.typed import CreateInquiryParams
from tests.support.budget import budget
from tests.support.flow_ports import People, Shelf, choosing
from tests.support.flow_world import engine, result, writes

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


# --- documents of one's own ------------------------------------------------------------------------------------------------


MAKE: dict[str, Any] = {
    "id": "make",
    "operation": "create_inquiry",
    "params": {"inquiryTemplateId": "{input.template}", "note": "{input.note}"},
}
WAIT: dict[str, Any] = {"id": "end", "operation": "get_inquiry", "params": {"inquiryId": "{make.inquiry.id}"}, "wait": True}
ASK: dict[str, Any] = {"id": "ask", "host": "ask", "to": "#reviews", "text": "Approve?", "options": ["yes", "no"]}


def document(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"inputs": {"template": {"type": "string"}, "note": {"type": "string"}}, "steps": [MAKE, *steps]}


def inputs(sandbox: Sandbox, note: str = "A note") -> dict[str, Any]:
    return {"template": sandbox.templates.inquiry, "note": note}


@pytest.mark.parametrize(
    ("step", "given"),
    [
        ({**WAIT, "timeout": {"seconds": 1, "then": "continue"}}, "created"),
        ({**WAIT, "timeout": {"seconds": 1, "then": "fail"}}, WaitTimedOut),
        ({**ASK, "timeout": {"seconds": 1, "answer": "no"}}, {"answer": "no", "comment": None}),
        ({**ASK, "timeout": {"seconds": 1, "answer": None}}, WaitTimedOut),
    ],
    ids=str,
)
async def test_a_step_that_times_out_does_what_the_document_says(
    sqlite_database: str, sandbox: Sandbox, step: dict[str, Any], given: Any
) -> None:
    # A clock that runs faster than the flow's own waiting, which takes real time.
    begun = time.time()

    def clock() -> float:
        return begun + (time.time() - begun) * 10

    async with engine(sqlite_database, sandbox, first_poll=0.05, clock=clock):
        if given is WaitTimedOut:
            with pytest.raises(WaitTimedOut):
                await flows.template(document(step), inputs(sandbox))
            return
        results = await flows.template(document(step), inputs(sandbox))
    assert results[step["id"]] == given or results[step["id"]]["inquiry"]["status"] == given


@pytest.mark.parametrize(
    ("to", "note", "refused"),
    [
        ("{make.inquiry.note}", "attacker@example.com", True),
        ("{make.inquiry.note}", "https://attacker.example.com", True),
        ("#team-{make.inquiry.note}", "x", True),
        ("{make.inquiry.note}", "customer-1042", False),
        ("{input.note}", "jane@example.com", False),
    ],
)
async def test_what_persona_answered_names_no_target_but_a_contact(
    sqlite_database: str, sandbox: Sandbox, to: str, note: str, refused: bool
) -> None:
    people = People()
    step = {"id": "tell", "host": "notify", "to": to, "text": "Hello"}
    async with engine(sqlite_database, sandbox, people):
        if refused:
            with pytest.raises(InputError, match="contact"):
                await flows.template(document(step), inputs(sandbox, note))
        else:
            await flows.template(document(step), inputs(sandbox, note))
    assert [target for target, _, _ in people.sent] == ([] if refused else [note])


async def test_a_place_for_files_is_never_computed(sqlite_database: str, sandbox: Sandbox) -> None:
    shelf = Shelf()
    step = {"id": "keep", "host": "store", "content": {"a": 1}, "to": "{make.inquiry.note}", "text": "Data"}
    async with engine(sqlite_database, sandbox, shelf=shelf):
        with pytest.raises(InputError, match="names no place"):
            await flows.template(document(step), inputs(sandbox, "memory://elsewhere"))
    assert shelf.kept == {}


async def test_a_document_with_problems_is_refused_before_anything_runs(sqlite_database: str, sandbox: Sandbox) -> None:
    faulty = document({"id": "get", "operation": "get_inquiri", "params": {"inquiryId": "{make.inquiry.key}"}})
    async with engine(sqlite_database, sandbox) as running:
        with pytest.raises(InputError) as error:
            await flows.template(faulty, {"note": 3}, workflow_id="one")
        with pytest.raises(InputError):
            await running.client.start(faulty, {"note": 3}, "one")
        listed = await asyncio.to_thread(running.client.dbos.list_workflows)
    assert {problem.param for problem in error.value.problems} == {
        "steps[1].operation",
        "steps[1].params.inquiryId",
        "inputs.template",
        "inputs.note",
    }
    assert listed == []
    assert writes(sandbox) == []


async def test_an_id_starts_a_flow_once(sqlite_database: str, sandbox: Sandbox) -> None:
    async with engine(sqlite_database, sandbox):
        first = await flows.template(document(), inputs(sandbox), workflow_id="row-1")
        assert await flows.start_template(document(), inputs(sandbox), workflow_id="row-1") == "row-1"
        assert await flows.template(document(), inputs(sandbox), workflow_id="row-1") == first
    assert writes(sandbox).count("inquiry.created") == 1
