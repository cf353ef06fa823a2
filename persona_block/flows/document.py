"""The interpreter of workflow templates, on any functions that answer for Persona and for the host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ResponseError, WaitFailed
from ..spec import catalog
from .references import Missing, references, resolve


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is: which step, for which entry of its `forEach`, and whether its target may be any.

    index: the position of the entry, counted from 0; None for a step without `forEach`.
    computed_target: whether `to` reads what Persona answered, and so does not come from whoever runs the flow alone. It may be
        an applicant's words, and must not decide where something is sent.
    """

    step: str
    index: int | None = None
    computed_target: bool = False


Operation = Callable[[str, dict[str, Any], Place], Awaitable[dict[str, Any]]]
"""Called with an operation, its params and the place; returns its output."""
Wait = Callable[[str, dict[str, Any], Place, Mapping[str, Any] | None], Awaitable[dict[str, Any]]]
"""Called like an Operation and with the step's `timeout`, which may be None; returns the output of the outcome."""
Host = Callable[[str, dict[str, Any], Place], Awaitable[dict[str, Any]]]
"""Called with `notify`, `store` or `ask`, the step's texts and the place; returns {}, `url`, or `answer` and `comment`."""

_NOT_SENT = {"id", "host", "when", "forEach"}


@dataclass(frozen=True, slots=True)
class Actions:
    """What the steps of a document do."""

    call: Operation
    wait: Wait
    host: Host


async def run_document(document: Mapping[str, Any], inputs: Mapping[str, Any], actions: Actions) -> dict[str, Any]:
    """Run the steps in order and return what each gave, by step id; skipped steps are not in it."""
    scope: dict[str, Any] = {"input": dict(inputs)}
    for step in document["steps"]:
        try:
            scope[step["id"]] = await _step(step, scope, actions)
        except Missing:
            continue
    return {name: result for name, result in scope.items() if name != "input"}


async def _step(step: Mapping[str, Any], scope: Mapping[str, Any], actions: Actions) -> Any:
    if "forEach" not in step:
        return await _once(step, scope, actions, None)
    results = []
    for index, item in enumerate(resolve(step["forEach"], scope)):
        try:
            result = await _once(step, {**scope, "item": item}, actions, index)
        except Missing:
            continue
        results.append({**result, "item": item})
    return results


async def _once(step: Mapping[str, Any], scope: Mapping[str, Any], actions: Actions, index: int | None) -> dict[str, Any]:
    if not all(_holds(condition, scope) for condition in step.get("when", [])):
        raise Missing
    place = Place(step["id"], index, _has_computed_target(step))
    if "host" in step:
        texts = resolve({name: value for name, value in step.items() if name not in _NOT_SENT}, scope)
        return await actions.host(step["host"], texts, place)
    operation, params = step["operation"], resolve(step.get("params", {}), scope)
    if step.get("all"):
        return await _every_page(operation, params, place, actions)
    if not step.get("wait"):
        return await actions.call(operation, params, place)
    try:
        return await actions.wait(operation, params, place, step.get("timeout"))
    except WaitFailed as error:
        return error.output


def _has_computed_target(step: Mapping[str, Any]) -> bool:
    """Return whether `to` reads more than inputs, and entries of a list that the document itself holds."""
    roots = {path[0] for path in references(step.get("to", ""))}
    listed = step.get("forEach")
    if "item" in roots and isinstance(listed, list | tuple):
        roots = (roots - {"item"}) | {path[0] for path in references(list(listed))}
    return not roots <= {"input"}


async def _every_page(operation: str, params: dict[str, Any], place: Place, actions: Actions) -> dict[str, Any]:
    paging = catalog.load(operation).paginate
    if paging is None:
        raise ValueError(f"{operation} has no pages")
    output = await actions.call(operation, params, place)
    items, seen = list(output[paging.items]), set()
    while output[paging.next] is not None:
        if output[paging.next] in seen:
            raise ResponseError(
                f"Persona gave {operation} the same cursor twice, so its pages would never end.", took_effect=None
            )
        seen.add(output[paging.next])
        output = await actions.call(operation, params | {paging.cursor: output[paging.next]}, place)
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
