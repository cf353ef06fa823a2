"""The check of a workflow document before it runs: every problem at once, each with its place in the document.

A document is a template of the manifest, or one of the same grammar that somebody wrote: `inputs` and `steps` are enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ..block.workflows import AskStep, NotifyStep, OperationStep, StoreStep, Template
from ..errors import InputError, Problem
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from ..spec.nearest import nearest_name
from .references import REFERENCE, references

Schema = Mapping[str, Any]
Step = Mapping[str, Any]

ANYTHING: Schema = {}
_TEXT: Schema = {"type": "string"}
HOST_GIVES: dict[str, Schema] = {
    "notify": {"type": "object", "properties": {}},
    "store": {"type": "object", "properties": {"url": _TEXT}},
    "ask": {"type": "object", "properties": {"answer": _TEXT, "comment": {"type": ["string", "null"]}}},
}
_DEFAULTS: Schema = {"name": "workflow", "title": "Workflow", "description": "-", "prompt": "-", "tags": [], "inputs": {}}
_INPUT_DEFAULTS: Schema = {"description": "-", "examples": ["-"]}
_SOUND_STEP: Schema = {"id": "sound", "host": "notify", "to": "-", "text": "-"}
_HOST_STEPS: dict[str, type[BaseModel]] = {"notify": NotifyStep, "store": StoreStep, "ask": AskStep}
_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "object": Mapping, "array": list}


def check(document: Any, inputs: Mapping[str, Any] | None = None) -> None:
    """Check a document, and the inputs to run it with where they are given; raises InputError with every problem.

    The `param` of a problem is its place, such as `steps[2].params.inquiryId`, or `inputs.referenceId`.
    """
    try:
        problems = list(document_problems(document))
    except RecursionError:
        problems = [Problem("document", "is nested too deeply, or holds itself")]
    if inputs is not None and isinstance(document, Mapping) and isinstance(document.get("inputs", {}), Mapping):
        problems += input_problems(document, inputs)
    if problems:
        raise InputError("workflow", problems)


def input_problems(document: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the inputs of a run: missing, unknown, or of another type than the document says."""
    declared = document.get("inputs", {})
    for name in inputs:
        if name not in declared:
            nearest = nearest_name(str(name), declared, cutoff=0.5)
            hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(declared) or 'none'}"
            yield Problem(f"inputs.{name}", f"the workflow has no such input; {hint}")
    for name, schema in declared.items():
        kind = schema.get("type") if isinstance(schema, Mapping) else None
        value = inputs.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            yield Problem(f"inputs.{name}", "is required")
        elif kind in _PYTHON_TYPES and (isinstance(value, bool) or not isinstance(value, _PYTHON_TYPES[kind])):
            yield Problem(f"inputs.{name}", f"must be of the type {kind}")


def document_problems(document: Any) -> Iterator[Problem]:
    """Yield what is wrong with a document; a step after a faulty one is judged as far as it can be."""
    if not isinstance(document, Mapping):
        yield Problem("document", "must be an object with inputs and steps")
        return
    grammar = list(_grammar_problems(document))
    yield from grammar
    steps = document.get("steps")
    declared = document.get("inputs", {})
    if not isinstance(steps, list | tuple) or not isinstance(declared, Mapping):
        return
    faulty = {problem.param.partition("]")[0] + "]" for problem in grammar}
    inputs = {name: {"type": schema.get("type", [])} for name, schema in declared.items() if isinstance(schema, Mapping)}
    scope: dict[str, Schema] = {"input": {"type": "object", "properties": inputs}}
    for position, step in enumerate(steps):
        place = f"steps[{position}]"
        if place not in faulty:
            yield from (Problem(f"{place}{where}", message) for where, message in _step_problems(step, scope))
        if isinstance(step, Mapping) and isinstance(step.get("id"), str):
            scope[step["id"]] = _result_or_anything(step, scope)
    used = {path[1] for step in steps for path in references(step) if path[0] == "input" and len(path) > 1}
    yield from (Problem(f"inputs.{name}", "is never read by a step") for name in sorted(set(inputs) - used))


def output_spec(step: Step) -> ToolSpec:
    """Return the operation whose output a step gives: with `wait`, the one that polls what it started."""
    spec = catalog.load(step["operation"])
    return catalog.load(spec.then.operation) if step.get("wait") and spec.then else spec


def operations(document: Mapping[str, Any]) -> set[str]:
    """Return every operation that a document calls, those that only poll included."""
    calling = [step for step in document["steps"] if "operation" in step]
    return {str(step["operation"]) for step in calling} | {output_spec(step).name for step in calling}


def result_schema(step: Step, scope: Mapping[str, Schema]) -> Schema:
    """Return the schema of what a step gives; with forEach, a list of that."""
    once = output_spec(step).output_schema() if "operation" in step else HOST_GIVES[step["host"]]
    if "forEach" not in step:
        return once
    item = _entry(step["forEach"], scope)
    return {"type": "array", "items": {"type": "object", "properties": {**once["properties"], "item": item}}}


def _result_or_anything(step: Step, scope: Mapping[str, Schema]) -> Schema:
    """Return what a step gives, which may be anything where the step itself is faulty."""
    try:
        return result_schema(step, scope)
    except (LookupError, InputError, TypeError):
        return ANYTHING


