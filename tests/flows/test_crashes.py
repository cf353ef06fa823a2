"""Flows whose process is killed: each ends as if nothing had happened, and does nothing twice that a key guards."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox, manifest
from persona_block.sandbox import Settings as SandboxSettings
from tests.support.budget import budget
from tests.support.flow_deploy import deploy, deploy_carelessly
from tests.support.flow_process import Phase, Play, run

pytestmark = pytest.mark.process

DOCUMENTS: dict[str, dict[str, Any]] = {template["name"]: template for template in manifest()["templates"]}
PHASES: tuple[Phase, ...] = ("before", "inside", "after")
LARGEST = 40
"""More steps than any of these flows makes."""

FLOWS = [("onboard-customer", "approve"), ("screen-before-activation", "clear"), ("honour-deletion-request", "erase")]
DATABASES = ["sqlite", "postgres"]
CASES = [(*flow, kind) for kind in DATABASES for flow in FLOWS][: budget(small=1, full=6)]


@contextmanager
def world(database: str, folder: Path, name: str, option: str) -> Iterator[tuple[Sandbox, Play]]:
    """Give a sandbox that serves and plays its applicants, and a play of a flow on it."""
    with Sandbox(settings=SandboxSettings(report_delay=0)) as sandbox, sandbox.serve_in_thread() as base_url:
        ids = sandbox.templates
        if name == "honour-deletion-request":
            import asyncio

            async def prepare() -> None:
                async with sandbox.runner() as runner:
                    await runner.call("create_inquiry", {"inquiryTemplateId": ids.inquiry, "referenceId": "customer-1042"})

            asyncio.run(prepare())
        known = {
            "inquiryTemplateId": ids.inquiry,
            "reportTemplateId": ids.watchlist,
            "watchlistTemplateId": ids.watchlist,
            "mediaTemplateId": ids.adverse_media,
            "officeTemplateId": ids.politically_exposed_person,
            "fullName": "Watchlist Hit" if name == "screen-before-activation" else "Jane Q Doe",
        }
        document = DOCUMENTS[name]
        inputs = {each: known.get(each, shape["examples"][0]) for each, shape in document["inputs"].items()}
        options = {"files": str(folder / "work")}
        play = Play(database, base_url, sandbox.api_key, folder / "record", document, inputs, option, options)
        ended = threading.Event()
        playing = threading.Thread(target=_play_applicants, args=(sandbox, ended), daemon=True)
        playing.start()
        try:
            yield sandbox, play
        finally:
            ended.set()
            playing.join()


def _play_applicants(sandbox: Sandbox, ended: threading.Event) -> None:
    """Play each applicant once they have a link."""
    played: set[str] = set()
    while not ended.is_set():
        for request in sandbox.requests:
            inquiry_id = request.path.rpartition("/generate-one-time-link")[0].rpartition("/")[2]
            if inquiry_id and inquiry_id not in played and request.status < 300:
                played.add(inquiry_id)
                sandbox.complete(inquiry_id)
        time.sleep(0.01)


def outcome(sandbox: Sandbox, play: Play, results: Any) -> tuple[Any, Any, Any]:
    """Return what a flow did, without what differs from run to run: its steps, the writes, and what its people were given."""
    steps = {name: len(result) if isinstance(result, list) else 1 for name, result in results.items()}
    effects = Counter(effect.name for effect in sandbox.effects)
    return steps, effects, {line["dedupeId"] for line in play.lines()}


@pytest.mark.parametrize(("name", "option", "kind"), CASES)
def test_a_killed_flow_ends_as_if_undisturbed(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, option: str, kind: str
) -> None:
    from tests.flows.conftest import new_database

    def play_once(number: int | None, phase: Phase, folder: Path) -> tuple[Any, Any, Any] | None:
        folder.mkdir()
        with world(new_database(request, kind, folder), folder, name, option) as (sandbox, play):
            results = run(play, number, phase)
            was_killed = results is None
            if was_killed:
                results = run(play)
            repeated = [each for each, count in Counter(line["dedupeId"] for line in play.lines()).items() if count > 1]
            assert len(repeated) <= (1 if was_killed and phase == "inside" else 0)
            return outcome(sandbox, play, results) if was_killed or number is None else None

    undisturbed = play_once(None, "before", tmp_path / "undisturbed")
    points = 0
    for number in range(1, LARGEST):
        ends = [play_once(number, phase, tmp_path / f"{number}-{phase}") for phase in PHASES if _is_tried(number, phase)]
        if ends and None in ends:
            break
        assert all(end == undisturbed for end in ends), f"killed at step {number}"
        points += len(ends)
    assert points >= budget(small=2, full=12)


def _is_tried(number: int, phase: Phase) -> bool:
    """Return whether a point is tried: with a small budget two of them."""
    return bool(budget(small=0, full=1)) or (number, phase) in ((1, "inside"), (8, "before"))


@pytest.mark.parametrize("kind", DATABASES[: budget(small=1, full=2)])
def test_a_flow_that_waits_outlives_a_deploy(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    """The document that a flow began with is in its input, and the version of the interpreter in its name."""
    from tests.flows.conftest import new_database

    waiting_for_the_applicant = 5
    ends = []
    for folder, change in ((tmp_path / "same", None), (tmp_path / "deployed", deploy)):
        folder.mkdir()
        name, option = FLOWS[0]
        with world(new_database(request, kind, folder), folder, name, option) as (sandbox, play):
            assert run(play, waiting_for_the_applicant, "after") is None
            ends.append(outcome(sandbox, play, run(play, change=change)))
            assert not any("deploy" in line.get("to", "") for line in play.lines())
    assert ends[0] == ends[1]


def test_a_step_under_the_old_name_would_break_it(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    from tests.flows.conftest import new_database

    name, option = FLOWS[0]
    with world(new_database(request, "sqlite", tmp_path), tmp_path, name, option) as (_, play):
        assert run(play, 5, "after") is None
        with pytest.raises(AssertionError, match="start was recorded when notify was expected"):
            run(play, change=deploy_carelessly)
