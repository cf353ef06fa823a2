"""The organisation, and its environments as one request or one step of time sees them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ..messages.errors import Refusal, conflict, not_found
from .clock import HOUR, SECOND, Clock, iso
from .records import Effect, Resource, StoredFile, related
from .settings import Settings
from .store import Store

PRODUCTION = "production"
SANDBOX = "sandbox"
ORGANIZATION = "organization"
"""The environment of templates and other objects that both production and sandbox see."""

ORGANIZATION_ID = "org_OfflineSimulation"
ENVIRONMENT_IDS = {PRODUCTION: "env_OfflineProduction", SANDBOX: "env_OfflineSandbox"}

FILE_LIFETIME = 6 * HOUR
"""How long a file's URL works after the answer that held it (docs.withpersona.com/downloading-files)."""

PREFIXES = {
    "inquiry": "inq",
    "inquiry-session": "iqse",
    "account": "act",
    "case": "case",
    "report": "rep",
    "verification": "ver",
    "document": "doc",
    "document-file": "docf",
    "selfie": "self",
    "importer": "mprt",
}
"""The prefix of each kind's ids, as in the OpenAPI's examples."""

_ALPHANUMERIC = bytes.maketrans(b"+/", b"Xz")


class Organization:
    """What all requests share: the store, the clock, the settings, and the public URLs.

    `origin` and `files_url` are the public bases of the API and of file URLs, without a trailing slash. `serving` tells
    whether a server runs, whose background task imports; `is_importing` whether an import that is due has rows left.
    """

    def __init__(self, store: Store, clock: Clock, settings: Settings, seed: int, origin: str, files_url: str) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self.origin = origin
        self.files_url = files_url
        self.serving = False
        self.is_importing = False
        self.secret = store.setting("seed", str(seed)).encode()
        # Called for each change where there is a webhook, with the event's name, its resource and its context.
        self.publish: Callable[[Environment, str, Resource, dict[str, Any]], None] | None = None
        # Called with simulated seconds to replace the webhook's secret, where there is one; it returns the new secret.
        self.rotate_secret: Callable[[float], str] | None = None

    def token(self, purpose: str, subject: object, length: int = 24) -> str:
        """Return alphanumerics that depend on the seed, the purpose and the subject alone."""
        digest = hashlib.blake2b(f"{purpose}:{subject}".encode(), key=self.secret.ljust(1, b"0")[:64], digest_size=48)
        return base64.b64encode(digest.digest()).translate(_ALPHANUMERIC).decode()[:length]

    def file_url(self, file_id: str, filename: str, now: int) -> str:
        """Return a file's URL, which works for `FILE_LIFETIME`."""
        claim = f"{file_id}.{now + FILE_LIFETIME}"
        return f"{self.files_url}/{quote(filename, safe='')}?access_token={claim}.{self.token('file', claim)}"

    def open_file(self, filename: str, access_token: str, now: int) -> StoredFile | None:
        """Return the file of a URL, or None where its token is wrong or has expired."""
        claim, _, signature = access_token.rpartition(".")
        file_id, _, expires = claim.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self.token("file", claim).encode()):
            return None
        file = self.store.get_file(file_id) if int(expires) > now else None
        return file if file and file.filename == filename else None


