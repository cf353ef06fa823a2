"""Finding out whether a write took effect whose answer was lost, by looking at Persona rather than by writing again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..call.parse import first
from ..errors import InDoubt
from ..spec import catalog
from ..spec.grammar import OperationName, ToolSpec

Output = dict[str, Any]
Read = Callable[[OperationName, Mapping[str, Any]], Awaitable[Output]]
"""Calls an operation that reads."""
Claimed = Callable[[list[str]], Awaitable[set[str]]]
"""Returns those of some objects that other steps are known to have made."""

CLOCK_SKEW = 300.0
"""Seconds that Persona's clock may be behind this machine's."""
_IDENTIFYING = ("accountId", "referenceId")
"""The params that say whom an object is about."""
_MOST_PAGES = 20


async def look_up(spec: ToolSpec, params: Mapping[str, Any], since: float, read: Read, claimed: Claimed) -> Output | None:
    """Return the output of a write that took effect at `since` or later; None where it did not, or may be repeated.

    A decision is confirmed by reading its object. An object that may have been made is looked for in the list of its kind: by
    account or reference id, time and what else the list shows, without those that other steps made. What is changed or linked
    to once more, such as an update or a one-time link, may be repeated. Raises InDoubt where Persona does not tell.
    """
    if spec.confirm is not None:
        reading = catalog.load(spec.confirm.operation)
        output = await read(reading.name, {name: params[name] for name in reading.params if name in params})
        value = first(output, spec.confirm.at)
        holds = value in spec.confirm.values if spec.confirm.values else value is not None
        return output if holds else None
    if spec.request.multipart is not None:
        raise InDoubt(f"{spec.name} may have taken effect, and has no list to look in. Look at Persona, then go on by hand.")
    if "{" in spec.request.path:
        return None
    return await _find(spec, params, since, read, claimed)


async def _find(spec: ToolSpec, params: Mapping[str, Any], since: float, read: Read, claimed: Claimed) -> Output | None:
    name, schema = next((name, schema) for name, schema in spec.output.items() if "x-type" in schema)
    listing = _list_of(schema["x-type"])
    filters = {each: params[each] for each in _IDENTIFYING if each in listing.params and params.get(each)}
    if "createdAtStart" in listing.params:
        filters["createdAtStart"] = dt.datetime.fromtimestamp(since - CLOCK_SKEW, dt.UTC).isoformat(timespec="milliseconds")
    candidates = [
        item
        for item in await _newest(listing, filters, since - CLOCK_SKEW, read)
        if all(item[each] == params[each] for each in _comparable(item, params))
    ]
    taken = await claimed([item["id"] for item in candidates])
    candidates = [item for item in candidates if item["id"] not in taken]
    if not candidates:
        return None
    if len(candidates) > 1 or not any(params.get(each) for each in _IDENTIFYING):
        message = f"{spec.name} may have taken effect: Persona has {len(candidates)} made since that could be it."
        raise InDoubt(f"{message} Look there, then go on by hand.")
    return {name: candidates[0]}


def _list_of(resource_type: str) -> ToolSpec:
    """Return the operation that lists the objects of a type."""
    for spec in catalog.load_all():
        if spec.paginate and spec.output[spec.paginate.items]["items"].get("x-type") == resource_type:
            return spec
    raise InDoubt(f"Persona has no list of the type {resource_type} to look in.")


async def _newest(listing: ToolSpec, filters: Mapping[str, Any], since: float, read: Read) -> list[Output]:
    """Return what a list, newest first, holds from a moment on; raises InDoubt where that is too much to go through."""
    paging = listing.paginate
    assert paging is not None
    found: list[Output] = []
    params = {**filters, paging.size: listing.params[paging.size].maximum}
    for _ in range(_MOST_PAGES):
        page = await read(listing.name, params)
        recent = [item for item in page[paging.items] if _moment(item.get("createdAt")) >= since]
        found += recent
        if page[paging.next] is None or len(recent) < len(page[paging.items]):
            return found
        params = {**params, paging.cursor: page[paging.next]}
    raise InDoubt(f"{listing.name} holds too much since then to look through.")


def _comparable(item: Output, params: Mapping[str, Any]) -> list[str]:
    """Return the params that an object of the list shows under the same name, as text."""
    return [name for name, value in params.items() if isinstance(value, str) and isinstance(item.get(name), str)]


def _moment(text: Any) -> float:
    """Return when an object was made, in seconds since the epoch; one that does not say counts as new."""
    try:
        return dt.datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError):
        return float("inf")
