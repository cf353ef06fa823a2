"""Answers as brief as a model can use them: no nulls, only the fields that were asked for, and a hint where there is more."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import Problem, printable
from ..spec.grammar import Schema
from .tool import OUTPUT_FIELDS, WAIT, Tool, record, waiter_of

Tree = dict[str, "Tree | None"]

_SHOWN_FIRST = ("id", "type", "status")
_SHOWN_ALSO = (
    "referenceId",
    "name",
    "hasMatch",
    "accountId",
    "inquiryId",
    "resolution",
    "successfulCount",
    "duplicateCount",
    "errorCount",
    "redactedAt",
)
_FINDINGS = ("hasMatch",)
"""What Persona gives a value of before there is one."""


def without_nulls(value: Any) -> Any:
    """A copy without nulls, and without objects that hold nothing else; what was empty stays, for that says something."""
    if isinstance(value, Mapping):
        kept = {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
        return {key: inner for key, inner in kept.items() if inner != {} or not value[key]}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def check_fields(tool: Tool, wanted: Any) -> tuple[list[str], list[Problem]]:
    """The wanted fields of an object, and a problem for each that it does not have.

    A field below another is named with a dot, such as `attributes.matchedLists`; what is below is the customer's or
    Persona's own and not checked.
    """
    described = record(tool.spec)
    if wanted is None:
        return [], []
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted) or described is None:
        return [], [Problem(OUTPUT_FIELDS, 'must be a list of field names such as ["id", "status"]')]
    known: Schema = described[1]["properties"]
    problems = []
    for path in wanted:
        name = path.partition(".")[0]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            problems.append(Problem(OUTPUT_FIELDS, f"{described[0]} has no field {name[:64]!r}; {hint}"))
    return wanted, problems


def narrowed(tool: Tool, output: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """An output whose object, or each object of its list, keeps its id and the wanted fields.

    A dot steps into an object, or into each object of a list. Wanted fields that stand nowhere are told as `absentFields`.
    """
    described = record(tool.spec)
    if described is None or not wanted or described[0] not in output:
        return dict(output)
    name = described[0]
    held = output[name]
    absent = [path for path in wanted if not _reaches(held, path.split("."))] if held else []
    told = {"absentFields": [printable(path) for path in absent]} if absent else {}
    return {**output, name: _kept(held, _tree(("id", *wanted))), **told}


def _tree(paths: Iterable[str]) -> Tree:
    """The paths by their first step; None where a path ends, which keeps all that is below."""
    branches: dict[str, list[str] | None] = {}
    for path in paths:
        step, _, rest = path.partition(".")
        below = branches.setdefault(step, [])
        branches[step] = [*below, rest] if rest and below is not None else None
    return {step: None if below is None else _tree(below) for step, below in branches.items()}


def _kept(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [kept for each in value if (kept := _kept(each, tree)) is not None]
    if not isinstance(value, Mapping):
        return None
    return {step: value[step] if below is None else _kept(value[step], below) for step, below in tree.items() if step in value}


def _reaches(value: Any, steps: list[str]) -> bool:
    """Whether a path leads somewhere; what an empty list would hold cannot be told, and counts as there."""
    if not steps:
        return True
    if isinstance(value, list):
        return not value or any(_reaches(each, steps) for each in value)
    return isinstance(value, Mapping) and steps[0] in value and _reaches(value[steps[0]], steps[1:])


def settled(tool: Tool, output: Mapping[str, Any]) -> dict[str, Any]:
    """An output that promises nothing of what still runs: its findings are left out, and `more` says what to do."""
    described, waiter = record(tool.spec), waiter_of(tool.spec)
    if described is None or waiter is None or described[0] not in output:
        return dict(output)
    assert waiter.wait is not None
    ended = waiter.wait.success + waiter.wait.failure
    name, held = described[0], output[described[0]]
    objects = held if isinstance(held, list) else [held]
    if all(each.get("status") in ended for each in objects):
        return dict(output)
    kept = [each if each.get("status") in ended else {**each, **dict.fromkeys(_FINDINGS)} for each in objects]
    hint = f"What is still running has found nothing yet. Call {waiter.tool_id} with {WAIT} for how it ends."
    return {"more": hint, **output, name: kept if isinstance(held, list) else kept[0]}


def summary(tool: Tool, output: Mapping[str, Any], *, whole: bool = False) -> str:
    """A few lines about a brief output: of each object its id, status and the like, or all it holds, and what is beside it."""
    described = record(tool.spec)
    name = described[0] if described else ""
    held = output.get(name, [] if name and tool.spec.paginate else None)
    lines: list[str] = []
    if isinstance(held, list):
        lines += [f"{len(held)} {_words(name)}" + (":" if held else "."), *(f"- {_line(each, whole)}" for each in held)]
    elif isinstance(held, Mapping):
        lines.append(f"{_words(name)} {_line(held, whole)}")
    lines += [f"{key}: {_text(value)}" for key, value in output.items() if key != name]
    return "\n".join(lines)


def _line(value: Mapping[str, Any], whole: bool) -> str:
    head = " ".join(str(value[key]) for key in _SHOWN_FIRST if key in value)
    also = [key for key in value if key not in _SHOWN_FIRST] if whole else _SHOWN_ALSO
    rest = [f"{key} {_text(value[key])}" for key in also if key in value]
    return ", ".join([head, *rest])


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
