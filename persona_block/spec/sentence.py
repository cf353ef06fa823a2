"""The sentence of an operation, as a line that shows the params which have values.

`{name}` stands for the value of a param. A clause in brackets is left out until all its params have values, so that a sentence
reads well with nothing filled in: `List inquiries[ with status {status}][ for {referenceId}]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .grammar import PLACEHOLDER

BLANK = "…"
"""What stands in the place of a value that is missing."""

_CLAUSE = re.compile(r"\[([^\[\]]*)\]")


def without_clauses(sentence: str) -> str:
    """Return what is shown of a sentence whatever has a value: all that stands outside its clauses."""
    return _CLAUSE.sub("", sentence)


def shown_params(sentence: str, values: Mapping[str, str]) -> list[str]:
    """Return the params that a sentence shows with these values, in reading order."""
    return PLACEHOLDER.findall("".join(_shown_parts(sentence, values)))


def filled_sentence(sentence: str, values: Mapping[str, str]) -> str:
    """Return a sentence with its values; a param outside the clauses that has none is shown as a blank.

    values: text by param; a param without a value is missing or empty. Braces and brackets within a value mean nothing.
    """
    return "".join(
        PLACEHOLDER.sub(lambda match: values.get(match[1]) or BLANK, part) for part in _shown_parts(sentence, values)
    )


def _shown_parts(sentence: str, values: Mapping[str, str]) -> Iterator[str]:
    """Yield what stands outside the clauses, and the clauses whose params all have values."""
    for position, part in enumerate(_CLAUSE.split(sentence)):
        is_clause = position % 2 == 1
        if not is_clause or all(values.get(name) for name in PLACEHOLDER.findall(part)):
            yield part
