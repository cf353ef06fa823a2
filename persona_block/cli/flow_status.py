"""The command `flow status`: a flow as a tree of its steps, or the newest flows, without personal values unless asked for."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .exits import SUCCESS
from .flow_options import with_client
from .output import print_json
from .tables import print_table
from .terminal import can_write, print_lines

if TYPE_CHECKING:
    from ..flows import FlowClient
    from ..flows.overview import Flow, FlowStep, History, StepTaken

_NEWEST = 50
"""Flows that are listed."""
_BRANCHES = {True: ("├─ ", "└─ ", "│  ", "   "), False: ("+- ", "`- ", "|  ", "   ")}
"""The lines of a tree, for a terminal that has them and for one that has not."""


def status(arguments: argparse.Namespace) -> int:
    """Show a flow, or list the newest."""

    async def act(client: FlowClient) -> int:
        from ..flows.overview import flows_of, history

        if arguments.flow is None:
            found = await flows_of(client, limit=_NEWEST)
            if arguments.json:
                print_json([_flow_json(each, values=arguments.values) for each in found])
            else:
                rows = [(each.workflow_id, each.title, each.state, moment(each.created_at), waits_for(each)) for each in found]
                print_table(("flow", "workflow", "state", "since (UTC)", "waits for"), rows)
            return SUCCESS
        told = await history(client, arguments.flow)
        if arguments.json:
            print_json(_history_json(told, values=arguments.values))
        else:
            print_lines(*tree(told, values=arguments.values))
        return SUCCESS

    return with_client(arguments, act)


def tree(told: History, *, values: bool) -> Iterator[str]:
    """Yield the lines of a flow's tree."""
    flow = told.flow
    last_time = f", ended {moment(flow.ended_at)}" if flow.ended_at else ""
    yield f"{flow.title}  {flow.workflow_id}: {flow.state}, started {moment(flow.created_at)} UTC{last_time}"
    if values:
        for name, value in told.inputs.items():
            yield f"  {name} = {value}"
    branch, last, line, blank = _BRANCHES[can_write("├─└│")]
    for position, step in enumerate(told.steps, 1):
        is_last = position == len(told.steps)
        yield f"{last if is_last else branch}{step.name}  {_step(step, flow)}".rstrip()
        below = blank if is_last else line
        if len(step.taken) > 1:
            yield from (f"{below}{each.label}  {_taken(each)}" for each in step.taken)
        if values:
            yield from (f"{below}{each.label} gave {each.output}" for each in step.taken if each.output is not None)
        for question in flow.questions:
            if question.step.partition("[")[0] == step.name and values:
                yield f"{below}asked {question.to}: {question.text}"
    for question in flow.questions:
        yield f"Answer with: persona-block flow answer {flow.workflow_id} {'|'.join(question.options)}"
    if told.error and values:
        yield f"Failed: {told.error}"


def waits_for(flow: Flow) -> str:
    """Return for what a flow waits, in a few words that hold nothing personal."""
    waits = [f"{each.resource_id} at Persona, in {each.step}, since {moment(each.since)}" for each in flow.waits]
    asked = [f"an answer, in {each.step}, since {moment(each.since)}" for each in flow.questions]
    return "; ".join([*waits, *asked])


def moment(seconds: float) -> str:
    """Return a time in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def _step(step: FlowStep, flow: Flow) -> str:
    waiting = [each for each in flow.waits if each.step.partition("[")[0].partition("#")[0] == step.name]
    asked = [each for each in flow.questions if each.step.partition("[")[0].partition("#")[0] == step.name]
    notes = [step.does] if step.does else []
    if not step.taken:
        return ": ".join([*notes, "not reached" if flow.state in ("queued", "running", "waiting") else "not taken"])
    notes.append(_taken(step.taken[0]) if len(step.taken) == 1 else f"{len(step.taken)} times")
    notes += [f"waits for {each.resource_id} since {moment(each.since)}, {_age(each.since)}" for each in waiting]
    notes += [f"waits for an answer since {moment(each.since)}, {_age(each.since)}" for each in asked]
    return ": ".join(notes)


def _taken(step: StepTaken) -> str:
    took = "" if step.ended_at is None else f", {max(0.0, step.ended_at - step.began_at):.1f} s"
    looks = f", looked {step.looks} times" if step.looks > 1 else ""
    tries = f", {step.tries} tries" if step.tries > 1 else ""
    error = f", failed: {step.error}" if step.error else ""
    return f"{moment(step.began_at)}{took}{looks}{tries}{error}"


def _age(since: float) -> str:
    seconds = max(0, round(time.time() - since))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    return f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _flow_json(flow: Flow, *, values: bool) -> dict[str, Any]:
    questions = []
    for each in flow.questions:
        question = {"id": each.question_id, "step": each.step, "since": each.since, "options": [*each.options]}
        questions.append({**question, "to": each.to, "text": each.text} if values else question)
    return {
        "id": flow.workflow_id,
        "workflow": flow.title,
        "state": flow.state,
        "createdAt": flow.created_at,
        "endedAt": flow.ended_at,
        "waits": [{"for": each.resource_id, "step": each.step, "since": each.since} for each in flow.waits],
        "questions": questions,
    }


def _history_json(told: History, *, values: bool) -> dict[str, Any]:
    steps = []
    for step in told.steps:
        taken = [asdict(each) for each in step.taken]
        shown = taken if values else [{name: each[name] for name in each if name != "output"} for each in taken]
        steps.append({"name": step.name, "does": step.does, "taken": shown})
    personal = {"inputs": dict(told.inputs), "error": told.error} if values else {}
    return {**_flow_json(told.flow, values=values), **personal, "steps": steps}
