"""The seam between flows and what they are wired to: whom a flow tells or asks, and where it keeps files.

An adapter is a `Notifier` or a `Store`. A target is text as people write it: `#channel` or `@user` (Slack), `name@host`
(mail), `https://…` (a JSON POST), `console:` (the terminal), the name of a contact that the operator's file holds, or
`scheme:…` of an adapter that another package offers through the entry point group `persona_block.targets`. This module loads
no adapter before a target names it.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any, Protocol, cast

from ..errors import InputError, Problem

ENTRY_POINTS = "persona_block.targets"
"""The entry point group of further notifiers: the name is the target's scheme, the value a callable that gives a Notifier."""

NOTIFIERS: Mapping[str, str] = {
    "slack": "persona_block.flows.targets.slack:SlackNotifier",
    "mail": "persona_block.flows.targets.mail:MailNotifier",
    "https": "persona_block.flows.targets.https:HttpsNotifier",
    "console": "persona_block.flows.targets.console:ConsoleNotifier",
    "contact": "persona_block.flows.targets.contacts:ContactNotifier",
}
"""The built-in notifiers by the form of their targets; each is made without arguments."""

STORAGE = "persona_block.flows.targets.storage:Storage"
"""The built-in store, for a folder or any fsspec URL; it is made without arguments."""

_MAIL = re.compile(r"[^@\s:/]+@[^@\s/]+")
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):")
_CONTACT = re.compile(r"[A-Za-z0-9+_][A-Za-z0-9+_. -]{0,199}")
"""A name of a contact; it holds nothing that makes a target of another form."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file to keep or to attach; its `repr` shows nothing of what it holds."""

    name: str = field(repr=False)
    """A safe file name, such as `inquiry-inq_….pdf`."""
    media_type: str
    data: bytes | Path = field(repr=False)
    """The bytes, or a whole local file, which is there until the call that took this returns."""

    def open(self) -> IO[bytes]:
        """Return the bytes as a stream from their beginning, for the caller to close; raises OSError."""
        return io.BytesIO(self.data) if isinstance(self.data, bytes) else self.data.open("rb")


@dataclass(frozen=True, slots=True)
class Message:
    """What a target is told, or asked where there are options; its `repr` shows nothing of it."""

    text: str = field(repr=False)
    """Plain text; an adapter escapes it for its own markup."""
    attachments: tuple[Content, ...] = ()
    options: tuple[str, ...] = field(default=(), repr=False)
    """The answers to choose from; empty where nothing is asked."""
    workflow_id: str | None = None
    """The flow that asks; None where nothing is asked."""
    question_id: str | None = None
    """Names the question within its flow; `flows.answer(workflow_id, question_id, option)` answers it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a person."""

    answer: str
    """One of the options."""
    comment: str | None = field(default=None, repr=False)
    """What the person wrote with it."""


@dataclass(frozen=True, slots=True)
class StoredRef:
    """Where a store keeps a file."""

    url: str = field(repr=False)
    """The address it is found at: a storage URL, or `file://…`."""


class Notifier(Protocol):
    """Tells a target something, or asks it.

    One whose `send` waits for the answer has the attribute `answers_at_once` set to True: its questions hold up no other step,
    and `send` is cancelled once an answer came another way, or too late.
    """

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        """Send the message; return the answer where the target gives one at once, as a terminal does, and else None.

        dedupe_id: the same each time the same step of the same flow sends, at most 64 ASCII letters and digits. A step that
        is killed between sending and noting that it has sent is done again, so a target may get a message twice; with this it
        can tell.

        Raises InputError for a target or a message that can never be sent, and another PersonaError where sending failed:
        `retryable` where it may be sent again, `took_effect` "no" where nothing went out.
        """
        ...


class Store(Protocol):
    """Keeps files."""

    async def put(self, content: Content, url: str, dedupe_id: str) -> StoredRef:
        """Keep the content in the folder `url`, and return where; the same dedupe id never leaves two objects.

        dedupe_id and errors are those of `Notifier.send`.
        """
        ...


def form_of(target: str) -> str:
    """Return the form of a target: `slack`, `mail`, `https`, `contact`, or the scheme before its first colon.

    Raises InputError where it is of no form.
    """
    if target[:1] in ("#", "@") and len(target) > 1:
        return "slack"
    scheme = _SCHEME.match(target)
    if scheme:
        return "https" if scheme["scheme"] == "http" else scheme["scheme"]
    if _MAIL.fullmatch(target):
        return "mail"
    if _CONTACT.fullmatch(target):
        return "contact"
    raise InputError("notify", [Problem("to", f"must be one of {_forms()}, not a name that says no way to reach anybody")])


def resolve(target: str) -> Notifier:
    """Return a new notifier for a target, built in or of the entry points; raises InputError where there is none."""
    form = form_of(target)
    if form in NOTIFIERS:
        return cast(Notifier, _factory(NOTIFIERS[form])())
    for entry in entry_points(group=ENTRY_POINTS, name=form):
        return cast(Notifier, entry.load()())
    raise InputError("notify", [Problem("to", f"begins with a scheme that no adapter here takes; use {_forms()}")])


def refuse_computed(target: str) -> None:
    """Raise InputError for a target that what Persona answered has decided, unless it is the name of a contact.

    An applicant may have written what Persona answers: it chooses among the operator's contacts, and nothing else.
    """
    if form_of(target) != "contact":
        message = "comes from what Persona answered, which may only be the name of a contact; give the target as an input"
        raise InputError("notify", [Problem("to", message)])


def built_in_store(*, shared: bool = False) -> Store:
    """Return a new store for folders and fsspec URLs.

    shared: whether several workers run the flows, for whom a folder of one machine is refused.
    """
    return cast(Store, _factory(STORAGE)(shared=shared))


def _factory(address: str) -> Callable[..., Any]:
    module, _, name = address.partition(":")
    return cast(Callable[..., Any], getattr(importlib.import_module(module), name))


def _forms() -> str:
    others = sorted({f"{entry.name}:…" for entry in entry_points(group=ENTRY_POINTS)})
    return ", ".join(["#channel", "@user", "name@host", "https://…", "console:", "the name of a contact", *others])


@dataclass(frozen=True)
class Ports:
    """What flows of one engine are wired to.

    notifiers: by the form of their targets, such as `slack`, `mail` or `contact`, in the place of the built-in ones.
    store: in the place of the built-in one.
    """

    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    store: Store | None = None
    _made: dict[str, Notifier] = field(default_factory=dict, init=False, repr=False)

    def notifier(self, target: str, *, computed: bool = False) -> Notifier:
        """Return who tells a target something; raises InputError where nobody does.

        computed: whether what Persona answered has decided the target, which may then only be the name of a contact.
        """
        if not isinstance(target, str) or not target.strip():
            raise InputError("notify", [Problem("to", "must be text that names a target")])
        if computed:
            refuse_computed(target)
        form = form_of(target)
        if form in self.notifiers:
            return self.notifiers[form]
        if form not in self._made:
            self._made[form] = resolve(target)
        return self._made[form]

    def storage(self, *, shared: bool = False) -> Store:
        """Return where files are kept; shared is that of `built_in_store`."""
        return self.store if self.store is not None else built_in_store(shared=shared)
