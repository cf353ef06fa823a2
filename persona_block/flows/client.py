"""What starts, wakes and answers flows from anywhere: the engine's own process, a webhook's receiver, a command line."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, EnqueueOptions, Serializer, error

from ..call.parse import first
from ..credentials import Secret
from ..errors import InputError, Problem
from ..webhooks import Event
from .checker import check, input_problems
from .database import empty_log, engine_url, open_database
from .key_check import check_keys
from .naming import APPLICATION, APPLICATION_VERSION, QUEUE, template_workflow
from .over import OverFlows
from .serialization import pinned, serializer
from .tables import Question, Tables, Waiter

logger = logging.getLogger("persona_block.flows")

Item = TypeVar("Item")

FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
BATCH = 500
"""How many flows are started, or deleted, in one transaction."""
ERASURE_GRACE = 60.0
"""Seconds that a flow which erased somebody keeps its result after it ended, for whoever waits for that."""


class FlowClient:
    """The flows of one database, seen from outside; `connect` makes one, and `Engine.client` is one.

    dbos: the engine's own client, for what is not here: listing, cancelling and resuming workflows.
    connections: those to the database.
    """

    def __init__(
        self, connections: sa.Engine, encoding: Serializer, tables: Tables, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.connections = connections
        self._tables = tables
        self._clock = clock
        self._over = OverFlows(connections)
        self._over.create()
        self.dbos = DBOSClient(system_database_engine=connections, serializer=encoding, application_name=APPLICATION)

    def close(self) -> None:
        """Close the connections of a client that `connect` made."""
        self.dbos.destroy()
        self.connections.dispose()

    async def start(self, document: Mapping[str, Any], inputs: Mapping[str, Any], workflow_id: str | None = None) -> str:
        """Start a flow that runs a document, and return its id; an engine of the database runs it.

        workflow_id: its id; one that was started before is not started again. The default is a new one.

        Raises InputError with every problem of document and inputs, and for the id of a flow that was deleted after its end.
        """
        if workflow_id is not None:
            await self.refuse_over(workflow_id)
        (started,) = await self.start_many(document, [(workflow_id or str(uuid.uuid4()), inputs)])
        return started

    async def start_many(self, document: Mapping[str, Any], runs: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Start a flow for each workflow id and its inputs, and return the ids; an id that was started before stays as it is.

        So does that of a flow which has ended and was deleted since.
        Raises InputError for the first run whose inputs do not fit, before any of its batch of 500 is started.
        """
        check(document)
        document = pinned(document, "document")
        started: list[str] = []
        for batch in _batches(runs):
            for _, inputs in batch:
                if problems := list(input_problems(document, inputs)):
                    raise InputError("workflow", problems)
            await asyncio.to_thread(self._enqueue, document, batch)
            started += [workflow_id for workflow_id, _ in batch]
        return started

    def _enqueue(self, document: Mapping[str, Any], runs: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        over = self._over.among([workflow_id for workflow_id, _ in runs])
        with self.connections.begin() as connection:
            for workflow_id, inputs in runs:
                if workflow_id in over:
                    continue
                options: EnqueueOptions = {
                    "queue_name": QUEUE,
                    "workflow_name": template_workflow(),
                    "workflow_id": workflow_id,
                    "app_version": APPLICATION_VERSION,
                }
                self.dbos.enqueue_in_transaction(connection, options, dict(document), dict(inputs))

    async def refuse_over(self, workflow_id: str) -> None:
        """Raise InputError for the id of a flow that has ended and was deleted: it is not run a second time."""
        if await asyncio.to_thread(self._over.among, [workflow_id]):
            raise InputError("workflow", [Problem("workflow_id", "is that of a flow that has ended and was deleted since")])

    async def over(self, workflow_ids: Sequence[str]) -> set[str]:
        """Return those of some ids whose flow has ended and was deleted since."""
        found = [await asyncio.to_thread(self._over.among, batch) for batch in _batches(workflow_ids)]
        return set().union(*found)

    async def deliver(self, event: Event) -> int:
        """Wake the flows that wait for what an event happened to, and return how many.

        A flow looks at Persona itself once it is woken, so an event that comes twice, late or out of order does no harm, and
        one that is lost costs time only. An event whose status ends no waiting wakes nobody. Answer the webhook with 2xx once
        this has returned.
        """
        waiting = await asyncio.to_thread(self._tables.waiters, event.resource_id)
        status = first(event.data, "/attributes/status")
        woken = 0
        for waiter in waiting:
            if waiter.statuses is None or status is None or status in waiter.statuses:
                woken += await self._wake(waiter.workflow_id, waiter.topic, f"{event.id}:{waiter.topic}")
        return woken

    async def answer(self, workflow_id: str, question_id: str, option: str, comment: str | None = None) -> None:
        """Answer a question of a flow; the first answer counts.

        The same answer may be given again, which wakes the flow once more. Raises InputError where there is no such question,
        the option is none of it, it was answered otherwise, the time to answer is over, or the flow has ended.
        """
        question = await asyncio.to_thread(self._tables.question, question_id)
        if question is None or question.workflow_id != workflow_id:
            raise InputError("answer", [Problem("question_id", "names no question of this flow")])
        if option not in question.options:
            raise InputError("answer", [Problem("option", f"must be one of {', '.join(question.options)}")])
        if question.answered_at is None:
            await self._refuse_ended(workflow_id)
        is_first = await asyncio.to_thread(self._tables.answer, question_id, option, comment, self._clock())
        if not is_first:
            question = await asyncio.to_thread(self._tables.question, question_id)
            if question is None or question.answer is None:
                raise InputError("answer", [Problem("question_id", "is closed: the time to answer it is over")])
            if question.answer != option:
                raise InputError("answer", [Problem("question_id", "was answered before, and otherwise")])
        await self._wake(workflow_id, question_id, None)

    async def _refuse_ended(self, workflow_id: str) -> None:
        found = await self.dbos.list_workflows_async(
            workflow_ids=[workflow_id], status=FINISHED, load_input=False, load_output=False
        )
        if found:
            hint = "resume it first" if found[0].status == "CANCELLED" else "so no answer to it counts"
            raise InputError("answer", [Problem("workflow_id", f"is a flow that has ended; {hint}")])

    async def questions(self, workflow_id: str | None = None, *, open_only: bool = True) -> list[Question]:
        """Return the questions of one flow or of all, oldest first."""
        return await asyncio.to_thread(self._tables.questions, workflow_id, open_only=open_only)

    async def waiting(self, workflow_id: str | None = None) -> list[Waiter]:
        """Return what one flow, or any, waits for at Persona, oldest first."""
        return await asyncio.to_thread(self._tables.waiters, None, workflow_id)

    async def sweep(
        self,
        retention: float | None,
        *,
        erasure_grace: float = ERASURE_GRACE,
        delete_files: Callable[[str], None] | None = None,
    ) -> list[str]:
        """Delete what finished flows stored, and return their ids: those over the retention, and those of erased people.

        retention: seconds that a finished flow is kept; None keeps it, unless it dealt with somebody who was erased.
        delete_files: deletes the files of a flow, before the rest of it is; a flow for which it fails is kept until the next
            time. `Engine.sweep` gives one.
        """
        return await asyncio.to_thread(self._sweep, retention, erasure_grace, delete_files)

    def _sweep(self, retention: float | None, erasure_grace: float, delete_files: Callable[[str], None] | None) -> list[str]:
        due: set[str] = set()
        if retention is not None:
            due |= {each.workflow_id for each in self._finished(retention)}
        for batch in _batches(self._marked()):
            due |= {each.workflow_id for each in self._finished(erasure_grace, list(batch))}
        deleted = [each for each in sorted(due) if delete_files is None or _is_cleared(each, delete_files)]
        for ids in _batches(deleted):
            self._over.note(ids, self._clock())
            self.dbos.delete_workflows(list(ids))
            self._tables.forget(list(ids))
        if deleted:
            empty_log(self.connections)
        return deleted

    def _marked(self) -> list[str]:
        """Return the flows that dealt with somebody who was erased, and those that started one and so hold its result."""
        marked = set(self._tables.marked_for_erasure())
        latest = marked
        while latest:
            parents: set[str] = set()
            for batch in _batches(latest):
                found = self.dbos.list_workflows(workflow_ids=list(batch), load_input=False, load_output=False)
                parents |= {each.parent_workflow_id for each in found if each.parent_workflow_id}
            latest = parents - marked
            self._tables.mark_flows(latest)
            marked |= latest
        return sorted(marked)

    def _finished(self, age: float, workflow_ids: list[str] | None = None) -> list[Any]:
        before = dt.datetime.fromtimestamp(time.time() - age, dt.UTC).isoformat()
        return self.dbos.list_workflows(
            workflow_ids=workflow_ids,
            status=FINISHED,
            completed_before=before,
            limit=BATCH,
            load_input=False,
            load_output=False,
        )

    async def _wake(self, workflow_id: str, topic: str, idempotency_key: str | None) -> int:
        try:
            await self.dbos.send_async(workflow_id, {"look": True}, topic, idempotency_key)
        except error.DBOSNonExistentWorkflowError:
            await asyncio.to_thread(self._tables.forget, [workflow_id])
            return 0
        return 1


def _is_cleared(workflow_id: str, delete_files: Callable[[str], None]) -> bool:
    """Delete the files of a flow, and return whether that went well."""
    try:
        delete_files(workflow_id)
    except Exception as error:  # each storage library raises errors of its own
        logger.warning("the files of flow %s cannot be deleted (%s); trying again later", workflow_id, type(error).__name__)
        return False
    return True


def connect(database: str, *, encryption_keys: Sequence[Secret | str] = ()) -> FlowClient:
    """Return a client of the flows in a database, for a process that runs none, such as a webhook's receiver; close it.

    database, encryption_keys: those of the engine. The engine's tables are made where they are missing.
    """
    connections = open_database(database, pool_size=5)
    encoding = serializer(encryption_keys)
    try:
        check_keys(connections, encoding)
    except BaseException:
        connections.dispose()
        raise
    DBOS.migrate(engine_url(connections))
    tables = Tables(connections, encoding)
    tables.create()
    return FlowClient(connections, encoding, tables)


def _batches(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, BATCH)):
        yield batch
