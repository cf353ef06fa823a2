"""What is logged of a call: enough to follow it, and nothing of whom it is about."""

from __future__ import annotations

import logging

import httpx
import opentelemetry.trace
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from persona_block import Runner
from persona_block.call.observe import silent_libraries
from tests.support.planted import KEY, leaks
from tests.support.planted import PERSON as PERSON_NAME

PERSON = {
    "data": {"type": "inquiry", "id": "inq_1", "attributes": {"fields": {"name-first": PERSON_NAME}, "note": PERSON_NAME}}
}


def _answer(request: httpx.Request) -> httpx.Response:
    if request.method == "GET":
        return httpx.Response(200, json=PERSON, headers={"Request-Id": "req_Logged"})
    return httpx.Response(422, json={"errors": [{"title": "Record invalid", "details": "" + PERSON_NAME + " is no name"}]})


async def test_a_call_is_logged_without_anything_personal(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Runner(api_key=KEY, transport=httpx.MockTransport(_answer)) as runner:
        await runner.run("get_inquiry", {"inquiryId": "inq_1"})
        await runner.run("list_inquiries", {"referenceId": PERSON_NAME})
        result = await runner.run("update_inquiry", {"inquiryId": "inq_1", "note": PERSON_NAME})
    ours = [record.getMessage() for record in caplog.records if record.name == "persona_block"]
    assert len(ours) == 3
    assert ours[0].startswith("get_inquiry succeeded: status 200, 1 attempts, ")
    assert ours[0].endswith("req_Logged")
    assert ours[2].startswith("update_inquiry failed: status 422")
    for secret in (KEY, PERSON_NAME):
        assert secret not in caplog.text
        assert secret not in repr(result)


async def test_other_uses_of_the_http_library_are_logged_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    transport = httpx.MockTransport(_answer)
    async with Runner(api_key=KEY, transport=transport) as runner:
        await runner.run("get_inquiry", {"inquiryId": "inq_1"})
    async with httpx.AsyncClient(transport=transport) as other:
        await other.get("https://elsewhere.example/visible")
    assert [record.name for record in caplog.records] == ["persona_block", "httpx"]
    assert "visible" in caplog.text


async def test_a_call_is_a_span_without_anything_personal(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(opentelemetry.trace, "get_tracer", provider.get_tracer)
    async with Runner(api_key=KEY, transport=httpx.MockTransport(_answer)) as runner:
        await runner.run("get_inquiry", {"inquiryId": "inq_1"})
        await runner.run("update_inquiry", {"inquiryId": "inq_1", "note": PERSON_NAME})
    read, update = spans.get_finished_spans()
    assert read.name == "persona get_inquiry"
    assert dict(read.attributes or {}) == {
        "persona.operation": "get_inquiry",
        "persona.outcome": "succeeded",
        "http.response.status_code": 200,
        "persona.attempts": 1,
        "persona.request_id": "req_Logged",
    }
    assert update.status.status_code is opentelemetry.trace.StatusCode.ERROR
    told = read.to_json() + update.to_json()
    assert PERSON_NAME not in told
    assert KEY not in told


async def test_what_nobody_listens_to_is_not_made(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Without a tracer of its own, OpenTelemetry's API makes spans that record nothing."""
    ours = logging.getLogger("persona_block")
    caplog.set_level(logging.WARNING, "persona_block")
    monkeypatch.setattr(ours, "makeRecord", lambda *_args, **_options: pytest.fail("a record was made"))
    for provider in (opentelemetry.trace.ProxyTracerProvider(), opentelemetry.trace.NoOpTracerProvider()):
        tracer = provider.get_tracer("persona_block")
        monkeypatch.setattr(type(tracer), "start_as_current_span", lambda *_args, **_options: pytest.fail("a span was made"))
        monkeypatch.setattr(opentelemetry.trace, "get_tracer", lambda _name, tracer=tracer: tracer)
        async with Runner(api_key=KEY, transport=httpx.MockTransport(_answer)) as runner:
            assert (await runner.run("get_inquiry", {"inquiryId": "inq_1"})).success


def test_a_filter_that_was_taken_away_is_put_back() -> None:
    library = logging.getLogger("httpx")
    library.filters.clear()
    with silent_libraries():
        assert len(library.filters) == 1
        with silent_libraries():
            assert not library.filter(logging.makeLogRecord({"name": "httpx"}))
        assert not library.filter(logging.makeLogRecord({"name": "httpx"}))
    assert library.filter(logging.makeLogRecord({"name": "httpx"}))
    assert len(library.filters) == 1


def test_the_watch_over_the_suite_sees_a_leak() -> None:
    assert leaks(["nothing", f"a line with {KEY} in it"]) == [f"a line with {KEY} in it"]
    assert leaks([f"{PERSON_NAME} and {PERSON_NAME}"]) != []
    assert leaks(["nothing"]) == []
