"""The server that plays faults: what it passes on to the application."""

from __future__ import annotations

import httpx

from persona_block.sandbox.serving.faulty import serving_faults
from persona_block.sandbox.serving.server import bound


async def test_nothing_is_kept_from_one_request_to_the_next() -> None:
    """The application's cookies and redirects reach the caller, and are not followed on the way."""
    received: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(307, headers={"Set-Cookie": "seen=1", "Location": "/elsewhere"})

    with bound("127.0.0.1", 0) as (listening, origin):
        async with serving_faults(httpx.MockTransport(answer), lambda: None, listening, origin):
            for _ in range(2):
                async with httpx.AsyncClient() as http:
                    reply = await http.post(f"{origin}/api/v1/accounts", content=b"{}")
                assert (reply.status_code, reply.headers["Set-Cookie"]) == (307, "seen=1")
    assert [request.headers.get("Cookie") for request in received] == [None, None]
    assert [(request.url.path, request.content) for request in received] == [("/api/v1/accounts", b"{}")] * 2
