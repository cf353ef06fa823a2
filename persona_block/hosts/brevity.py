"""Outputs as brief as a model can use them: no nulls, only the fields that were asked for, and a hint where there is more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import Problem, printable
from ..spec.nearest import nearest_name
from .tool import OUTPUT_FIELDS, WAIT, Tool, object_output, waiter_of

FieldTree = dict[str, "FieldTree | None"]
"""Dotted fields by their first step; None where a field ends and all below it is meant."""

_SHOWN_FIRST = ("id", "type", "status")
"""The fields that the line about an object begins with."""
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
"""The fields that follow, each by its name."""
_EARLY_FINDINGS = ("hasMatch",)
"""The fields that Persona gives a value before there is a finding."""


def without_nulls(value: Any) -> Any:
    """Return a copy without nulls, and without objects that hold nothing else; what was empty before stays."""
    if isinstance(value, Mapping):
        kept = {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
        return {name: inner for name, inner in kept.items() if inner != {} or not value[name]}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def check_fields(tool: Tool, fields: Any) -> tuple[list[str], list[Problem]]:
    """Return the named fields of an object, and a problem for each that it does not have.

    A field below another is named with a dot, such as `attributes.matchedLists`; what is below is the customer's or
    Persona's own and not checked.
    """
    output = object_output(tool.spec)
    if fields is None:
        return [], []
    if not isinstance(fields, list) or not all(isinstance(path, str) for path in fields) or output is None:
        return [], [Problem(OUTPUT_FIELDS, 'must be a list of field names such as ["id", "status"]')]
    known = output.schema["properties"]
    problems = []
    for path in fields:
        name = path.partition(".")[0]
        if name not in known:
            nearest = nearest_name(name, known)
            hint = f"did you mean {nearest}?" if nearest else f"there are {', '.join(known)}"
            problems.append(Problem(OUTPUT_FIELDS, f"{output.name} has no field {name[:64]!r}; {hint}"))
    return fields, problems


def select_fields(tool: Tool, output: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return an output whose object, or each object of its list, keeps its id and the named fields; without any, all of them.

    A dot steps into an object, or into each object of a list. Fields that stand nowhere are listed as `absentFields`.
    """
    described = object_output(tool.spec)
    if described is None or not fields or described.name not in output:
        return dict(output)
    objects = output[described.name]
    absent = [path for path in fields if not _leads_somewhere(objects, path.split("."))] if objects else []
    hint = {"absentFields": [printable(path) for path in absent]} if absent else {}
    return {**output, described.name: _kept(objects, _field_tree(("id", *fields))), **hint}


def _field_tree(paths: Iterable[str]) -> FieldTree:
    branches: dict[str, list[str] | None] = {}
    for path in paths:
        step, _, rest = path.partition(".")
        below = branches.setdefault(step, [])
        branches[step] = [*below, rest] if rest and below is not None else None
    return {step: None if below is None else _field_tree(below) for step, below in branches.items()}


def _kept(value: Any, tree: FieldTree) -> Any:
    """Return what a tree keeps of an object or of each object of a list; None for anything else."""
    if isinstance(value, list):
        return [kept for entry in value if (kept := _kept(entry, tree)) is not None]
    if not isinstance(value, Mapping):
        return None
    return {step: value[step] if below is None else _kept(value[step], below) for step, below in tree.items() if step in value}


def _leads_somewhere(value: Any, steps: Sequence[str]) -> bool:
    """Return whether a path ends at a value; what an empty list would hold cannot be told, and counts as there."""
    if not steps:
        return True
    if isinstance(value, list):
        return not value or any(_leads_somewhere(entry, steps) for entry in value)
    return isinstance(value, Mapping) and steps[0] in value and _leads_somewhere(value[steps[0]], steps[1:])


def without_early_findings(tool: Tool, output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output without the findings of what still runs, and with `more`, which says how to wait for them."""
    described, waiter = object_output(tool.spec), waiter_of(tool.spec)
    if described is None or waiter is None or waiter.wait is None or described.name not in output:
        return dict(output)
    end_statuses = waiter.wait.success + waiter.wait.failure
    value = output[described.name]
    objects = value if isinstance(value, list) else [value]
    if all(each.get("status") in end_statuses for each in objects):
        return dict(output)
    unfound = dict.fromkeys(_EARLY_FINDINGS)
    shown = [each if each.get("status") in end_statuses else {**each, **unfound} for each in objects]
    hint = f"What is still running has found nothing yet. Call {waiter.tool_id} with {WAIT} for how it ends."
    return {"more": hint, **output, described.name: shown if isinstance(value, list) else shown[0]}


def summary(tool: Tool, output: Mapping[str, Any], *, whole: bool = False) -> str:
    """Return a few lines about an output: each object's id, status and the like, then everything beside the objects.

    whole: show every field of the objects, as where the caller named them; the default is no.
    """
    described = object_output(tool.spec)
    name = described.name if described else ""
    objects = output.get(name, [] if name and tool.spec.paginate else None)
    lines: list[str] = []
    if isinstance(objects, list):
        lines.append(f"{len(objects)} {_words(name)}" + (":" if objects else "."))
        lines += [f"- {_line(each, whole)}" for each in objects]
    elif isinstance(objects, Mapping):
        lines.append(f"{_words(name)} {_line(objects, whole)}")
    lines += [f"{output_name}: {_text(value)}" for output_name, value in output.items() if output_name != name]
    return "\n".join(lines)


def _line(described: Mapping[str, Any], whole: bool) -> str:
    head = " ".join(str(described[field]) for field in _SHOWN_FIRST if field in described)
    others = [field for field in described if field not in _SHOWN_FIRST] if whole else _SHOWN_ALSO
    return ", ".join([head, *(f"{field} {_text(described[field])}" for field in others if field in described)])


def _words(name: str) -> str:
    """Return a camelCase name as words."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
