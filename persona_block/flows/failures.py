"""Errors as JSON and back, so that a step that failed fails the same way when its workflow is run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import PersonaError, Problem


def to_json(error: PersonaError) -> dict[str, Any]:
    """Return an error as JSON data."""
    state = {name: value for name, value in vars(error).items() if name != "problems"}
    problems = [[problem.param, problem.message, problem.code] for problem in getattr(error, "problems", ())]
    return {"kind": error.kind, "state": state, "problems": problems}


def from_json(data: Mapping[str, Any]) -> PersonaError:
    """Return the error that `to_json` was given."""
    kind = _kinds().get(data["kind"], PersonaError)
    error = kind.__new__(kind)
    error.args = (data["state"]["message"],)
    vars(error).update(data["state"])
    if data["problems"]:
        vars(error)["problems"] = tuple(Problem(*each) for each in data["problems"])
    return error


def _kinds() -> dict[str, type[PersonaError]]:
    return {kind.__new__(kind).kind: kind for kind in _classes(PersonaError)}


def _classes(base: type[PersonaError]) -> Iterator[type[PersonaError]]:
    yield base
    for child in base.__subclasses__():
        yield from _classes(child)
