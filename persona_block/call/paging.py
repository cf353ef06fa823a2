"""Pages of a list operation, following the cursor that its spec names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

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

    While a page is handled, the one after it is fetched, and none beyond that. Where the iteration is left, this is cancelled.
    The cursor of the last page says where to go on, even where it is not the end.
    """
    paging = pagination(spec)
    walk = _Walk(spec, paging, dict(params), span)
    number = 0
    started = time.monotonic()
    page = await caller.call(spec.name, walk.request(), trace)
    while True:
        walk.count += len(page[paging.items])
        number += 1
        rate = walk.count / max(time.monotonic() - started, 1e-6)
        trace.tell(f"{number} page{'s' if number > 1 else ''}, {walk.count} {paging.items}", done=walk.count, rate=rate)
        cursor = page[paging.next]
        if cursor is None or walk.is_over():
            yield page
            return
        if cursor in walk.seen:
            yield page
            raise ResponseError(
                f"Persona gave {spec.name} the same cursor twice, so its pages would never end.", took_effect=None
            )
        following = asyncio.create_task(caller.call(spec.name, walk.request(cursor), trace))
        try:
            await asyncio.sleep(0)  # it is sent even where handling the page holds up the event loop
            yield page
            page = await following
        finally:
            if not following.done():
                following.cancel()
                await asyncio.wait({following})
            if not following.cancelled():
                following.exception()  # nobody may wait for it any more


class _Walk:
    """How far the pages of one list were followed."""

    def __init__(self, spec: ToolSpec, paging: Pagination, params: dict[str, Any], span: Span) -> None:
        self._paging = paging
        self._params = params
        self._span = span
        self._largest = spec.params[paging.size].maximum
        self._wanted = span.page_size if span.page_size is not None else params.get(paging.size)
        self.count = 0
        self.seen = {params.get(paging.cursor)}

    def is_over(self) -> bool:
        """Return whether as many items were read as are wanted."""
        return self._span.max_items is not None and self.count >= self._span.max_items

    def request(self, cursor: str | None = None) -> Params:
        """Return the params of the page at a cursor, or of the first."""
        params = dict(self._params)
        size = _page_size(
            self._wanted, self._largest, None if self._span.max_items is None else self._span.max_items - self.count
        )
        if size is not None:
            params[self._paging.size] = size
        if cursor is not None:
            self.seen.add(cursor)
            params[self._paging.cursor] = cursor
        return params


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
