"""Outputs as brief as a model can use them: no nulls, only the fields that were asked for, and a hint where there is more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..errors import Problem, printable
from ..spec.nearest import nearest_name
from .tool import ALL_FIELDS, OUTPUT_FIELDS, WAIT, Tool, object_output, waiter_of
from .visible import told, visible_text

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
UNREAD_FIELDS = (
    "accountTypeId",
    "accountTypeName",
    "assignerId",
    "assignerType",
    "behaviors",
    "caseQueueId",
    "caseTemplateId",
    "creator",
    "creatorId",
    "creatorType",
    "documentFileIds",
    "embeddedFlowDomainAllowlist",
    "hostedFlowRedirectUriSchemes",
    "hostedFlowSubdomains",
    "inquiryTemplateVersionId",
    "isContinuous",
    "isRecurring",
    "previousStepName",
    "reportTemplateVersionName",
    "resolverType",
    "selfieIds",
    "sessionIds",
    "startedAt",
    "transactionId",
    "transactionIds",
    "updatedAt",
    "updaterId",
    "updaterType",
    "verificationTemplateId",
)
"""The fields of objects that no decision hangs on; an answer leaves them out where nobody names them."""
_ATTRIBUTES = "attributes"
"""The field that holds every attribute as Persona sent it, also those that other fields hold."""
LEFT_OUT = "leftOut"
"""What an answer calls the fields that it leaves out."""
_TEXT_LIMIT = 4000
"""Characters of one text of an object, unless a model names fields; addresses of files are shorter."""
_LIST_LIMIT = 100
"""Entries of one list within an object, unless a model names fields."""
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
        if name not in known and path != ALL_FIELDS:
            nearest = nearest_name(name, known)
            hint = f"did you mean {nearest}?" if nearest else f"there are {', '.join(known)}"
            problems.append(Problem(OUTPUT_FIELDS, f"{output.name} has no field {name[:64]!r}; {hint}"))
    return fields, problems


def select_fields(tool: Tool, output: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return an output whose object, or each object of its list, keeps its id and the named fields; without any, all of them.

    A dot steps into an object, or into each object of a list. Fields that stand nowhere are listed as `absentFields`.
    """
    described = object_output(tool.spec)
    if described is None or not fields or ALL_FIELDS in fields or described.name not in output:
        return dict(output)
    objects = output[described.name]
    absent = [path for path in fields if not _leads_somewhere(objects, path.split("."))] if objects else []
    hint = {"absentFields": [printable(path) for path in absent]} if absent else {}
    return {**output, described.name: _kept(objects, _field_tree(("id", *fields))), **hint}


def brief(tool: Tool, output: Mapping[str, Any], fields: Sequence[str], left_out: Collection[str]) -> dict[str, Any]:
    """Return an output as a model is given it: without nulls and early findings, and with the fields that were asked for.

    fields: the fields of the objects that the model named. Without any, `left_out` and whatever is empty stay out, and
        `leftOut` says so; long texts and lists are cut then, and it says that too. ALL_FIELDS keeps everything.
    """
    chosen = select_fields(tool, without_early_findings(tool, output), fields)
    described = object_output(tool.spec)
    if fields or not left_out or described is None or described.name not in chosen:
        whole: dict[str, Any] = without_nulls(chosen)
        return whole
    objects = chosen[described.name]
    copied = _copied_attributes(described.schema)
    if isinstance(objects, list):
        kept = [_without_unread(each, left_out, copied) for each in objects]
    else:
        kept = _without_unread(objects, left_out, copied)
    present = {name for each in (objects if isinstance(objects, list) else [objects]) for name in each if _holds(each[name])}
    unread = [name for name in left_out if name in present]
    if any(map(_is_long, kept if isinstance(objects, list) else [kept])):
        kept = [_cut(each) for each in kept] if isinstance(objects, list) else _cut(kept)
        unread.append(f"what is beyond {_TEXT_LIMIT} characters of a text or {_LIST_LIMIT} entries of a list")
    hint = {LEFT_OUT: f"{', '.join(unread)}; all with {OUTPUT_FIELDS} {ALL_FIELDS}"} if unread else {}
    thinned: dict[str, Any] = without_nulls({**chosen, described.name: kept, **hint})
    return thinned


