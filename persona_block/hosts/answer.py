"""What a tool gives back to a model, whether the call went well, was not agreed to or failed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import InputError, PersonaError, TookEffect
from ..spec.grammar import TOOL_PREFIX
from .brevity import UNREAD_FIELDS, brief, summary, without_nulls
from .consent import ConsentRequest
from .tool import Tool

_EFFECT_SENTENCES: dict[TookEffect, str] = {
    "no": "Nothing was changed.",
    "unknown": "Whether it took effect is unknown: read the object before you try again, or it may happen twice.",
    "yes": "It took effect.",
}


@dataclass(frozen=True)
class ToolAnswer:
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
        """What a model gets where it gets one text: the words of an error, or a line in words and then the data as JSON."""
        return self.text if set(self.data) == {"error"} else f"{self.text.partition(chr(10))[0]}\n{self.json}"


def success_answer(
    tool: Tool, output: Mapping[str, Any], fields: Sequence[str] = (), left_out: Collection[str] = UNREAD_FIELDS
) -> ToolAnswer:
    """Return the answer of a call that went well.

    fields: the fields of its objects that the model named; without any, those of `left_out` stay out.
    """
    data = brief(tool, output, fields, left_out)
    if tool.spec.paginate:
        data = {tool.spec.paginate.items: [], **data}
    return ToolAnswer(data, summary(tool, data, whole=bool(fields)))


def failure_answer(error: PersonaError, tool: Tool | None = None) -> ToolAnswer:
    """Return the answer for an error: what is wrong, each problem on a line, what was changed, and what was read before.

    tool: the tool that failed, whose output is then summed up; None where it is not known.
    """
    message = error.message
    if isinstance(error, InputError):
        message = "Nothing was sent. Put right:"
        text = "\n".join([message, *(f"- {problem.param}: {problem.message}" for problem in error.problems)])
    else:
        text = message if error.took_effect is None else f"{message} {_EFFECT_SENTENCES[error.took_effect]}"
    partial_output = without_nulls(error.output)
    if tool and partial_output:
        text += f"\nRead before that: {summary(tool, partial_output)}"
    return ToolAnswer({**partial_output, "error": _details(error, message)}, text, is_error=True)


def _details(error: PersonaError, message: str) -> dict[str, Any]:
    """Return the details of an error for a model.

    A model cannot hand an idempotency key back: what it sends again is a new call, which may happen beside the first. So it
    is told of no key, and that it may try again only where nothing can have happened.
    """
    details: dict[str, Any] = without_nulls({**error.details(), "message": message, "idempotencyKey": None})
    return details | {"retryable": error.retryable and error.took_effect != "unknown"}


def not_agreed_answer(request: ConsentRequest) -> ToolAnswer:
    """Return the answer where a person did not agree."""
    text = f"{TOOL_PREFIX}{request.operation}: the person who was asked did not agree. Nothing was sent or changed."
    return unsent_answer("not_agreed", text)


def unsent_answer(kind: Literal["not_agreed", "consent_unavailable"], message: str) -> ToolAnswer:
    """Return the answer for a call that a person's missing agreement stopped before anything was sent."""
    return ToolAnswer({"error": {"kind": kind, "message": message, "tookEffect": "no"}}, message, is_error=True)
