"""Flows as whoever runs them sees them: which there are, how each stands, and what it did step by step.

Nothing personal is in what this gives unless it is asked for: texts of questions and outputs of steps are left out.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ..errors import InputError, Problem
from .client import FlowClient
from .tables import Question, Waiter

STATES = ("queued", "running", "waiting", "done", "failed", "cancelled")
"""How a flow may stand; it is waiting where it waits for Persona or for a person."""

_STATE_OF = {
    "ENQUEUED": "queued",
    "DELAYED": "queued",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
_BATCH = 500
_ENGINE_STEP = re.compile(r"DBOS\.")
"""The beginning of the names of the engine's own steps, such as the wait for a message."""
_LABEL = re.compile(r"(?P<name>[^\[#:]+)(?P<use>#\d+)?(?:\[(?P<index>\d+)\])?(?P<look>: look)?")


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow as a whole; times are in seconds since the epoch.

    title: the name of its document or workflow. state: one of STATES. executor_id: the process that runs it.
    waits: for what it waits at Persona. questions: those that are open.
    """

    workflow_id: str
    title: str
    state: str
    created_at: float
    ended_at: float | None
    executor_id: str | None
    waits: tuple[Waiter, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def waiting_steps(self) -> set[str]:
        """The labels of the steps that it waits in."""
        return {each.step for each in self.waits} | {each.step for each in self.questions}


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step that was begun; times are in seconds since the epoch.

    label: such as `link`, or `print[3]` for an entry of a list. looks: how often it looked while it waited.
    tries: how often it was tried. error: the kind of its error; None where it went well. output: what it gave.
    """

    label: str
    began_at: float
    ended_at: float | None
    looks: int = 0
    tries: int = 1
    error: str | None = None
    output: Any = field(default=None, repr=False)


@dataclass(slots=True)
class FlowStep:
    """A step of a flow's document, or a step's name in a program: what was taken of it, oldest first."""

    name: str
    does: str
    taken: list[StepTaken] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class History:
    """A flow and what it did. inputs: those it was started with; error: the text of what made it fail."""

    flow: Flow
    steps: tuple[FlowStep, ...]
    inputs: Mapping[str, Any] = field(repr=False)
    error: str | None = field(default=None, repr=False)


async def flows_of(client: FlowClient, *, prefix: str | None = None, limit: int = 100, offset: int = 0) -> list[Flow]:
    """Return flows, newest first. prefix: what their ids begin with."""
    waits, questions = await asyncio.gather(client.waiting(), client.questions())
    found = await client.dbos.list_workflows_async(
        limit=limit, offset=offset, sort_desc=True, workflow_id_prefix=prefix, load_output=False
    )
    return [_flow(status, waits, questions) for status in found]


async def flows_by_id(client: FlowClient, workflow_ids: Sequence[str]) -> dict[str, Flow]:
    """Return those of some flows that were started, by their ids."""
    waits, questions = await asyncio.gather(client.waiting(), client.questions())
    by_flow: dict[str, tuple[list[Waiter], list[Question]]] = defaultdict(lambda: ([], []))
    for waiter in waits:
        by_flow[waiter.workflow_id][0].append(waiter)
    for question in questions:
        by_flow[question.workflow_id][1].append(question)
    found: dict[str, Flow] = {}
    for start in range(0, len(workflow_ids), _BATCH):
        batch = list(workflow_ids[start : start + _BATCH])
        statuses = await client.dbos.list_workflows_async(workflow_ids=batch, load_input=False, load_output=False)
        found |= {each.workflow_id: _flow(each, *by_flow[each.workflow_id]) for each in statuses}
    return found


async def history(client: FlowClient, workflow_id: str) -> History:
    """Return a flow and its steps; raises InputError where there is no such flow."""
    found = await client.dbos.list_workflows_async(workflow_ids=[workflow_id])
    if not found:
        raise InputError("flow", [Problem("flow", "there is no flow of this id in the database")])
    waits, questions = await asyncio.gather(client.waiting(workflow_id), client.questions(workflow_id))
    taken = await client.dbos.list_workflow_steps_async(workflow_id)
    document, inputs = _arguments(found[0])
    error = found[0].error
    return History(
        _flow(found[0], waits, questions), tuple(_steps(document, taken)), inputs, None if error is None else str(error)
    )


