"""The ids of webhook events that were dealt with, so that each is dealt with once however often it is delivered."""

from __future__ import annotations

import sqlalchemy as sa

KEPT = 30 * 86_400.0
"""Seconds that an id is kept: Persona delivers an event again for some days at most."""
_SWEPT_EVERY = 500
"""Events between two times that old ids are deleted."""

_METADATA = sa.MetaData()
_EVENTS = sa.Table(
    "persona_flow_events",
    _METADATA,
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
)


class Events:
    """The ids of events in a database of flows; all methods block."""

    def __init__(self, connections: sa.Engine) -> None:
        self._connections = connections
        self._noted = 0
        _METADATA.create_all(connections)

    def is_known(self, event_id: str) -> bool:
        """Return whether an event was dealt with before."""
        with self._connections.connect() as connection:
            query = sa.select(_EVENTS.c.event_id).where(_EVENTS.c.event_id == event_id)
            return connection.execute(query).first() is not None

    def note(self, event_id: str, now: float) -> None:
        """Note that an event was dealt with; returns once that is stored."""
        with self._connections.begin() as connection:
            if self._noted % _SWEPT_EVERY == 0:
                connection.execute(sa.delete(_EVENTS).where(_EVENTS.c.at < now - KEPT))
            self._noted += 1
            try:
                with connection.begin_nested():
                    connection.execute(sa.insert(_EVENTS).values(event_id=event_id, at=now))
            except sa.exc.IntegrityError:  # it came twice at once
                pass
