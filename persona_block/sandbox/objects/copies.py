"""The copies of an object that a redaction reaches: in stored replies, in written events, in logged requests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from ...spec.inflection import kebab
from ..state.environment import Environment
from ..state.records import Resource
from .fields import INQUIRY_FIELDS, plain, redacted

# The attributes that stay: they tell how a process went, and nothing about the person
_KEPT_ATTRIBUTES = {
    "account": frozenset({"reference-id", "account-type-name", "account-status", "tags", "created-at", "updated-at"}),
    "inquiry": frozenset(
        {
            "status",
            "reference-id",
            "behaviors",
            "tags",
            "creator",
            "created-at",
            "updated-at",
            "started-at",
            "completed-at",
            "failed-at",
            "marked-for-review-at",
            "decisioned-at",
            "expired-at",
            "previous-step-name",
            "next-step-name",
        }
    ),
    "verification": frozenset(
        {"status", "created-at", "created-at-ts", "submitted-at", "submitted-at-ts", "completed-at", "completed-at-ts", "tags"}
    ),
    "document": frozenset({"status", "created-at", "processed-at", "processed-at-ts", "kind"}),
    "document-file": frozenset({"capture-method"}),
    "report": frozenset(
        {
            "status",
            "created-at",
            "completed-at",
            "report-template-version-name",
            "has-match",
            "is-continuous",
            "is-recurring",
            "tags",
        }
    ),
}

# The attributes whose texts a caller may have written elsewhere; the others are the simulation's own words.
_PERSONAL_ATTRIBUTES = frozenset({*INQUIRY_FIELDS, "fields", "note", "reviewer-comment", "term", "query"})

# Shorter texts, such as a country, are no sign of a person within a longer one.
_SHORTEST_PART = 4

_ERASED = "***"

_FORMER_TEXTS = "former-texts"
"""Where an object privately keeps the texts that it once held, until its redaction."""
_LONGEST_FORMER_TEXT = 200
_KEY_DIGEST = re.compile("sha256:[0-9a-f]{64}")


def redacted_attributes(type_: str, attributes: dict[str, Any], timestamp: str) -> dict[str, Any]:
    """Return the attributes of an object as they are after its redaction at a moment; their names may have any inflection."""
    kind = type_.partition("/")[0]
    result: dict[str, Any] = {}
    for name, value in attributes.items():
        attribute = kebab(name)
        if attribute == "redacted-at":
            result[name] = timestamp
        elif attribute in _KEPT_ATTRIBUTES[kind]:
            result[name] = value
        elif attribute == "fields" and kind in ("account", "inquiry"):
            result[name] = {field_name: redacted(field) for field_name, field in value.items()}
        elif (type_, attribute) != ("report/adverse-media", "term"):  # the schema admits no null there
            result[name] = _emptied(value)
    return result


def keep_former_texts(resource: Resource) -> None:
    """Keep what is to be looked for elsewhere, before an update of an object that may replace it."""
    texts = {text for text in _personal_texts(resource.attributes) if len(text) <= _LONGEST_FORMER_TEXT}
    redirect_uri = resource.private.get("redirect-uri")
    texts |= {redirect_uri} if redirect_uri else set()
    if texts:
        resource.private[_FORMER_TEXTS] = sorted({*resource.private.get(_FORMER_TEXTS, ()), *texts})


class Copies:
    """The objects that one redaction empties, and what it is to erase of them elsewhere; `redacted_at` is its moment."""

    def __init__(self, env: Environment) -> None:
        self.redacted_at = env.timestamp
        self._env = env
        self._ids: set[str] = set()
        self._texts: set[str] = set()

    def add(self, resource: Resource) -> None:
        """Add an object that is to be emptied; what it holds and once held is erased elsewhere too."""
        self._ids.add(resource.id)
        filenames = [filename for filename, _ in self._env.store.file_names(resource.id).values()]
        former_texts = resource.private.pop(_FORMER_TEXTS, None)
        self._texts |= set(_texts([resource.private.get("redirect-uri"), filenames, former_texts]))
        self._texts |= _personal_texts(resource.attributes)

    def erase(self) -> None:
        """Erase what the store holds of the objects beside themselves, and what its file kept of earlier writes.

        Replies and events come first: what they tell of the objects' earlier states is erased from the requests too.
        """
        store = self._env.store
        store.rewrite_replies(self._without_person)
        store.rewrite_events(self._ids, self._without_person)
        pattern = self._pattern()
        store.rewrite_requests(self._ids, lambda text: _masked(text, pattern) if pattern else text, _key_digest)
        store.purge_on_commit()

    def _without_person(self, body: bytes) -> bytes | None:
        """Return a body in which the redacted objects are empty, or None for one that holds none of them."""
        if not any(id.encode() in body for id in self._ids):
            return None
        document = json.loads(body)
        for each in _objects(document):
            if each.get("id") in self._ids and "attributes" in each:
                self._texts |= _personal_texts(each["attributes"])
                each["attributes"] = redacted_attributes(each["type"], each["attributes"], self.redacted_at)
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()

    def _pattern(self) -> re.Pattern[str] | None:
        """Return what finds the erased texts in a text: long ones in any place, short ones alone."""
        parts = [re.escape(text) if len(text) >= _SHORTEST_PART else rf"\A{re.escape(text)}\Z" for text in self._texts]
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _key_digest(idempotency_key: str) -> str:
    """Return what is logged of an idempotency key from a redaction on, so that equal ones still are."""
    if _KEY_DIGEST.fullmatch(idempotency_key):
        return idempotency_key
    return f"sha256:{hashlib.sha256(idempotency_key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _objects(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects that an answer or an event is about."""
    data = document.get("data")
    for each in [data] if isinstance(data, dict) else data or []:
        yield each
        payload = each.get("attributes", {}).get("payload") if each.get("type") == "event" else None
        if payload:
            yield from _objects(payload)
    yield from document.get("included", [])


def _masked(text: str, pattern: re.Pattern[str]) -> str:
    """Return a path, a query or a key in which what is between its separators is masked where it holds an erased text."""
    pieces = re.split(r"([/?&=])", text)
    return "".join(_ERASED if pattern.search(unquote_plus(piece)) else piece for piece in pieces)


def _emptied(value: Any) -> Any:
    if isinstance(value, list):
        return []
    if isinstance(value, dict):
        return {}
    return value if isinstance(value, bool) else None


def _personal_texts(attributes: dict[str, Any]) -> set[str]:
    """Return the texts that a caller may have written elsewhere, of attributes whose names may have any inflection."""
    return set(_texts([plain(value) for name, value in attributes.items() if kebab(name) in _PERSONAL_ATTRIBUTES]))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value, at any depth, but not the names of its members."""
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
