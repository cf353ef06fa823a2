"""The flows that have ended and were deleted: a digest of each id stays, so that none of them is run a second time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

import sqlalchemy as sa

_METADATA = sa.MetaData()
_OVER = sa.Table(
    "persona_flow_over",
    _METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)
_MADE_UP_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}(-[0-9]+)*")
"""An id of chance, or that of a flow which such a one started: it comes no second time."""


class OverFlows:
    """The flows of a database that have ended and were deleted; all methods block."""

    def __init__(self, connections: sa.Engine) -> None:
        self._connections = connections

    def create(self) -> None:
        """Make the table where it is missing."""
        _METADATA.create_all(self._connections)

    def note(self, workflow_ids: Collection[str], now: float) -> None:
        """Note that flows are about to be deleted; now is in seconds since the epoch."""
        new = {_digest(each) for each in workflow_ids if not _MADE_UP_ID.fullmatch(each)}
        with self._connections.begin() as connection:
            new -= set(connection.execute(sa.select(_OVER.c.digest).where(_OVER.c.digest.in_(new))).scalars())
            if new:
                connection.execute(sa.insert(_OVER), [{"digest": each, "at": now} for each in new])

    def among(self, workflow_ids: Collection[str]) -> set[str]:
        """Return those of some ids whose flow has ended and was deleted."""
        digests = {_digest(each): each for each in workflow_ids}
        query = sa.select(_OVER.c.digest).where(_OVER.c.digest.in_(digests))
        with self._connections.connect() as connection:
            return {digests[each] for each in connection.execute(query).scalars()}


def _digest(workflow_id: str) -> str:
    return hashlib.sha256(workflow_id.encode("utf-8", "backslashreplace")).hexdigest()
