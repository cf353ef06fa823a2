"""Reading a list for a model: so many items and no more, within the time that a client gives a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ..call.paging import pagination
from ..call.progress import Progress, ProgressUpdate
from ..errors import PersonaError, Unavailable
from ..runner import Runner
from ..spec.grammar import API_KEY_PARAM, ToolSpec
from .tool import PAGE_SIZE, WAIT_SECONDS


async def read_list(
    runner: Runner, spec: ToolSpec, params: Mapping[str, Any], max_items: int | None, progress: Progress | None
) -> dict[str, Any]:
    """Return the items of a list operation as one output, with `more` where there is a next page or nothing matches.

    params: the checked params, and the API key.
    max_items: how many items to give at most, over as many pages as it takes; None gives one page.
    progress: told after each page how many items there are.

    Reading ends after WAIT_SECONDS with what there is by then. Raises PersonaError, whose output is what was read before it,
    and Unavailable where the time brought nothing.
    """
    paging = pagination(spec)
    if max_items is None:
        pages = _first_page(runner, spec, {paging.size: PAGE_SIZE, **params})
    else:
        pages = runner.paginate(spec.name, params, max_items=max_items)
    output: dict[str, Any] = {paging.items: []}
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            async for page in pages:
                output = {**page, paging.items: output[paging.items] + page[paging.items]}
                if page[paging.next] is not None:
                    output["more"] = f"There are more. Call {spec.tool_id} again with {paging.cursor} set to {paging.next}."
                if progress:
                    count = len(output[paging.items])
                    progress(ProgressUpdate(f"{count} {paging.items}", done=count))
    except TimeoutError:
        if not output[paging.items]:
            text = f"{spec.name} took longer than {WAIT_SECONDS:.0f} seconds; ask for fewer items, or try again later."
            raise Unavailable(text, status=408, took_effect=None) from None
    except PersonaError as error:
        raise error.revised(output=output if output[paging.items] else {}) from None
    filters = params.keys() - {API_KEY_PARAM, paging.cursor, paging.size}
    if not output[paging.items] and filters:
        output["more"] = "Nothing matches all of that. Check how what you look for is spelled."
    return output


async def _first_page(runner: Runner, spec: ToolSpec, params: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield await runner.call(spec.name, params)
