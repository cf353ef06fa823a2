"""Pages of a list operation, following the cursor that its spec names."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ..errors import InputError, PersonaError, Problem, ResponseError
from ..spec.grammar import Pagination, ToolSpec
from .caller import Caller, Output, Params
from .trace import Trace


@dataclass(frozen=True, slots=True)
class Span:
    """How far to follow the pages.

    max_items: items in all; None is every one. A page that would go beyond is asked for smaller.
    page_size: items a page; None leaves it to the params, and then to Persona.
    """

    max_items: int | None = None
    page_size: int | None = None

    def __post_init__(self) -> None:
        problems = [
            Problem(name, "must be a whole number, at least 1")
            for name, value in (("max_items", self.max_items), ("page_size", self.page_size))
            if value is not None and (type(value) is not int or value < 1)
        ]
        if problems:
            raise InputError("paginate", problems)


EVERYTHING = Span()


async def pages(
    caller: Caller, spec: ToolSpec, params: Params, trace: Trace, span: Span = EVERYTHING
) -> AsyncIterator[Output]:
    """Yield page after page to the end, or to `span.max_items`; raises PersonaError.

    The cursor of the last page says where to go on, even where it is not the end.
    """
    paging = pagination(spec)
    request = dict(params)
    largest = spec.params[paging.size].maximum
    wanted = span.page_size if span.page_size is not None else request.get(paging.size)
    count = number = 0
    started = time.monotonic()
    seen = {request.get(paging.cursor)}
    while True:
        size = _page_size(wanted, largest, None if span.max_items is None else span.max_items - count)
        if size is not None:
            request[paging.size] = size
        page = await caller.call(spec.name, request, trace)
        count, number = count + len(page[paging.items]), number + 1
        rate = count / max(time.monotonic() - started, 1e-6)
        trace.tell(f"{number} page{'s' if number > 1 else ''}, {count} {paging.items}", done=count, rate=rate)
        yield page
        cursor = page[paging.next]
        if cursor is None or (span.max_items is not None and count >= span.max_items):
            return
        if cursor in seen:
            raise ResponseError(
                f"Persona gave {spec.name} the same cursor twice, so its pages would never end.", took_effect=None
            )
        seen.add(cursor)
        request[paging.cursor] = cursor


def _page_size(wanted: object, largest: int | None, left: int | None) -> object:
    """Return the size to ask for, or None for Persona's own; what is no number is for the params' check to refuse."""
    if left is None:
        return wanted
    most = left if largest is None else min(left, largest)
    if wanted is None:
        return most
    try:
        return min(int(str(wanted)), most)
    except ValueError:
        return wanted


async def collect(caller: Caller, spec: ToolSpec, params: Params, trace: Trace) -> Output:
    """Return every item as one page; an error on the way keeps what was read and the cursor to go on from."""
    paging = pagination(spec)
    # The largest pages take the fewest requests; a size among the params wins.
    request = {paging.size: spec.params[paging.size].maximum} | dict(params)
    merged: Output = {paging.items: [], paging.next: None}
    any_read = False
    try:
        async for page in pages(caller, spec, request, trace):
            any_read = True
            merged[paging.items] += page[paging.items]
            merged[paging.next] = page[paging.next]
    except PersonaError as error:
        raise error.revised(output=merged if any_read else {}) from None
    return merged


def pagination(spec: ToolSpec) -> Pagination:
    """Return how an operation's pages follow one another; raises InputError for one that gives none."""
    if spec.paginate is None:
        raise InputError(spec.name, [Problem("operation", "gives no pages; only list operations do")])
    return spec.paginate
