"""The tables of flows beside the engine's own: who waits for what, when a write was first meant, what people were asked.

They stand in the engine's database. `encode` and `decode` are the engine's serializer, so that a question is as well kept as
what the engine stores. All methods block; `asyncio.to_thread` calls them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from dbos import Serializer

_METADATA = sa.MetaData()

_WAITS = sa.Table(
    "persona_flow_waits",
    _METADATA,
    sa.Column("topic", sa.String(64), primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False, index=True),
    sa.Column("resource_id", sa.Text, nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("statuses", sa.JSON, nullable=True),
    sa.Column("since", sa.Float, nullable=False),
)
_INTENTS = sa.Table(
    "persona_flow_intents",
    _METADATA,
    sa.Column("step_key", sa.String(80), primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False, index=True),
    sa.Column("meant_at", sa.Float, nullable=False),
    sa.Column("resource_id", sa.Text, nullable=True, index=True),
    sa.Column("found", sa.Boolean, nullable=False),
)
_QUESTIONS = sa.Table(
    "persona_flow_questions",
    _METADATA,
    sa.Column("question_id", sa.String(64), primary_key=True),
    sa.Column("workflow_id", sa.Text, nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("asked", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("reply", sa.Text, nullable=True),
    sa.Column("answered_at", sa.Float, nullable=True),
)
_SUBJECTS = sa.Table(
    "persona_flow_subjects",
    _METADATA,
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("workflow_id", sa.Text, primary_key=True, index=True),
)
_ERASURES = sa.Table("persona_flow_erasures", _METADATA, sa.Column("workflow_id", sa.Text, primary_key=True))
_OF_A_WORKFLOW = (_WAITS, _INTENTS, _QUESTIONS, _SUBJECTS, _ERASURES)


@dataclass(frozen=True, slots=True)
class Waiter:
    """A flow that waits for an object at Persona.

    topic: where the engine sends a message that wakes it. statuses: those that end the waiting; None where each event may.
    since: seconds since the epoch.
    """

    topic: str
    workflow_id: str
    resource_id: str
    step: str
    statuses: tuple[str, ...] | None
    since: float


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that a step means to make: since when, in seconds since the epoch, and whether this run is the first to."""

    meant_at: float
    is_new: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What a flow asked a person, and the answer, where there is one; its `repr` shows no text.

    answered_at: when it was answered, or closed because the time to answer was over; None while it is open.
    """

    workflow_id: str
    question_id: str
    step: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    since: float
    answer: str | None = field(default=None, repr=False)
    comment: str | None = field(default=None, repr=False)
    answered_at: float | None = None


class Tables:
    """The tables of flows in one database."""

    def __init__(self, engine: sa.Engine, serializer: Serializer) -> None:
        self._engine = engine
        self._serializer = serializer

    def create(self) -> None:
        """Make the tables that are not there yet."""
        _METADATA.create_all(self._engine)

    # --- waits -------------------------------------------------------------------------------------------------------------

    def note_wait(self, waiter: Waiter) -> None:
        """Note that a flow waits, unless it is noted already."""
        statuses = None if waiter.statuses is None else list(waiter.statuses)
        row = {name: getattr(waiter, name) for name in ("topic", "workflow_id", "resource_id", "step", "since")}
        with self._engine.begin() as connection:
            self._insert(connection, _WAITS, [{**row, "statuses": statuses}])

    def end_wait(self, topic: str) -> None:
        """Forget that a flow waits."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_WAITS).where(_WAITS.c.topic == topic))

    def waiters(self, resource_id: str | None = None, workflow_id: str | None = None) -> list[Waiter]:
        """Return the flows that wait for an object, or what one flow waits for, or all, oldest first."""
        query = sa.select(_WAITS).order_by(_WAITS.c.since)
        if resource_id is not None:
            query = query.where(_WAITS.c.resource_id == resource_id)
        if workflow_id is not None:
            query = query.where(_WAITS.c.workflow_id == workflow_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Waiter(**{**row, "statuses": None if row["statuses"] is None else tuple(row["statuses"])}) for row in rows]

    # --- intents -----------------------------------------------------------------------------------------------------------

    def mean(self, step_key: str, workflow_id: str, now: float) -> Intent:
        """Note that a step means to write, and return since when it does."""
        row = {"step_key": step_key, "workflow_id": workflow_id, "meant_at": now, "found": False}
        with self._engine.begin() as connection:
            is_new = self._insert(connection, _INTENTS, [row]) == 1
            query = sa.select(_INTENTS.c.meant_at).where(_INTENTS.c.step_key == step_key)
            meant_at = now if is_new else connection.execute(query).scalar_one()
        return Intent(meant_at, is_new)

    def mean_anew(self, step_key: str, now: float) -> None:
        """Note that a step means to write again, after what it meant before was not found at Persona."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(_INTENTS).where(_INTENTS.c.step_key == step_key).values(meant_at=now))

    def note_dealt_with(self, workflow_id: str, resource_ids: Iterable[str]) -> None:
        """Note which objects a call of a flow dealt with."""
        rows = [{"resource_id": each, "workflow_id": workflow_id} for each in dict.fromkeys(resource_ids)]
        if rows:
            with self._engine.begin() as connection:
                self._insert(connection, _SUBJECTS, rows)

    def note_written(
        self, workflow_id: str, resource_ids: Iterable[str], step_key: str, made: str | None, found: bool
    ) -> None:
        """Note which objects a write dealt with, which it made, and whether it was found rather than sent."""
        rows = [{"resource_id": each, "workflow_id": workflow_id} for each in dict.fromkeys(resource_ids)]
        with self._engine.begin() as connection:
            if rows:
                self._insert(connection, _SUBJECTS, rows)
            if made is not None or found:
                intent = sa.update(_INTENTS).where(_INTENTS.c.step_key == step_key)
                connection.execute(intent.values(resource_id=made, found=found))

    def claimed(self, resource_ids: Collection[str], step_key: str) -> set[str]:
        """Return those of the objects that another step made."""
        query = sa.select(_INTENTS.c.resource_id).where(
            _INTENTS.c.resource_id.in_(resource_ids), _INTENTS.c.step_key != step_key
        )
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def claim(self, step_key: str, resource_id: str) -> bool:
        """Note that a step made an object that was found; return False, and note nothing, where another step made it."""
        mine = sa.update(_INTENTS).where(_INTENTS.c.step_key == step_key).values(resource_id=resource_id, found=True)
        others = sa.select(_INTENTS.c.step_key).where(_INTENTS.c.resource_id == resource_id, _INTENTS.c.step_key != step_key)
        with self._engine.connect() as connection:
            if self._engine.dialect.name != "sqlite":
                # In SQLite, the first to write holds up the others.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(resource_id, 0))))
            connection.execute(mine)
            if connection.execute(others).first() is not None:
                connection.rollback()
                return False
            connection.commit()
            return True

    def found(self, workflow_id: str) -> int:
        """Return how many writes of a flow were found at Persona after an outage, rather than made again."""
        query = sa.select(sa.func.count()).where(_INTENTS.c.workflow_id == workflow_id, _INTENTS.c.found)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    # --- questions ---------------------------------------------------------------------------------------------------------

    def ask(self, question: Question) -> float:
        """Note a question, unless it is noted already, and return since when it is asked."""
        asked = self._serializer.serialize({"to": question.to, "text": question.text, "options": list(question.options)})
        row = {name: getattr(question, name) for name in ("question_id", "workflow_id", "step", "since")}
        with self._engine.begin() as connection:
            self._insert(connection, _QUESTIONS, [{**row, "asked": asked}])
            since = sa.select(_QUESTIONS.c.since).where(_QUESTIONS.c.question_id == question.question_id)
            return float(connection.execute(since).scalar_one())

    def question(self, question_id: str) -> Question | None:
        """Return a question; None for one that was never asked, or was deleted."""
        with self._engine.connect() as connection:
            query = sa.select(_QUESTIONS).where(_QUESTIONS.c.question_id == question_id)
            row = connection.execute(query).mappings().first()
        return None if row is None else self._question(row)

    def questions(self, workflow_id: str | None = None, *, open_only: bool = True) -> list[Question]:
        """Return the questions of one flow or of all, oldest first."""
        query = sa.select(_QUESTIONS).order_by(_QUESTIONS.c.since)
        if workflow_id is not None:
            query = query.where(_QUESTIONS.c.workflow_id == workflow_id)
        if open_only:
            query = query.where(_QUESTIONS.c.answered_at.is_(None))
        with self._engine.connect() as connection:
            return [self._question(row) for row in connection.execute(query).mappings().all()]

    def answer(self, question_id: str, answer: str, comment: str | None, now: float) -> bool:
        """Note the answer to a question, and return whether it is the first."""
        reply = self._serializer.serialize({"answer": answer, "comment": comment})
        is_open = (_QUESTIONS.c.question_id == question_id) & _QUESTIONS.c.answered_at.is_(None)
        with self._engine.begin() as connection:
            result = connection.execute(sa.update(_QUESTIONS).where(is_open).values(reply=reply, answered_at=now))
            return result.rowcount == 1

    def close(self, question_id: str, now: float) -> None:
        """Take no answer to a question any more; one that was answered stays as it is."""
        is_open = (_QUESTIONS.c.question_id == question_id) & _QUESTIONS.c.answered_at.is_(None)
        with self._engine.begin() as connection:
            connection.execute(sa.update(_QUESTIONS).where(is_open).values(answered_at=now))

    def _question(self, row: Any) -> Question:
        asked = self._serializer.deserialize(row["asked"])
        reply = self._serializer.deserialize(row["reply"]) if row["reply"] is not None else {}
        return Question(
            **{name: row[name] for name in ("workflow_id", "question_id", "step", "since", "answered_at")},
            to=asked["to"],
            text=asked["text"],
            options=tuple(asked["options"]),
            answer=reply.get("answer"),
            comment=reply.get("comment"),
        )

    # --- erasures ----------------------------------------------------------------------------------------------------------

    def mark_for_erasure(self, resource_ids: Collection[str]) -> None:
        """Mark every flow that dealt with one of these objects: what it holds is deleted once it has ended."""
        with self._engine.begin() as connection:
            query = sa.select(_SUBJECTS.c.workflow_id).where(_SUBJECTS.c.resource_id.in_(resource_ids)).distinct()
            workflow_ids = connection.execute(query).scalars().all()
            if workflow_ids:
                self._insert(connection, _ERASURES, [{"workflow_id": each} for each in workflow_ids])

    def marked_for_erasure(self) -> list[str]:
        """Return the flows whose data is to be deleted once they have ended."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(_ERASURES.c.workflow_id)).scalars())

    def mark_flows(self, workflow_ids: Collection[str]) -> None:
        """Mark flows whose data is to be deleted once they have ended."""
        if workflow_ids:
            with self._engine.begin() as connection:
                self._insert(connection, _ERASURES, [{"workflow_id": each} for each in workflow_ids])

    def forget(self, workflow_ids: Sequence[str]) -> None:
        """Delete everything that these tables hold of some flows."""
        with self._engine.begin() as connection:
            for table in _OF_A_WORKFLOW:
                connection.execute(sa.delete(table).where(table.c.workflow_id.in_(workflow_ids)))

    def _insert(self, connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> int:
        """Insert the rows that are not there yet, and return how many these were."""
        if self._engine.dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert as sqlite_insert

            result = connection.execute(sqlite_insert(table).values(rows).on_conflict_do_nothing())
        else:
            from sqlalchemy.dialects.postgresql import insert as postgres_insert

            result = connection.execute(postgres_insert(table).values(rows).on_conflict_do_nothing())
        return int(result.rowcount)
