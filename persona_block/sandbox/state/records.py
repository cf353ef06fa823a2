"""The records that the sandbox keeps: resources, requests, changes, events, deliveries, files and stored answers.

Their moments are simulated, in milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Identifier = dict[str, str]
"""What a relationship names an object by: its `type` and its `id`."""


@dataclass(slots=True, kw_only=True)
class Resource:
    """One API object; relationships hold identifiers without their `data` wrapper."""

    id: str
    type: str
    environment: str
    created: int
    attributes: dict[str, Any]
    relationships: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)  # what the sandbox knows and never answers
    files: dict[str, str] = field(default_factory=dict)  # file ids, by their places in the attributes
    due: int | None = None  # when time alone will change it
    seq: int = 0  # its place in the order of creation

    @property
    def kind(self) -> str:
        """The type up to its slash: `report` of `report/watchlist`."""
        return self.type.partition("/")[0]

    @property
    def subtype(self) -> str:
        """The type after its slash: `watchlist` of `report/watchlist`; empty where there is none."""
        return self.type.partition("/")[2]

    @property
    def identifier(self) -> Identifier:
        """What a relationship names it by."""
        return {"type": self.type, "id": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One request that the API answered; `api_key` is masked, `effects` counts the changes it made.

    `asked_version` is the Persona-Version that it was sent with, None without one; `answered_version` is the one whose shape
    the answer has.
    """

    id: str
    at: int
    environment: str | None
    api_key: str
    method: str
    path: str
    query: str
    status: int
    asked_version: str | None
    answered_version: str
    idempotency_key: str | None
    replayed: bool
    effects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One change, named as Persona names its event where there is one; `status` is the resource's after the change.

    `actor` is `api`, `clock` (time ran out, or a job finished), `applicant` or `organization`; only the first has a
    `request_id`.
    """

    at: int
    environment: str
    name: str
    resource_id: str
    status: str | None
    actor: str
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """One event for the webhook; `body` is what is sent, as it was when the event happened.

    `attempts` counts the deliveries tried so far, the first of them at `first_at`; the next is due at `next_at`, None where
    there is none.
    """

    seq: int
    id: str
    at: int
    name: str
    resource_id: str
    body: bytes
    attempts: int = 0
    first_at: int | None = None
    next_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver an event: the `status` of the receiver's answer, or the `error` where there was no answer.

    `attempt` counts from 1; `next_at` is the moment of the next attempt, None where there is none.
    """

    event_id: str
    name: str
    resource_id: str
    at: int
    url: str
    attempt: int
    status: int | None
    error: str | None
    next_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file's bytes and its name; `size` is in bytes."""

    id: str
    filename: str
    size: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReply:
    """The first reply under an idempotency key, the API's version it follows, and a fingerprint of the request it answered."""

    at: int
    fingerprint: str
    status: int
    media_type: str
    version: str
    body: bytes


def related(resource: Resource, *names: str) -> str | None:
    """Return the id of the first object that a resource is related to by one of these names, or None."""
    for name in names:
        target = resource.relationships.get(name)
        if isinstance(target, list):
            target = target[0] if target else None
        if target:
            return str(target["id"])
    return None
