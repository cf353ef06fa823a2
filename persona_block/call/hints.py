"""Hints: what a caller may have meant otherwise, though it is sent as it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..spec.grammar import ToolSpec, Wait
from ..spec.nearest import nearest_name
from .formats import trimmed


def value_hints(spec: ToolSpec, values: Mapping[str, Any]) -> Iterator[str]:
    """Return a sentence for each param with a value that Persona is not known to have; it never holds the value.

    Such a value is sent all the same, since Persona may add some at any time.
    """
    for name, value in values.items():
        param = spec.params[name]
        if param.all_known and param.suggestions and isinstance(value, str):
            given = [trimmed(each) for each in value.split(",")]
            yield from _hint(name, given, param.suggestions)


def status_hints(wait: Wait, statuses: Collection[str]) -> Iterator[str]:
    """Return a sentence where one of the statuses to wait for is not known to come."""
    yield from _hint("until", statuses, dict.fromkeys([*wait.running, *wait.success, *wait.failure]))


def _hint(name: str, given: Collection[str], known: Collection[str]) -> Iterator[str]:
    unknown = [each for each in given if each not in known]
    if unknown:
        nearest = nearest_name(unknown[0], known, cutoff=0.5)
        meant = f"did you mean {nearest}?" if nearest else f"it knows {', '.join(known)}."
        yield f"{name}: holds a value that Persona is not known to have; {meant}"
