"""Asking a person before something is decided about somebody, or erased."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..spec.grammar import PLACEHOLDER, ToolSpec

NEEDS_CONSENT = frozenset({"decide", "erase"})
"""The effects that a person has to agree to."""

_TEXT_LIMIT = 300


@dataclass(frozen=True)
class ConsentRequest:
    """What a person is asked: `message` says what will happen to which object.

    effect: `decide` or `erase`; an erasure is confirmed by typing `object_id`.
    """

    operation: str
    title: str
    effect: str
    object_id: str
    message: str = field(repr=False)

    @property
    def prompt(self) -> str:
        """How to agree, where a person answers in text."""
        return f"To confirm, type {self.object_id}" if self.effect == "erase" else "To agree, type yes"

    def is_agreed(self, text: str) -> bool:
        """Whether what a person typed after `prompt` agrees."""
        return text.strip() == (self.object_id if self.effect == "erase" else "yes")


Consent = Callable[[ConsentRequest], bool | Awaitable[bool]]
"""Asks a person; True lets the operation happen. May be a coroutine function."""


def consent_request(spec: ToolSpec, values: Mapping[str, Any]) -> ConsentRequest | None:
    """What to ask before an operation with these checked params, or None where nobody has to be asked."""
    if spec.effect not in NEEDS_CONSENT:
        return None
    object_id = str(values[PLACEHOLDER.findall(spec.request.path)[0]])
    what = PLACEHOLDER.sub(lambda name: _shown(values.get(name[1], "")), spec.sentence)
    others = [
        f"{spec.params[name].title}: “{_shown(value)}”"
        for name, value in values.items()
        if name not in PLACEHOLDER.findall(spec.sentence)
    ]
    lines = [f"{what}?", spec.description.partition(". ")[0].rstrip(".") + ".", *others]
    if spec.effect == "erase":
        lines.append("This cannot be undone.")
    return ConsentRequest(spec.name, spec.title, spec.effect, object_id, "\n".join(lines))


def _shown(value: Any) -> str:
    """A value on one line, so that a text which a model wrote cannot pass for part of the question."""
    text = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in str(value))
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}…"
