"""Names that the operator gives to targets, in a file of their own: `account-service`, `customer-1042`, `+15555550142`.

`PERSONA_FLOWS_CONTACTS` is the path of a JSON file, an object of targets by name:

    {"account-service": "https://accounts.example.com/hooks", "customer-1042": "jane@example.com"}

The file is read when a step runs. A name may come from what Persona answered, such as a reference id: it only chooses among
the targets that stand in the file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...call.json_body import read_json
from ...files.regular import UnreadableFile, open_regular
from ...files.threads import run_in_thread
from ..ports import Message, Reply, form_of, resolve
from .delivery import refused

FILE_VARIABLE = "PERSONA_FLOWS_CONTACTS"
"""The environment variable with the path of the file."""
SIZE_LIMIT = 16 * 1024 * 1024
"""The largest file, in bytes."""


class ContactNotifier:
    """Sends to the target that stands in the file of contacts under a name."""

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        """Send to the target of a contact; the rest is as that target's notifier does it.

        Raises InputError for a name that the file does not hold, too.
        """
        found = await run_in_thread(partial(target_of, target))
        return await resolve(found).send(found, message, dedupe_id)


def target_of(name: str) -> str:
    """Return the target of a contact; raises InputError, which repeats no name and no target.

    This reads a file: where an event loop runs, it belongs into a thread.
    """
    path = os.environ.get(FILE_VARIABLE, "").strip()
    if not path:
        raise refused("to", f"is the name of a contact, and {FILE_VARIABLE} names no file of them")
    target = _contacts(path).get(name)
    if not isinstance(target, str) or not target.strip():
        raise refused("to", f"is no name in the file of contacts that {FILE_VARIABLE} names")
    if form_of(target) == "contact":
        raise refused(FILE_VARIABLE, "gives a contact the name of another contact; write its target")
    return target


def _contacts(path: str) -> Mapping[str, Any]:
    try:
        with open_regular(Path(path).expanduser()) as stream:
            content = stream.read(SIZE_LIMIT + 1)
        contacts = read_json(content) if len(content) <= SIZE_LIMIT else None
    except UnreadableFile as error:
        raise refused(FILE_VARIABLE, f"names a file that {error}") from None
    except (OSError, RuntimeError, ValueError, RecursionError) as error:
        raise refused(FILE_VARIABLE, f"names a file that cannot be read as JSON: {type(error).__name__}") from None
    if not isinstance(contacts, Mapping):
        raise refused(FILE_VARIABLE, f"must name a JSON object of targets by name, of at most {SIZE_LIMIT} bytes")
    return contacts
