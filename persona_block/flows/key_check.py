"""The check that a process has the encryption key of a database, before it runs flows whose data it could not read."""

from __future__ import annotations

import sqlalchemy as sa
from dbos import Serializer

from ..errors import InputError, Problem
from .serialization import EncryptedJSON

_METADATA = sa.MetaData()
_SAMPLES = sa.Table("persona_flow_key_sample", _METADATA, sa.Column("sample", sa.Text, primary_key=True))
_TEXT = "persona-flows"


def check_keys(connections: sa.Engine, serializer: Serializer) -> None:
    """Raise InputError unless a serializer reads what a database holds; the first encryption key of a database is noted there.

    A database that was in clear may be encrypted from now on, but for the flows it held. One that is encrypted needs a key.
    """
    _METADATA.create_all(connections)
    with connections.begin() as connection:
        known = connection.execute(sa.select(_SAMPLES.c.sample)).scalars().first()
        if not isinstance(serializer, EncryptedJSON):
            if known is not None:
                raise InputError("flows", [Problem("encryption_keys", "are missing: what the database holds is encrypted")])
            return
        if known is not None and serializer.deserialize(known) != _TEXT:
            raise InputError("flows", [Problem("encryption_keys", "none of them made what the database holds")])
        # Anew each time, so that an old key can be left out one day.
        connection.execute(sa.delete(_SAMPLES))
        connection.execute(sa.insert(_SAMPLES).values(sample=serializer.serialize(_TEXT)))
