"""A runner of the manifest's workflow templates, as its grammar explains them, on any functions that answer for Persona."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from persona_block import WaitFailed
from persona_block.spec import catalog

Operation = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Called with an operation and its params; returns its output."""
Host = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Called with `notify`, `store` or `ask` and the step's texts; returns nothing, `url`, or `answer` and `comment`."""

REFERENCE = re.compile(r"\{([a-z][a-zA-Z0-9]*(?:\.(?:\*|[a-zA-Z0-9_-]+))*)\}")
_NOT_SENT = {"id", "host", "when", "forEach"}


class Missing(Exception):
    """A reference that names nothing, for which the step that holds it is skipped."""


async def run_template(
    template: Mapping[str, Any], inputs: Mapping[str, Any], *, call: Operation, wait: Operation, host: Host
) -> dict[str, Any]:
    """Run the steps in order and return what each gave, by step id; skipped steps are not in it."""
    scope: dict[str, Any] = {"input": dict(inputs)}
    for step in template["steps"]:
        try:
            scope[step["id"]] = await _step(step, scope, call, wait, host)
        except Missing:
            continue
    return {name: result for name, result in scope.items() if name != "input"}


async def _step(step: Mapping[str, Any], scope: Mapping[str, Any], call: Operation, wait: Operation, host: Host) -> Any:
    if "forEach" not in step:
        return await _once(step, scope, call, wait, host)
    results = []
    for item in resolve(step["forEach"], scope):
        try:
            result = await _once(step, {**scope, "item": item}, call, wait, host)
        except Missing:
            continue
        results.append({**result, "item": item})
    return results


async def _once(
    step: Mapping[str, Any], scope: Mapping[str, Any], call: Operation, wait: Operation, host: Host
) -> dict[str, Any]:
    if not all(_holds(condition, scope) for condition in step.get("when", [])):
        raise Missing
    if "host" in step:
        return await host(step["host"], resolve({name: value for name, value in step.items() if name not in _NOT_SENT}, scope))
    operation, params = step["operation"], resolve(step.get("params", {}), scope)
    if step.get("all"):
        return await _every_page(operation, params, call)
    if not step.get("wait"):
        return await call(operation, params)
    try:
        return await wait(operation, params)
    except WaitFailed as error:
        return error.output


async def _every_page(operation: str, params: dict[str, Any], call: Operation) -> dict[str, Any]:
    paging = catalog.load(operation).paginate
    assert paging is not None, f"{operation} has no pages"
    output = await call(operation, params)
    items = list(output[paging.items])
    while output[paging.next] is not None:
        output = await call(operation, params | {paging.cursor: output[paging.next]})
        items += output[paging.items]
    return {**output, paging.items: items}


def _holds(condition: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    value = resolve(condition["value"], scope)
    if "in" in condition:
        return _is_among(value, condition["in"])
    if "notIn" in condition:
        return not _is_among(value, condition["notIn"])
    if "allIn" in condition:
        return bool(value) and all(_is_among(entry, condition["allIn"]) for entry in value)
    if "anyIn" in condition:
        return any(_is_among(entry, condition["anyIn"]) for entry in value)
    return (value is None or value == []) is condition["empty"]


def _is_among(value: Any, expected: list[Any]) -> bool:
    """Tell whether a value equals one of those expected as JSON does, where true is not 1."""
    return any(value == entry and isinstance(value, bool) == isinstance(entry, bool) for entry in expected)


# --- references ------------------------------------------------------------------------------------------------------------


def resolve(node: Any, scope: Mapping[str, Any]) -> Any:
    """Return `node` with its references replaced by what they name; raises Missing where one names nothing."""
    if isinstance(node, str):
        whole = REFERENCE.fullmatch(node)
        if whole:
            return _lookup(whole[1], scope)
        return REFERENCE.sub(lambda match: _as_text(_lookup(match[1], scope)), node)
    if isinstance(node, Mapping):
        return {name: resolve(value, scope) for name, value in node.items()}
    if isinstance(node, list):
        return [resolve(value, scope) for value in node]
    return node


def _lookup(reference: str, scope: Mapping[str, Any]) -> Any:
    path = reference.split(".")
    until = path.index("*") if "*" in path else len(path)
    values = list(_walk(scope, path[:until]))
    if not values:
        raise Missing
    return list(_walk(values[0], path[until:])) if "*" in path else values[0]


def _walk(node: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield node
        return
    step, *rest = path
    if step == "*" and isinstance(node, list):
        for entry in node:
            yield from _walk(entry, rest)
    elif isinstance(node, Mapping) and step in node:
        yield from _walk(node[step], rest)
    elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
        yield from _walk(node[int(step)], rest)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_as_text(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