class Environment:
    """One environment at one moment, in which one request or actor reads, changes and logs resources.

    `now` is that moment, in milliseconds since the epoch. It moves on so that no two changes of one resource share a moment,
    and where something takes its time (see `elapse`). `actor` is one of those of `Effect`, by default `api`. `effects` counts
    the changes.
    """

    def __init__(
        self, organization: Organization, name: str, now: int, actor: str = "api", request_id: str | None = None
    ) -> None:
        self.organization = organization
        self.store = organization.store
        self.settings = organization.settings
        self.name = name
        self.now = now
        self.actor = actor
        self.request_id = request_id
        self.effects = 0
        # One object for each id, so that two reads of one resource never overwrite each other's changes.
        self._loaded: dict[str, Resource] = {}

    def elapse(self, seconds: float) -> None:
        """Let simulated seconds pass before what follows."""
        self.now += round(seconds * SECOND)

    @property
    def timestamp(self) -> str:
        """This moment as the API writes it."""
        return iso(self.now)

    def create(
        self,
        type_: str,
        attributes: dict[str, Any],
        relationships: dict[str, Any],
        *,
        event: str | None = None,
        private: dict[str, Any] | None = None,
        due: int | None = None,
    ) -> Resource:
        """Add a resource with a new id, and log its event if one is named.

        `due` is the moment at which time alone will change it. Raises a 409 for a second account of one reference id.
        """
        seq = self.store.next_seq()
        prefix = PREFIXES[type_.partition("/")[0]]
        id = f"{prefix}_{self.organization.token(prefix, seq)}"
        resource = Resource(
            id=id,
            type=type_,
            environment=self.name,
            created=self.now,
            attributes=attributes,
            relationships=relationships,
            private=private or {},
            due=due,
            seq=seq,
        )
        self._write(self.store.insert, resource)
        self._loaded[id] = resource
        if event:
            self.log(event, resource)
        return resource

    def save(self, resource: Resource, event: str | None = None) -> None:
        """Write a changed resource, and log the event if one is named. Raises a 409 as `create` does."""
        if event:
            self.now = self.store.moment_of_change(resource.id, self.now)
        if "updated-at" in resource.attributes:
            resource.attributes["updated-at"] = self.timestamp
        self._write(self.store.update, resource)
        if event:
            self.log(event, resource)

    def log(self, event: str, resource: Resource, context: dict[str, Any] | None = None) -> None:
        """Log a change of a resource, after all its others; `context` is what its event adds for a webhook."""
        self.effects += 1
        self.now = self.store.moment_of_change(resource.id, self.now)
        status = resource.attributes.get("status")
        effect = Effect(
            at=self.now,
            environment=self.name,
            name=event,
            resource_id=resource.id,
            status=status,
            actor=self.actor,
            request_id=self.request_id,
        )
        self.store.add_effect(effect)
        if self.organization.publish is not None:
            self.organization.publish(self, event, resource, context or {})

    def get(self, id: str, kind: str | None = None) -> Resource:
        """Read a resource of this environment or of the organisation. Raises a 404."""
        resource = self._loaded.get(id) or self.store.get(id)
        if resource is None or resource.environment not in (self.name, ORGANIZATION) or (kind and resource.kind != kind):
            raise not_found()
        return self._loaded.setdefault(id, resource)

    def find(self, kind: str, column: str, value: str) -> list[Resource]:
        """Read the resources of a kind whose column holds a value, oldest first."""
        stored = self.store.find(self.name, kind, column, value)
        return [self._loaded.setdefault(resource.id, resource) for resource in stored]

    def related(self, resource: Resource, *names: str) -> Resource | None:
        """Read the first object that a resource is related to by one of these names, or None."""
        id = related(resource, *names)
        return self.get(id) if id else None

    def children(self, resource: Resource, name: str) -> list[Resource]:
        """Read the objects that a to-many relationship names."""
        return [self.get(identifier["id"]) for identifier in resource.relationships.get(name, [])]

    def add_file(self, resource: Resource, filename: str, content: bytes, *places: str) -> None:
        """Store a file of a resource, which its attributes show at these places, such as `photo-urls/0/url`."""
        file_id = f"file{self.organization.token('file-id', f'{resource.id}/{places[0]}/{self.now}')}"
        self.store.put_file(StoredFile(id=file_id, filename=filename, size=len(content), content=content), resource.id)
        resource.files |= dict.fromkeys(places, file_id)

    def delete_files(self, resource: Resource) -> None:
        """Delete the files of a resource."""
        resource.files = {}
        self.store.delete_files(resource.id)

    def _write(self, write: Callable[[Resource], None], resource: Resource) -> None:
        try:
            write(resource)
        except sqlite3.IntegrityError:
            raise _not_unique() from None


def _not_unique() -> Refusal:
    return conflict("An account with this reference id already exists", title="Record not unique")