async def counts(client: FlowClient, prefix: str) -> dict[str, int]:
    """Return how many flows whose ids begin so stand how, by state."""
    return await asyncio.to_thread(_counts, client.connections, prefix)


def _counts(connections: sa.Engine, prefix: str) -> dict[str, int]:
    schema = None if connections.dialect.name == "sqlite" else "dbos"
    status = sa.table("workflow_status", sa.column("workflow_uuid", sa.Text), sa.column("status"), schema=schema)
    found = dict.fromkeys(STATES, 0)
    is_of = status.c.workflow_uuid.startswith(prefix, autoescape=True)
    with connections.connect() as connection:
        query = sa.select(status.c.status, sa.func.count()).where(is_of).group_by(status.c.status)
        for name, number in connection.execute(query).all():
            found[_STATE_OF.get(str(name), "running")] += int(number)
        found["waiting"] = min(found["running"], len(_waiting_ids(connection, prefix)))
    found["running"] -= found["waiting"]
    return found


def _waiting_ids(connection: sa.Connection, prefix: str) -> set[str]:
    ids: set[str] = set()
    for name, condition in (("persona_flow_waits", None), ("persona_flow_questions", "answered_at")):
        table = sa.table(name, sa.column("workflow_id", sa.Text), sa.column("answered_at"))
        query = sa.select(table.c.workflow_id).where(table.c.workflow_id.startswith(prefix, autoescape=True))
        if condition:
            query = query.where(table.c.answered_at.is_(None))
        ids |= set(connection.execute(query).scalars())
    return ids


def _flow(status: Any, waits: list[Waiter], questions: list[Question]) -> Flow:
    its_waits = tuple(each for each in waits if each.workflow_id == status.workflow_id)
    its_questions = tuple(each for each in questions if each.workflow_id == status.workflow_id and each.answered_at is None)
    state = _STATE_OF.get(status.status, "running")
    if state not in ("running", "queued"):
        its_waits, its_questions = (), ()
    document, _ = _arguments(status)
    return Flow(
        workflow_id=status.workflow_id,
        title=str(document.get("name") or document.get("title") or status.name),
        state="waiting" if state == "running" and (its_waits or its_questions) else state,
        created_at=(status.created_at or 0) / 1000,
        ended_at=None if status.completed_at is None else status.completed_at / 1000,
        executor_id=status.executor_id,
        waits=its_waits,
        questions=its_questions,
    )


def _arguments(status: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the document and the inputs that a template's workflow was started with; empty for another workflow."""
    arguments: list[Any] = list((status.input or {}).get("args") or ())
    if len(arguments) == 2 and all(isinstance(each, Mapping) for each in arguments) and "steps" in arguments[0]:
        return arguments[0], arguments[1]
    return {}, {}


def _steps(document: Mapping[str, Any], taken: list[Any]) -> list[FlowStep]:
    steps = {
        step["id"]: FlowStep(step["id"], str(step.get("operation") or step.get("host"))) for step in document.get("steps", ())
    }
    for each in taken:
        label = str(each["function_name"])
        match = _LABEL.fullmatch(label)
        if _ENGINE_STEP.match(label) or match is None:
            continue
        step = steps.setdefault(match["name"], FlowStep(match["name"], ""))
        own = label.removesuffix(": look")
        before = next((one for one in step.taken if one.label == own), None)
        made = _taken(own, each, looks=int(bool(match["look"])))
        if before is None:
            step.taken.append(made)
        else:
            step.taken[step.taken.index(before)] = StepTaken(
                own,
                before.began_at,
                made.ended_at,
                before.looks + made.looks,
                max(before.tries, made.tries),
                made.error or before.error,
                before.output if made.output is None else made.output,
            )
    return list(steps.values())


def _taken(label: str, step: Any, looks: int) -> StepTaken:
    stored = step["output"] if isinstance(step["output"], Mapping) else {}
    error = stored["error"].get("kind") if isinstance(stored.get("error"), Mapping) else None
    if error is None and step["error"] is not None:
        error = type(step["error"]).__name__
    began, ended = step["started_at_epoch_ms"], step["completed_at_epoch_ms"]
    return StepTaken(
        label,
        (began or 0) / 1000,
        None if ended is None else ended / 1000,
        looks,
        int(stored.get("tries", 1)),
        error,
        stored.get("output"),
    )
