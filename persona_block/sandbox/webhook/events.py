"""The events of Persona that the sandbox sends, and the webhook that receives them.

Names and bodies are those of the OpenAPI's `webhooks`. A body is written when its event happens and does not change with
its object afterwards. Sources: docs.withpersona.com/webhooks and /webhooks-best-practices.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...call.addresses import is_loopback
from ...spec.inflection import INFLECTIONS, inflect
from ..api.serialization import resource_object
from ..state.environment import Environment
from ..state.records import OutgoingEvent, Resource

if TYPE_CHECKING:
    import httpx

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
"""The names of all events that the sandbox can send."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True)
class Webhook:
    """A receiver of signed events, on this machine.

    url: http or https on this machine, since the sandbox talks to no other.
    secret: what events are signed with: one secret, or two while one replaces another, the new one first.
    events: names such as `inquiry.approved`, or patterns such as `report/*.ready` (see `EVENTS`). Default all.
    inflection: the spelling of keys: kebab (default), camel or snake.
    transport: answers in the place of the network, such as an httpx.ASGITransport of the receiving application. Default
        None, the network.

    Raises ValueError for another URL or inflection, an empty secret, more than two, or a name or pattern of no event.
    """

    url: str
    secret: str | Sequence[str] = field(repr=False)
    events: Sequence[str] = ("*",)
    inflection: str = "kebab"
    transport: httpx.AsyncBaseTransport | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _is_local(self.url):
            raise ValueError(
                "a webhook's url must be an http or https URL on this machine, such as http://127.0.0.1:8000/webhooks"
            )
        if not all(self.secrets):
            raise ValueError("a webhook's secret must not be empty: events are signed with it")
        if not 1 <= len(self.secrets) <= 2:
            raise ValueError("a webhook has one secret, or two while one replaces another")
        if self.inflection not in INFLECTIONS:
            raise ValueError(f"a webhook's inflection must be one of {', '.join(INFLECTIONS)}")
        for pattern in self.events:
            if not any(fnmatchcase(name, pattern) for name in EVENTS):
                names = ", ".join(sorted(EVENTS))
                raise ValueError(f"a webhook's events must be names of events or patterns of them; there are {names}")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that events are signed with, the newest first."""
        return (self.secret,) if isinstance(self.secret, str) else tuple(self.secret)

    def publish(self, env: Environment, name: str, resource: Resource, context: dict[str, Any]) -> None:
        """Log a change as an event to send, if it is one that the webhook takes; used inside a transaction."""
        if name not in EVENTS or not any(fnmatchcase(name, pattern) for pattern in self.events):
            return
        seq = env.store.next_event()
        id = f"evt_{env.organization.token('evt', seq)}"
        attributes: dict[str, Any] = {"name": name, "payload": {"data": resource_object(env, resource)}}
        if context:
            attributes["context"] = context
        attributes["created-at"] = env.timestamp
        body = inflect({"data": {"type": "event", "id": id, "attributes": attributes}}, self.inflection)
        event = OutgoingEvent(
            seq=seq,
            id=id,
            at=env.now,
            name=name,
            resource_id=resource.id,
            body=_ENCODE(body).encode(),
            next_at=env.now,
        )
        env.store.add_event(event)


def _is_local(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_valid = parts.port != 0 and parts.username is None
        return parts.scheme in ("http", "https") and is_valid and is_loopback(parts.hostname or "")
    except ValueError:
        return False
