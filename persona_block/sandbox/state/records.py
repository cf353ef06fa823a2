"""What the sandbox remembers, one class for each thing: resources, requests, changes, events, files, answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Identifier = dict[str, str]


@dataclass(slots=True)
class Resource:
    """One API object; relationships hold identifiers without their `data` wrapper."""

    id: str
    type: str
    environment: str
    created: int
    attributes: dict[str, Any]
    relationships: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)  # what the sandbox knows and never answers
    files: dict[str, str] = field(default_factory=dict)  # place in the attributes -> file id
    due: int | None = None  # when time alone will change it
    seq: int = 0

    @property
    def kind(self) -> str:
        """The type without what follows its slash: `report` of `report/watchlist`."""
        return self.type.partition("/")[0]

    @property
    def identifier(self) -> Identifier:
        """How a relationship names it."""
        return {"type": self.type, "id": self.id}


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that the API answered; `api_key` is masked, `effects` counts the changes it made."""

    id: str
    at: int
    environment: str | None
    api_key: str
    method: str
    path: str
    query: str
    status: int
    idempotency_key: str | None
    replayed: bool
    effects: int


@dataclass(frozen=True, slots=True)
class Effect:
    """One change that happened, named as Persona names the event, where it has one; `status` is the resource's after it.

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


@dataclass(frozen=True, slots=True)
class Event:
    """One event that a webhook is told of: `body` as it is sent, what it was when it happened.

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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to deliver an event: the `status` that was answered, or the `error` where nothing was.

    `attempt` counts from 1; `next_at` is when it is tried again, None where it is not.
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


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file's bytes and its name."""

    id: str
    filename: str
    size: int
    content: bytes


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was first answered under an idempotency key."""

    at: int
    fingerprint: str
    status: int
    media_type: str
    body: bytes


def related(resource: Resource, *names: str) -> str | None:
    """Give the id of the first object that a resource is related to by one of these names, or None."""
    for name in names:
        target = resource.relationships.get(name)
        if isinstance(target, list):
            target = target[0] if target else None
        if target:
            return str(target["id"])
    return None
