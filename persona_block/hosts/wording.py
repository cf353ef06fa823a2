"""The texts of tools, told for a selection: nothing sends a model to a tool that it does not have."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from ..spec import catalog

_CLAUSES = re.compile(r"(?<=[;:]) ")
_SENTENCES = re.compile(r"(?<=\.) ")


def operations_in(text: str) -> set[str]:
    """Return the names of the operations that a text names."""
    return set(operation_names().findall(text))


def for_selection(text: str, offered: Collection[str]) -> str:
    """Return a text without what it says of operations that are not offered: the alternative, the aside or the clause.

    Every first sentence, which says what a tool does, keeps at least its first clause.
    """
    sentences = [_sentence(sentence, offered, is_first=not place) for place, sentence in enumerate(_SENTENCES.split(text))]
    return " ".join(filter(None, sentences))


@cache
def operation_names() -> re.Pattern[str]:
    """Return a pattern that matches the name of any operation."""
    return re.compile(rf"\b({'|'.join(catalog.names())})\b")


def _sentence(sentence: str, offered: Collection[str], *, is_first: bool) -> str:
    """Return a sentence without the clauses that name what is not offered, or nothing where none is left."""
    if _is_fine(sentence, offered):
        return sentence
    told = _without_alternatives(_without_asides(sentence, offered), offered)
    kept = []
    for place, clause in enumerate(_CLAUSES.split(told)):
        shortened = (
            clause if _is_fine(clause, offered) else _without_parts(clause, offered, keeps_first=is_first and not place)
        )
        if shortened:
            kept.append(shortened)
    joined = " ".join(kept).rstrip(" ;:,.")
    return joined[:1].upper() + joined[1:] + "." if joined and not operation_names().match(joined) else joined and joined + "."


def _is_fine(text: str, offered: Collection[str]) -> bool:
    return operations_in(text) <= set(offered)


def _without_asides(text: str, offered: Collection[str]) -> str:
    return re.sub(r" \([^()]*\)", lambda match: match[0] if _is_fine(match[0], offered) else "", text)


def _without_alternatives(text: str, offered: Collection[str]) -> str:
    """Return `use a or b` as `use a` or `use b`, where just one of them is offered."""
    names = operation_names().pattern.strip("\\b")

    def chosen(match: re.Match[str]) -> str:
        known = [name for name in match.groups() if name in offered]
        return known[0] if len(known) == 1 else match[0]

    return re.sub(rf"\b{names} or {names}\b", chosen, text)


def _without_parts(clause: str, offered: Collection[str], *, keeps_first: bool) -> str:
    """Return a clause without the parts between commas that name what is not offered.

    What is left has to stand by itself: the beginning of a first sentence does, and a part that names another tool.
    """
    parts = clause.rstrip(";:.").split(", ")
    kept = [part for part in parts if _is_fine(part, offered)]
    stands = [part for part in kept if operations_in(part)]
    if keeps_first:
        first = parts[: next(place for place, part in enumerate(parts) if not _is_fine(part, offered))]
        return ", ".join(first)
    return ", ".join(stands) + ";" if stands else ""
