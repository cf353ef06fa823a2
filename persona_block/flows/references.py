"""References of a workflow template, such as `{start.inquiry.id}`: what they name in inputs and results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

REFERENCE = re.compile(r"\{([a-z][a-zA-Z0-9]*(?:\.(?:\*|[a-zA-Z0-9_-]+))*)\}")


class Missing(Exception):
    """A reference that names nothing, for which the step that holds it is skipped."""


def references(node: Any) -> Iterator[list[str]]:
    """Yield the path of every reference in a step or in a part of one, wherever it stands."""
    if isinstance(node, str):
        yield from (match.split(".") for match in REFERENCE.findall(node))
    elif isinstance(node, Mapping | list):
        for child in node.values() if isinstance(node, Mapping) else node:
            yield from references(child)


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
    elif isinstance(node, list) and step.isdecimal() and len(step) < 10 and int(step) < len(node):
        yield from _walk(node[int(step)], rest)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_as_text(entry) for entry in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
