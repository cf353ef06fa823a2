"""The commands `flow start`, `flow answer`, `flow cancel` and `flow resume`, which change flows that others run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..errors import InputError, Problem
from ..flows.checker import check
from .exits import SUCCESS
from .flow_options import document_of, inputs_of, with_client
from .terminal import print_error, print_lines

if TYPE_CHECKING:
    from ..flows import FlowClient
    from ..flows.overview import Flow


def start(arguments: argparse.Namespace) -> int:
    """Start a flow, and print its id."""
    document = document_of(arguments.name)
    inputs, workflow_id = inputs_of(arguments, document), check_id(arguments.id)
    check(document, inputs)

    async def act(client: FlowClient) -> int:
        print_lines(await client.start(document, inputs, workflow_id))
        print_error("A worker runs it: persona-block flow worker")
        return SUCCESS

    return with_client(arguments, act)


def answer(arguments: argparse.Namespace) -> int:
    """Answer the oldest open question of a flow that has the option."""

    async def act(client: FlowClient) -> int:
        await _flow(client, arguments.flow)
        questions = await client.questions(arguments.flow)
        if not questions:
            raise InputError("flow", [Problem("flow", "asks nothing at the moment")])
        chosen = next((each for each in questions if arguments.option in each.options), None)
        if chosen is None:
            options = dict.fromkeys(option for each in questions for option in each.options)
            raise InputError("flow", [Problem("option", f"must be one of {', '.join(options)}")])
        await client.answer(arguments.flow, chosen.question_id, arguments.option, arguments.comment)
        print_lines("Answered.")
        return SUCCESS

    return with_client(arguments, act)


def cancel(arguments: argparse.Namespace) -> int:
    """Stop a flow before its next step."""

    async def act(client: FlowClient) -> int:
        flow = await _flow(client, arguments.flow)
        if flow.state in ("done", "failed"):
            raise InputError("flow", [Problem("flow", f"has ended already: it is {flow.state}")])
        await client.dbos.cancel_workflow_async(arguments.flow)
        print_lines("Cancelled. What it did at Persona stays done.")
        return SUCCESS

    return with_client(arguments, act)


def resume(arguments: argparse.Namespace) -> int:
    """Let a cancelled flow go on where it stopped."""

    async def act(client: FlowClient) -> int:
        flow = await _flow(client, arguments.flow)
        if flow.state != "cancelled":
            ended = (
                "what it did stays done, so start a new one" if flow.state in ("done", "failed") else "it goes on by itself"
            )
            raise InputError("flow", [Problem("flow", f"is {flow.state}, and not cancelled; {ended}")])
        from ..flows.naming import QUEUE

        await client.dbos.resume_workflow_async(arguments.flow, queue_name=QUEUE)
        print_lines("It goes on as soon as a worker takes it.")
        return SUCCESS

    return with_client(arguments, act)


async def _flow(client: FlowClient, workflow_id: str) -> Flow:
    from ..flows.overview import history

    return (await history(client, workflow_id)).flow


def check_id(workflow_id: str | None) -> str | None:
    """Return an id for a flow as it was given; raises InputError for what is none."""
    if workflow_id is None:
        return None
    if not 0 < len(workflow_id) <= 200 or not workflow_id.isprintable() or workflow_id != workflow_id.strip():
        raise InputError("flow", [Problem("--id", "must be 1 to 200 characters that can be seen")])
    return workflow_id
