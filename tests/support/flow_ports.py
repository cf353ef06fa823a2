"""Stand-ins for what flows are wired to: they note what they are given, and may answer, fail or be away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from persona_block.errors import PersonaError
from persona_block.flows import Content, Message, Ports, Reply, StoredRef


@dataclass
class People:
    """Everybody who is told or asked; `answers` gives the option and the comment to a question, or None to let it wait."""

    answers: Callable[[Message], Reply | None] = lambda _message: None
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    """Target, text and dedupe id of each message."""
    asked: list[Message] = field(default_factory=list)
    failures: list[PersonaError] = field(default_factory=list)
    """Raised by the next messages, one each."""

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((target, message.text, dedupe_id))
        if message.options:
            self.asked.append(message)
        return self.answers(message) if message.options else None

    @property
    def texts(self) -> list[str]:
        """The text of each message."""
        return [text for _, text, _ in self.sent]


@dataclass
class Shelf:
    """A store in memory."""

    kept: dict[str, tuple[Content, bytes]] = field(default_factory=dict)
    """The content, and its bytes, by the URL it is kept at."""

    async def put(self, content: Content, url: str, dedupe_id: str) -> StoredRef:
        where = f"{url.rstrip('/')}/{dedupe_id}-{content.name}"
        with content.open() as stream:
            self.kept[where] = content, stream.read()
        return StoredRef(where)


def ports(people: People, shelf: Shelf | None = None) -> Ports:
    """Return ports on which every target reaches these people."""
    return Ports({form: people for form in ("slack", "mail", "https", "console", "contact")}, shelf or Shelf())


def choosing(option: str, comment: str | None = "Looks right") -> Callable[[Message], Reply | None]:
    """Return answers that always choose this option, or the first where a question does not have it."""
    return lambda message: Reply(option if option in message.options else message.options[0], comment)
