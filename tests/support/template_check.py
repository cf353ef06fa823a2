"""The check of a workflow template before it runs: references into outputs that do not exist, params that do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec
from tests.support.template_runner import REFERENCE

Schema = Mapping[str, Any]
Step = Mapping[str, Any]

ANYTHING: Schema = {}
_TEXT: Schema = {"type": "string"}
HOST_GIVES: dict[str, Schema] = {
    "notify": {"type": "object", "properties": {}},
    "store": {"type": "object", "properties": {"url": _TEXT}},
    "ask": {"type": "object", "properties": {"answer": _TEXT, "comment": {"type": ["string", "null"]}}},
}


def problems(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield every fault of the first faulty step, as phrases that name it; what comes after cannot be judged."""
    inputs = {name: {"type": schema["type"]} for name, schema in template["inputs"].items()}
    scope: dict[str, Schema] = {"input": {"type": "object", "properties": inputs}}
    for step in template["steps"]:
        faults = [f"{step['id']}: {problem}" for problem in _step_problems(step, scope)]
        yield from faults
        if faults:
            return
        scope[step["id"]] = result_schema(step, scope)
    used = {path[1] for step in template["steps"] for path in references(step) if path[0] == "input"}
    yield from (f"input {name} is never read" for name in sorted(set(inputs) - used))


def output_spec(step: Step) -> ToolSpec:
    """Return the operation whose output a step gives: with `wait`, the one that polls what it started."""
    spec = catalog.load(step["operation"])
    return catalog.load(spec.then.operation) if step.get("wait") and spec.then else spec


def operations(template: Mapping[str, Any]) -> set[str]:
    """Return every operation that a template calls, those that only poll included."""
    calling = [step for step in template["steps"] if "operation" in step]
    return {str(step["operation"]) for step in calling} | {output_spec(step).name for step in calling}


def references(node: Any) -> Iterator[list[str]]:
    """Yield the path of every reference in a step, wherever it stands."""
    if isinstance(node, str):
        yield from (match.split(".") for match in REFERENCE.findall(node))
    elif isinstance(node, Mapping | list):
        for child in node.values() if isinstance(node, Mapping) else node:
            yield from references(child)


def result_schema(step: Step, scope: Mapping[str, Schema]) -> Schema:
    """Return the schema of what a step gives; with forEach, a list of that."""
    once = output_spec(step).output_schema() if "operation" in step else HOST_GIVES[step["host"]]
    if "forEach" not in step:
        return once
    item = _entry(step["forEach"], scope)
    return {"type": "array", "items": {"type": "object", "properties": {**once["properties"], "item": item}}}


def _step_problems(step: Step, scope: Mapping[str, Schema]) -> Iterator[str]:
    if step["id"] in scope or step["id"] == "item":
        yield "its id is taken"
    within = dict(scope)
    if "forEach" in step:
        try:
            within["item"] = _entry(step["forEach"], scope)
        except LookupError as error:
            yield f"forEach {error}"
            return
    unresolved = list(_unresolved(step, within))
    yield from unresolved
    if "operation" in step and not unresolved:
        yield from _call_problems(step, within)


def _unresolved(step: Step, scope: Mapping[str, Schema]) -> Iterator[str]:
    for path in references(step):
        try:
            _walk(scope, path)
        except LookupError as error:
            yield str(error)


def _call_problems(step: Step, scope: Mapping[str, Schema]) -> Iterator[str]:
    if step["operation"] not in catalog.names():
        yield f"there is no operation {step['operation']}"
        return
    spec, params = catalog.load(step["operation"]), step.get("params", {})
    yield from (f"{spec.name} has no param {name}" for name in params if name not in spec.params)
    yield from (f"{spec.name} needs {name}" for name in spec.required if name not in params)
    if spec.require_any and not set(spec.require_any) & set(params):
        yield f"{spec.name} needs one of {spec.require_any}"
    if step.get("wait") and not (spec.wait or spec.then):
        yield f"{spec.name} cannot be waited for"
    if step.get("all") and not spec.paginate:
        yield f"{spec.name} has no pages"
    for name in set(params) & set(spec.params):
        whole = REFERENCE.fullmatch(params[name]) if isinstance(params[name], str) else None
        types = _types(_walk(scope, whole[1].split("."))) - {"null"} if whole else set()
        if types and types != {spec.params[name].type}:
            yield f"{name} is given {types}"


def _types(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    return set(types if isinstance(types, list) else [types])


def _entry(for_each: Any, scope: Mapping[str, Schema]) -> Schema:
    if isinstance(for_each, list):
        return {"type": "object", "properties": {name: ANYTHING for entry in for_each for name in entry}}
    path = REFERENCE.fullmatch(for_each)[1].split(".")  # type: ignore[index]
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