def _grammar_problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield where the document is not of the templates' grammar, which asks for more than a document of one's own needs."""
    declared = document.get("inputs", {})
    if isinstance(declared, Mapping):
        declared = {
            name: {**_INPUT_DEFAULTS, **schema} if isinstance(schema, Mapping) else schema for name, schema in declared.items()
        }
    steps = document.get("steps")
    judged = {**_DEFAULTS, **document, "inputs": declared}
    if isinstance(steps, list | tuple) and steps:
        judged["steps"] = [_SOUND_STEP]
    yield from _model_problems(Template, judged, "")
    for position, step in enumerate(steps if isinstance(steps, list | tuple) else ()):
        place = f"steps[{position}]"
        model = _step_model(step)
        if model is None:
            yield Problem(place, f"must be an object with operation, or with host as one of {', '.join(_HOST_STEPS)}")
        else:
            yield from _model_problems(model, step, place)


def _step_model(step: Any) -> type[BaseModel] | None:
    if not isinstance(step, Mapping):
        return None
    return OperationStep if "operation" in step else _HOST_STEPS.get(str(step.get("host")))


def _model_problems(model: type[BaseModel], value: Any, place: str) -> Iterator[Problem]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            parts = [part for part in each["loc"] if isinstance(part, int) or "(" not in part]
            yield Problem(f"{place}{_place(parts)}".lstrip(".") or "document", each["msg"].removeprefix("Value error, "))


def _place(parts: list[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _step_problems(step: Step, scope: Mapping[str, Schema]) -> Iterator[tuple[str, str]]:
    """Yield the faults of a step that is of the grammar, each with its place within the step."""
    if step["id"] in scope or step["id"] == "item":
        yield ".id", f"{step['id']} is taken"
    within = dict(scope)
    if "forEach" in step:
        try:
            within["item"] = _entry(step["forEach"], scope)
        except LookupError as error:
            yield ".forEach", str(error.args[0])
            return
    for part, value in step.items():
        places = value.items() if part == "params" else [("", value)]
        for name, node in places:
            yield from ((f".{part}.{name}" if name else f".{part}", message) for message in _unresolved(node, within))
    if "operation" in step:
        yield from _call_problems(step, within)


def _unresolved(node: Any, scope: Mapping[str, Schema]) -> Iterator[str]:
    for path in references(node):
        try:
            _walk(scope, path)
        except LookupError as error:
            yield str(error.args[0])


def _call_problems(step: Step, scope: Mapping[str, Schema]) -> Iterator[tuple[str, str]]:
    if step["operation"] not in catalog.names():
        nearest = nearest_name(step["operation"], catalog.names(), cutoff=0.5)
        hint = f"; did you mean {nearest}?" if nearest else ""
        yield ".operation", f"there is no operation {step['operation']}{hint}"
        return
    spec, params = catalog.load(step["operation"]), step.get("params", {})
    for name in params:
        if name == API_KEY_PARAM:
            yield f".params.{name}", "a key is no part of a document; the runner has it"
        elif name not in spec.params:
            nearest = nearest_name(name, spec.params, cutoff=0.5)
            hint = f"did you mean {nearest}?" if nearest else f"it takes {', '.join(spec.params)}"
            yield f".params.{name}", f"{spec.name} has no param {name}; {hint}"
    yield from ((".params", f"{spec.name} needs {name}") for name in spec.required if name not in params)
    if spec.require_any and not set(spec.require_any) & set(params):
        yield ".params", f"{spec.name} needs one of {', '.join(spec.require_any)}"
    if step.get("wait") and not (spec.wait or spec.then):
        yield ".wait", f"{spec.name} cannot be waited for"
    if step.get("all") and not spec.paginate:
        yield ".all", f"{spec.name} has no pages"
    for name in [name for name in params if name in spec.params]:
        misfit = _misfit(params[name], spec.params[name].type, scope)
        if misfit:
            yield f".params.{name}", f"{name} takes {spec.params[name].type} and is given {misfit}"


def _misfit(value: Any, expected: str, scope: Mapping[str, Schema]) -> str | None:
    """Return the types of a value that cannot be what a param takes; None where they may fit."""
    if isinstance(value, str):
        whole = REFERENCE.fullmatch(value)
        if not whole:
            return None if expected == "string" or not REFERENCE.search(value) else "text"
        try:
            types = _types(_walk(scope, whole[1].split("."))) - {"null"}
        except LookupError:
            return None
    else:
        types = {name for name, kind in _PYTHON_TYPES.items() if isinstance(value, kind) and not isinstance(value, bool)}
    fits = not types or expected in types or (expected == "string" and bool(types & {"integer", "number"}))
    return None if fits else " or ".join(sorted(types))


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    return set(types if isinstance(types, list) else [types])


def _entry(for_each: Any, scope: Mapping[str, Schema]) -> Schema:
    if isinstance(for_each, list | tuple):
        return {"type": "object", "properties": {name: ANYTHING for entry in for_each for name in entry}}
    whole = REFERENCE.fullmatch(for_each)
    if whole is None:
        raise LookupError("must be a list, or a single reference to one")
    path = whole[1].split(".")
    return _walk(scope, path if "*" in path else [*path, "*"])


def _walk(scope: Mapping[str, Schema], path: list[str]) -> Schema:
    """Return the schema of what a path names, `*` standing for one entry; raises LookupError where it names nothing."""
    if path[0] not in scope:
        raise LookupError(f"{path[0]} is no earlier step, in {'.'.join(path)}")
    schema = scope[path[0]]
    for step in path[1:]:
        types = _types(schema)
        if not types:
            return ANYTHING
        if step == "*" or step.isdecimal():
            if "array" not in types:
                raise LookupError(f"{'.'.join(path)} takes entries of what is no list")
            schema = schema.get("items", ANYTHING)
        elif "object" not in types or ("properties" in schema and step not in schema["properties"]):
            raise LookupError(f"{'.'.join(path)} does not exist at {step}")
        else:
            schema = schema.get("properties", {}).get(step, ANYTHING)
    return schema
