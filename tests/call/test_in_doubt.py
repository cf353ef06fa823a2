"""What an error tells of a write in doubt: a host that believes it never makes anything twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from persona_block import Runner, Sandbox, ToolResult
from persona_block.sandbox import Faults
from persona_block.spec import catalog
from tests.support.case_files import cases

PARAMS = {case.operation: case.live_params() for case in cases()}
Handler = Callable[[httpx.Request], httpx.Response]


def _raise(error: type[httpx.TransportError]) -> Handler:
    def handler(_request: httpx.Request) -> httpx.Response:
        raise error("lost")

    return handler


def _answer(status: int, headers: dict[str, str] | None = None, content: bytes = b"{}") -> Handler:
    return lambda _: httpx.Response(status, headers={"Content-Type": "application/json"} | (headers or {}), content=content)


FAILURES: dict[str, Handler] = {
    "answer lost": _raise(httpx.ReadError),
    "never connected": _raise(httpx.ConnectError),
    "pool full": _raise(httpx.PoolTimeout),
    "garbage": _raise(httpx.RemoteProtocolError),
    "empty success": _answer(200, content=b""),
    "broken success": _answer(201),
    "a page": _answer(200, {"Content-Type": "text/html"}, b"<html>"),
    "unasked encoding": _answer(200, {"Content-Encoding": "br"}),
    "quota": _answer(429, {"RateLimit-Remaining": "20"}),
} | {
    str(status): _answer(status)
    for status in (301, 302, 303, 307, 308, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504)
}


async def _failed(operation: str, failure: str, **options: Any) -> ToolResult:
    transport = httpx.MockTransport(FAILURES[failure])
    async with Runner(
        api_key=f"key-{failure.replace(' ', '-')}", base_url="https://doubt.invalid", transport=transport, deadline=0
    ) as runner:
        result = await runner.run(catalog.operation(operation), PARAMS[operation], **options)
    assert not result.success
    assert result.attempts > 0
    return result


@pytest.mark.parametrize("failure", list(FAILURES))
@pytest.mark.parametrize("operation", catalog.names())
async def test_a_write_in_doubt_is_retryable_only_with_its_key(operation: str, failure: str) -> None:
    spec = catalog.load(operation)
    details = (await _failed(operation, failure)).error_details
    assert details is not None
    if spec.effect == "read":
        assert details["tookEffect"] is None
        assert details["idempotencyKey"] is None
    elif details["tookEffect"] == "unknown":
        assert (details["idempotencyKey"] is not None) == (spec.request.method == "POST")
        assert not (details["retryable"] and details["idempotencyKey"] is None)
    else:
        assert details["idempotencyKey"] is None


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
async def test_a_redirect_of_a_write_leaves_its_effect_unknown(status: str) -> None:
    details = (await _failed("approve_inquiry", status)).error_details
    assert details is not None
    assert (details["tookEffect"], details["retryable"]) == ("unknown", False)


async def test_what_no_repeat_can_help_is_not_retryable() -> None:
    """A 500 is kept under the key and replayed; a new key might do it twice. A quota is refilled by no wait."""
    for operation, failure in (("create_inquiry", "500"), ("create_inquiry", "quota"), ("get_inquiry", "quota")):
        details = (await _failed(operation, failure)).error_details
        assert details is not None
        assert details["retryable"] is False
    read = (await _failed("get_inquiry", "500")).error_details
    assert read is not None
    assert read["retryable"] is True


@pytest.mark.parametrize("fault", ["reset-after", "stall", "cut-body", "html-502-after", "garbage"])
async def test_the_key_that_is_told_makes_it_happen_once(fault: str) -> None:
    with Sandbox() as sandbox:
        async with sandbox.runner(deadline=0) as runner:
            sandbox.faults = Faults(1.0, [fault])
            lost = await runner.run("create_inquiry", {"inquiryTemplateId": sandbox.templates.inquiry})
            details = lost.error_details
            assert details is not None
            assert (details["tookEffect"], details["retryable"]) == ("unknown", True)
            sandbox.faults = None
            again = await runner.run(
                "create_inquiry",
                {"inquiryTemplateId": sandbox.templates.inquiry},
                idempotency_key=details["idempotencyKey"],
            )
            assert again.success
            made = await runner.call("list_inquiries")
        assert [inquiry["id"] for inquiry in made["inquiries"]] == [again.output["inquiry"]["id"]]


@pytest.mark.parametrize("key", ["", " \n", "é", "x" * 256, 7])
async def test_a_key_that_is_none_is_refused_for_every_operation(key: Any) -> None:
    """Taken for 'none given', an empty key would be replaced by a new one at every repeat."""
    transport = httpx.MockTransport(_answer(200))
    async with Runner(api_key="k", transport=transport) as runner:
        for operation in ("create_inquiry", "redact_inquiry"):
            result = await runner.run(catalog.operation(operation), PARAMS[operation], idempotency_key=key)
            assert result.attempts == 0
            assert "idempotency_key" in (result.error or "")
