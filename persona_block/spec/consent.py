"""What a person is asked before an operation decides about somebody or erases something."""

from __future__ import annotations

from typing import Literal, NamedTuple

from .grammar import PLACEHOLDER, ParamName, ToolSpec


class ConsentWords(NamedTuple):
    """The words of the question."""

    effect: Literal["decide", "erase"]
    question: str
    """The operation's sentence, with its placeholders and clauses, as a question."""
    text: str
    """What the operation does, in one sentence."""
    warning: str | None
    """What a person has to know last, or None."""
    typed: ParamName | None
    """The param whose value a person types to agree; None where a plain yes is enough."""


def consent_words(spec: ToolSpec) -> ConsentWords | None:
    """Return what a person is asked before the operation, or None where nobody has to be asked."""
    if spec.effect != "decide" and spec.effect != "erase":
        return None
    erases = spec.effect == "erase"
    return ConsentWords(
        effect=spec.effect,
        question=f"{spec.sentence}?",
        text=spec.description.partition(". ")[0].rstrip(".") + ".",
        warning="This cannot be undone." if erases else None,
        typed=PLACEHOLDER.findall(spec.request.path)[0] if erases else None,
    )
