"""Asking a person before something is decided about somebody, or erased."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..spec.grammar import PLACEHOLDER, Effect, ToolSpec

SettlingEffect = Literal["decide", "erase"]
"""An effect that a person has to agree to."""

NEEDS_CONSENT: frozenset[Effect] = frozenset({"decide", "erase"})
"""The effects that a person has to agree to."""

_TEXT_LIMIT = 300
"""Characters of one value in a question."""


@dataclass(frozen=True)
class ConsentRequest:
    """What a person is asked: `message` says what will happen to which object.

    effect: `decide` or `erase`; an erasure is confirmed by typing `object_id`.
    """

    operation: str
    title: str
    effect: SettlingEffect
    object_id: str
    message: str = field(repr=False)

    @property
    def prompt(self) -> str:
        """How to agree, where a person answers in text."""
        return f"To confirm, type {self.object_id}" if self.effect == "erase" else "To agree, type yes"

    def is_agreed(self, text: str) -> bool:
        """Return whether what a person typed after `prompt` agrees."""
        return text.strip() == (self.object_id if self.effect == "erase" else "yes")


Consent = Callable[[ConsentRequest], bool | Awaitable[bool]]
"""Asks a person; True lets the operation happen. May be a coroutine function."""


def consent_request(spec: ToolSpec, params: Mapping[str, Any]) -> ConsentRequest | None:
    """Return what to ask before an operation with these checked params, or None where nobody has to be asked."""
    if spec.effect != "decide" and spec.effect != "erase":
        return None
    object_id = str(params[PLACEHOLDER.findall(spec.request.path)[0]])
    sentence = PLACEHOLDER.sub(lambda match: _on_one_line(params.get(match[1], "")), spec.sentence)
    other_params = [
        f"{spec.params[name].title}: “{_on_one_line(value)}”"
        for name, value in params.items()
        if name not in PLACEHOLDER.findall(spec.sentence)
    ]
    lines = [f"{sentence}?", spec.description.partition(". ")[0].rstrip(".") + ".", *other_params]
    if spec.effect == "erase":
        lines.append("This cannot be undone.")
    return ConsentRequest(spec.name, spec.title, spec.effect, object_id, "\n".join(lines))


def _on_one_line(value: Any) -> str:
    """Return a value as one line, so that a text which a model wrote cannot pass for part of the question."""
    beginning = str(value)[: _TEXT_LIMIT + 1]
    text = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in beginning)
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}…"
