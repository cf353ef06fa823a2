"""Pages: the next is fetched while one is handled, in order, never more than one ahead, and not once the caller has left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from persona_block import ApiError, BlockingRunner, Runner


def account(number: int) -> dict[str, Any]:
    return {"type": "account", "id": f"act_{number}"}


class Listing:
    """Answers with one account a page; the pages that were asked for and answered are kept."""

    def __init__(self, last: int, answering: Callable[[int], Awaitable[int]] | None = None) -> None:
        self.asked: list[int] = []
        self.ended: list[int] = []
        self.cancelled = 0
        self._last = last
        self._answering = answering

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page[after]", "act_0").removeprefix("act_")) + 1
        self.asked.append(number)
        try:
            status = await self._answering(number) if self._answering else 200
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.ended.append(number)
        if status != 200:
            return httpx.Response(status, json={"errors": [{"title": "No"}]})
        following = f"/accounts?page%5Bafter%5D=act_{number}" if number < self._last else None
        return httpx.Response(200, json={"data": [account(number)], "links": {"prev": None, "next": following}})


def runner(listing: Listing) -> Runner:
    return Runner(api_key="paging", transport=httpx.MockTransport(listing), deadline=0)


async def ids(pages: Any) -> list[str]:
    return [item["id"] async for page in pages for item in page["accounts"]]


async def test_the_next_page_is_fetched_while_one_is_handled_and_none_beyond() -> None:
    listing = Listing(5)
    ahead = []
    async with runner(listing) as opened:
        async for page in opened.paginate("list_accounts"):
            await asyncio.sleep(0.01)
            number = int(page["accounts"][0]["id"].removeprefix("act_"))
            ahead.append(len(listing.ended) - number)
    assert ahead == [1, 1, 1, 1, 0]
    assert listing.asked == [1, 2, 3, 4, 5]


async def test_what_is_fetched_ahead_ends_when_the_caller_leaves() -> None:
    async def slow(number: int) -> int:
        await asyncio.sleep(60 if number == 2 else 0)
        return 200

    listing = Listing(5, slow)
    async with runner(listing) as opened:
        async with aclosing(opened.paginate("list_accounts")) as pages:  # type: ignore[type-var]
            async for _ in pages:
                await asyncio.sleep(0.01)
                break
        assert (listing.asked, listing.cancelled) == ([1, 2], 1)


async def test_the_last_page_that_is_wanted_is_the_last_that_is_asked_for() -> None:
    listing = Listing(5)
    async with runner(listing) as opened:
        assert await ids(opened.paginate("list_accounts", max_items=2)) == ["act_1", "act_2"]
    assert listing.asked == [1, 2]


async def test_an_error_comes_after_the_pages_before_it() -> None:
    async def refused(number: int) -> int:
        return 403 if number == 3 else 200

    listing = Listing(5, refused)
    got: list[str] = []

    async def read_all(opened: Runner) -> None:
        async for page in opened.paginate("list_accounts"):
            await asyncio.sleep(0.01)
            got.append(page["accounts"][0]["id"])

    async with runner(listing) as opened:
        with pytest.raises(ApiError):
            await read_all(opened)
    assert got == ["act_1", "act_2"]


async def test_an_error_that_nobody_comes_to_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def refused(number: int) -> int:
        return 403 if number == 2 else 200

    async with runner(Listing(5, refused)) as opened:
        async with aclosing(opened.paginate("list_accounts")) as pages:  # type: ignore[type-var]
            async for _ in pages:
                await asyncio.sleep(0.01)
                break
    assert "never retrieved" not in caplog.text


def test_blocking_pages_are_fetched_ahead_too() -> None:
    listing = Listing(3)
    with BlockingRunner(api_key="paging", transport=httpx.MockTransport(listing)) as opened:
        assert [page["accounts"][0]["id"] for page in opened.paginate("list_accounts")] == ["act_1", "act_2", "act_3"]