def _without_unread(described: Any, left_out: Collection[str], copied: Collection[str]) -> Any:
    """Return an object without what is left out, without what is empty, and with no attribute that a field holds already."""
    if not isinstance(described, Mapping):
        return described
    kept = {name: value for name, value in described.items() if name not in left_out}
    if isinstance(attributes := kept.get(_ATTRIBUTES), Mapping):
        own = {name: value for name, value in attributes.items() if name not in copied and not name.endswith("-ts")}
        kept[_ATTRIBUTES] = own
    return {name: _without_empty(value) for name, value in kept.items() if name == "id" or _holds(value)}


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_empty(inner) for name, inner in value.items() if _holds(inner)}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value if _holds(inner)]
    return value


def _holds(value: Any) -> bool:
    """Return whether there is anything in a value: a false or a nought is something."""
    if isinstance(value, Mapping):
        return any(_holds(inner) for inner in value.values())
    return any(_holds(inner) for inner in value) if isinstance(value, list) else value is not None and value != ""


def _is_long(value: Any) -> bool:
    """Return whether a value is, or holds, a text or a list that is cut."""
    if isinstance(value, Mapping):
        return any(map(_is_long, value.values()))
    if isinstance(value, list):
        return len(value) > _LIST_LIMIT or any(map(_is_long, value))
    return isinstance(value, str) and len(value) > _TEXT_LIMIT


def _cut(value: Any) -> Any:
    """Return a value with the beginning of each long text and each long list."""
    if isinstance(value, Mapping):
        return {name: _cut(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value[:_LIST_LIMIT]]
    return f"{value[:_TEXT_LIMIT]}…" if isinstance(value, str) and len(value) > _TEXT_LIMIT else value


def _copied_attributes(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the attributes that fields of an object are made from."""
    pointers: list[str] = []
    for field in schema["properties"].values():
        origin = field.get("x-collect") or field.get("x-from") or ()
        pointers += [origin] if isinstance(origin, str) else origin
    prefix = f"/{_ATTRIBUTES}/"
    return frozenset(pointer.removeprefix(prefix).partition("/")[0] for pointer in pointers if pointer.startswith(prefix))


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
    hint = "What is still running has found nothing yet."
    if tool.offers(waiter.name):
        hint += f" Call {waiter.tool_id} with {WAIT} for how it ends."
    return {"more": hint, **output, described.name: shown if isinstance(value, list) else shown[0]}


def summary(tool: Tool, output: Mapping[str, Any], *, whole: bool = False) -> str:
    """Return a few lines about an output: what there is, each object's id, status and the like, then everything else.

    The first line stands by itself.

    whole: show every field of the objects, as where the caller named them; the default is no.
    """
    described = object_output(tool.spec)
    name = described.name if described else ""
    objects = output.get(name, [] if name and tool.spec.paginate else None)
    lines: list[str] = []
    if isinstance(objects, list):
        lines.append(_counted(objects, described.object_type if described else name, name))
        lines += [f"- {_line(each, whole)}" for each in objects]
    elif isinstance(objects, Mapping):
        lines.append(f"{_words(name)} {_line(objects, whole)}")
    lines += [f"{output_name}: {_text(value)}" for output_name, value in output.items() if output_name not in (name, LEFT_OUT)]
    return "\n".join(lines)


def _counted(objects: Sequence[Mapping[str, Any]], one: str, several: str) -> str:
    """Return how many objects there are, and how many in each status."""
    noun = one.replace("-", " ") if len(objects) == 1 else _words(several)
    statuses = Counter(str(each["status"]) for each in objects if "status" in each)
    counts = [told(status) if len(objects) == 1 else f"{count} {told(status)}" for status, count in statuses.most_common()]
    return f"{len(objects)} {noun}" + (f": {', '.join(counts)}." if counts else ".")


def _line(described: Mapping[str, Any], whole: bool) -> str:
    head = " ".join(told(described[field]) for field in _SHOWN_FIRST if field in described)
    others = [field for field in described if field not in _SHOWN_FIRST] if whole else _SHOWN_ALSO
    return ", ".join([head, *(f"{field} {told(described[field])}" for field in others if field in described)])


def _words(name: str) -> str:
    """Return a camelCase name as words."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _text(value: Any) -> str:
    """Return a value on one line."""
    return visible_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":")))
