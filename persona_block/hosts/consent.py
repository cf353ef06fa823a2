"""Asking a person before something is decided about somebody, or erased."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from ..errors import InputError, Problem
from ..spec.consent import consent_words
from ..spec.grammar import PLACEHOLDER, Effect, ToolSpec
from ..spec.sentence import filled_sentence, shown_params
from .preview import Preview, preview_lines
from .visible import visible

SettlingEffect = Literal["decide", "erase"]
"""An effect that a person has to agree to."""

NEEDS_CONSENT: frozenset[Effect] = frozenset({"decide", "erase"})
"""The effects that a person has to agree to."""

QUESTION_LIMIT = 4000
"""Characters of all values in a question, as they are shown; a person would not read more."""

_PLAIN_ID = re.compile(r"[!-~]+")
"""An id of characters that all look different."""


@dataclass(frozen=True)
class ConsentRequest:
    """What a person is asked: `message` says what will happen to which object, with all that is sent.

    effect: `decide` or `erase`; an erasure is confirmed by typing `object_id`.
    digest: what stands for this very call, its operation and all that is sent; agreement to one call is none to another.
    state: what stands for the object as `message` shows it; agreement to one state is none to another. Empty where the object
        was not read.
    """

    operation: str
    title: str
    effect: SettlingEffect
    object_id: str
    message: str = field(repr=False)
    digest: str
    state: str = ""

    @property
    def prompt(self) -> str:
        """How to agree, where a person answers in text."""
        return f"To confirm, type {self.object_id}" if self.effect == "erase" else "To agree, type yes"

    def is_agreed(self, text: str) -> bool:
        """Return whether what a person typed after `prompt` agrees."""
        return text.strip() == (self.object_id if self.effect == "erase" else "yes")


@dataclass(frozen=True)
class Approval:
    """A person's word as a host took it.

    digest, state: those of the ConsentRequest that the person was shown. A state of None is one that the host could not keep:
        then nothing is done to an object that somebody has decided about or erased.
    beforehand: the word is the operator's, for every such call; the object is not read then.
    """

    agreed: bool
    digest: str
    state: str | None
    beforehand: bool = False


Consent = Callable[[ConsentRequest], bool | Awaitable[bool]]
"""Asks a person; True lets the operation happen. May be a coroutine function."""


def consent_request(
    spec: ToolSpec, params: Mapping[str, Any], preview: Preview | None = None, template_names: Mapping[str, str] | None = None
) -> ConsentRequest | None:
    """Return what to ask before an operation with these checked params, or None where nobody has to be asked.

    preview: the object as it is now; None leaves it out of the question.
    template_names: the names of templates by id, as the operator gave them.

    Raises InputError where a person cannot be shown all that is sent: more than QUESTION_LIMIT, or an id that could pass for
    another.
    """
    words = consent_words(spec)
    if words is None:
        return None
    path_ids, sentence_ids = PLACEHOLDER.findall(spec.request.path), PLACEHOLDER.findall(spec.sentence)
    ids = {*path_ids, *sentence_ids}
    values = {name: str(value) if name in ids else _shown(value) for name, value in params.items()}
    if problems := _problems(ids, values):
        raise InputError(spec.tool_id, problems)
    in_question = shown_params(words.question, values)
    others = [f"{spec.params[name].title}: {shown}" for name, shown in values.items() if name not in in_question]
    seen = preview_lines(preview, template_names or {}) if preview else []
    warning = [words.warning] if words.warning else []
    lines = [filled_sentence(words.question, values), words.text, *seen, *others, *warning]
    state = preview.state if preview else ""
    return ConsentRequest(
        spec.name, spec.title, words.effect, values[path_ids[0]], "\n".join(lines), call_digest(spec, params), state
    )


def call_digest(spec: ToolSpec, params: Mapping[str, Any]) -> str:
    """Return what stands for a call: the same for the same operation and checked params, however they were written."""
    return sha256(json.dumps([spec.name, params], sort_keys=True, default=str).encode()).hexdigest()


def _shown(value: Any) -> str:
    """Return a value as a person is shown it; of a text that is too long for any question, only the beginning."""
    return visible(value[: QUESTION_LIMIT + 1] if isinstance(value, str) else value)


def _problems(ids: set[str], values: Mapping[str, str]) -> list[Problem]:
    """Return what a person could not be shown; `values` are shown ones, but ids are as they are sent."""
    text = "must be an id of plain letters, digits and signs, so that a person who is asked can tell it from others"
    problems = [Problem(name, text) for name, shown in values.items() if name in ids and not _PLAIN_ID.fullmatch(shown)]
    if sum(map(len, values.values())) > QUESTION_LIMIT:
        longest = max(values, key=lambda name: len(values[name]))
        text = f"is too long to be shown to the person who is asked: {QUESTION_LIMIT} characters at most, with all else"
        problems += [Problem(longest, text)] if longest not in [problem.param for problem in problems] else []
    return problems
