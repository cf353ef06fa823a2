"""What a webhook is told: which changes are events of Persona's, and how one is written.

Names and bodies are those of the OpenAPI's `webhooks`. A body is written when its event happens, whatever becomes of the
object afterwards. Sources: docs.withpersona.com/webhooks and /webhooks-best-practices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from ...call.addresses import is_loopback
from ...spec.inflection import INFLECTIONS, inflect
from ..api.serialization import present
from ..state.environment import Environment
from ..state.records import Event, Resource

_SCREENINGS = ("adverse-media", "politically-exposed-person", "watchlist")

EVENTS: frozenset[str] = frozenset(
    {
        *(f"account.{change}" for change in ("created", "redacted")),
        *(f"case.{change}" for change in ("created", "status-updated", "resolved")),
        *(f"document.{change}" for change in ("created", "submitted", "processed")),
        *(f"inquiry.{change}" for change in ("created", "started", "transitioned", "completed", "failed", "expired")),
        *(f"inquiry.{change}" for change in ("marked-for-review", "approved", "declined", "redacted", "updated-tags")),
        *(f"report/{kind}.{change}" for kind in _SCREENINGS for change in ("ready", "errored", "matched")),
        *(f"verification.{change}" for change in ("created", "submitted", "passed", "failed", "canceled")),
    }
)
"""Every event that the sandbox can send."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True)
class Webhook:
    """Where events go, signed with what, which of them, and how their keys are spelt.

    url: http or https on this machine, since a simulation tells nobody else.
    events: names such as `inquiry.approved`, or patterns such as `report/*.ready`.
    inflection: kebab, camel or snake.

    Raises ValueError for anything else.
    """

    url: str
    secret: str = field(repr=False)
    events: Sequence[str] = ("*",)
    inflection: str = "kebab"

    def __post_init__(self) -> None:
        if not _is_here(self.url):
            raise ValueError("webhook must be an http or https URL on this machine, such as http://127.0.0.1:8000/webhooks")
        if not self.secret:
            raise ValueError("webhook_secret must be given with webhook: events are signed with it")
        if self.inflection not in INFLECTIONS:
            raise ValueError(f"webhook_inflection must be one of {', '.join(INFLECTIONS)}")
        for pattern in self.events:
            if not any(fnmatchcase(name, pattern) for name in EVENTS):
                raise ValueError(f"webhook_events holds a name that is no event here; there are {', '.join(sorted(EVENTS))}")

    def publish(self, env: Environment, name: str, resource: Resource, context: dict[str, Any]) -> None:
        """Write a change down as an event, if it is one that the webhook wants; used inside a transaction."""
        if name not in EVENTS or not any(fnmatchcase(name, pattern) for pattern in self.events):
            return
        seq = env.store.next_event()
        id = f"evt_{env.organization.token('evt', seq)}"
        attributes: dict[str, Any] = {"name": name, "payload": {"data": present(env, resource, {})}}
        if context:
            attributes["context"] = context
        attributes["created-at"] = env.timestamp
        body = inflect({"data": {"type": "event", "id": id, "attributes": attributes}}, self.inflection)
        env.store.add_event(Event(seq, id, env.now, name, resource.id, _ENCODE(body).encode(), next_at=env.now))


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        whole = parts.port != 0 and parts.username is None
        return parts.scheme in ("http", "https") and whole and is_loopback(parts.hostname or "")
    except ValueError:
        return False
