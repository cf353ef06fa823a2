"""Hints: what is sent as it stands, though something else was probably meant."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from persona_block import ProgressUpdate, Runner


def runner(answer: dict[str, Any]) -> Runner:
    """Return a runner of a Persona that always answers so."""
    return Runner(api_key="k", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("needs_review", None),
        ("approved, declined", None),
        ("aproved,declined", "status: holds a value that Persona is not known to have; did you mean approved?"),
        ("zzz", "status: holds a value that Persona is not known to have; it knows created, pending, completed, failed,"),
    ],
)
async def test_a_status_that_persona_never_had_is_sent_with_a_hint(status: str, hint: str | None) -> None:
    told: list[ProgressUpdate] = []
    async with runner({"data": [], "links": {"next": None}}) as run:
        result = await run.run("list_inquiries", {"status": status}, progress=told.append)
        paged = [output async for output in run.paginate("list_inquiries", {"status": status}, progress=told.append)]
    assert result.success
    assert paged == [result.output]
    assert (result.hint or "").startswith(hint or "")
    assert [update.message for update in told if "known" in update.message] == ([result.hint] * 2 if hint else [])
    assert "hint" not in result.to_dict()
    assert ("hint=" in repr(result)) == bool(hint)
    assert "zzz" not in repr(result)


async def test_a_status_to_wait_for_that_never_comes_gives_a_hint() -> None:
    told: list[str] = []
    report = {"type": "report/watchlist", "id": "rep_1", "attributes": {"status": "redy"}}
    async with runner({"data": report}) as run:
        await run.wait(
            "get_report",
            {"reportId": "rep_1"},
            until={"redy"},
            delay=0,
            deadline=5,
            progress=lambda update: told.append(update.message),
        )
    assert told[0] == "until: holds a value that Persona is not known to have; did you mean ready?"
