"""What a tool gives back: as data and in a few words, whether it went well, was refused or failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError, PersonaError
from ..spec.grammar import TOOL_PREFIX
from .brevity import narrowed, settled, summary, without_nulls
from .consent import ConsentRequest
from .tool import Tool

_EFFECT_WORDS = {
    "no": "Nothing was changed.",
    "unknown": "Whether it took effect is unknown: read the object before you try again, or it may happen twice.",
    "yes": "It took effect.",
}


@dataclass(frozen=True)
class Answer:
    """What a tool gives back: as data, and in a few words."""

    data: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)
    is_error: bool = False

    @property
    def json(self) -> str:
        """The data as compact JSON text, for a host that shows a model nothing but text."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))

    @property
    def content(self) -> str:
        """What a model gets where one text is all it gets: the words of an error, else the data as JSON."""
        return self.text if set(self.data) == {"error"} else self.json


def refused(request: ConsentRequest) -> Answer:
    """The answer where a person did not agree."""
    text = f"{TOOL_PREFIX}{request.operation}: the person who was asked did not agree. Nothing was sent or changed."
    return Answer({"error": {"kind": "not_agreed", "message": text, "tookEffect": "no"}}, text, is_error=True)


def failed(error: PersonaError, called: Tool | None = None) -> Answer:
    """The answer for an error: what is wrong, each problem on a line, what did or did not happen, and what was read before."""
    details = error.details()
    message = error.message
    if isinstance(error, InputError):
        lines = [f"- {problem.param}: {problem.message}" for problem in error.problems]
        message = "Nothing was sent. Put right:"
        text = "\n".join([message, *lines])
    else:
        text = f"{message} {_EFFECT_WORDS.get(error.took_effect or '', '')}".strip()
    before = without_nulls(error.output)
    if called and before:
        text += f"\nRead before that: {summary(called, before)}"
    return Answer({**before, "error": without_nulls({**details, "message": message})}, text, is_error=True)


def answered(called: Tool, output: Mapping[str, Any], fields: Sequence[str]) -> Answer:
    """The answer of a call that went well."""
    data = without_nulls(narrowed(called, settled(called, output), fields))
    paging = called.spec.paginate
    if paging:
        data = {paging.items: [], **data}
    return Answer(data, summary(called, data, whole=bool(fields)))
