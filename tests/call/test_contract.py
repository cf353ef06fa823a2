"""Requests fit Persona's official OpenAPI, and its official examples come out as outputs and errors of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from jsonschema import Draft202012Validator

from persona_block import ApiError, FileStore, Runner
from persona_block.errors import api_error_type
from persona_block.spec import catalog
from persona_block.spec.grammar import PLACEHOLDER, ToolSpec
from tests.support import openapi
from tests.support.case_files import API_KEY, Case, Recorder, cases

pytestmark = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)

CASES = list(cases())
CONTRACT = openapi.Contract() if openapi.available() else None
EXAMPLES = list(CONTRACT.examples()) if CONTRACT else []
OURS: dict[tuple[str, str], ToolSpec] = {
    (str(spec.request.method), PLACEHOLDER.sub("{}", spec.request.path)): spec for spec in catalog.load_all()
}


def _ours(example: openapi.Example) -> ToolSpec | None:
    path = "/".join("{}" if part.startswith("{") else part for part in example.path.split("/"))
    return OURS.get((example.method, path))


def _name(example: openapi.Example) -> str:
    return f"{example.method} {example.path} {example.status} {example.name}"


def test_every_operation_is_official() -> None:
    assert CONTRACT is not None
    unofficial = [spec.name for spec in catalog.load_all() if CONTRACT.match(spec.request.method, _any_path(spec)) is None]
    assert unofficial == []
    assert {spec.name for spec in OURS.values()} == set(catalog.names())


def _any_path(spec: ToolSpec) -> str:
    return PLACEHOLDER.sub("x_1", spec.request.path)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_requests_fit(case: Case, tmp_path: Path) -> None:
    assert CONTRACT is not None
    recorder = Recorder(case.reply())
    async with Runner(api_key=API_KEY, transport=recorder.transport, files=FileStore(tmp_path)) as runner:
        await runner.call(catalog.operation(case.operation), case.live_params())
    (request,) = recorder.requests
    media_type = request.headers.get("Content-Type", "")
    body: Any = json.loads(request.content) if media_type == "application/json" else None
    if media_type.startswith("multipart/form-data"):
        assert b'name="data[attributes][file]"' in request.content
        body = {"data": {"attributes": {"file": case.params["file"]["content"]}}}
    problems = CONTRACT.check_request(
        request.method,
        request.url.raw_path.decode().partition("?")[0],
        parse_qsl(request.url.query.decode()),
        request.headers,
        body,
        media_type,
    )
    assert problems == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case_answers_are_realistic(case: Case) -> None:
    """What the case files say Persona answers is something that Persona's contract allows."""
    assert CONTRACT is not None
    operation = CONTRACT.match(case.request["method"], case.request["path"])
    assert operation is not None
    documented = operation.spec["responses"][str(case.response["status"])]["content"]
    assert case.response.get("mediaType", "application/json") in documented
    if "body" in case.response:
        headers = {**_HEADERS, "Content-Type": "application/json"}
        problems = CONTRACT.check_response(
            case.request["method"], case.request["path"], case.response["status"], headers, case.response["body"]
        )
        assert problems == []


_HEADERS = {
    "RateLimit-Limit": "300",
    "RateLimit-Remaining": "299",
    "RateLimit-Reset": "60",
    "Request-Id": "req_1",
    "Persona-Environment-Id": "env_1",
    "Persona-Organization-Id": "org_1",
}


def _params(spec: ToolSpec) -> dict[str, Any]:
    return next(case.live_params() for case in CASES if case.operation == spec.name)


async def _answer_with(spec: ToolSpec, status: int, body: Any) -> dict[str, Any]:
    recorder = Recorder(httpx.Response(status, json=body, headers={"Request-Id": "req_Official"}))
    async with Runner(api_key=API_KEY, transport=recorder.transport, deadline=0) as runner:
        return await runner.call(spec.name, _params(spec))


SUCCESSES = [example for example in EXAMPLES if example.success and _ours(example)]
ERRORS = [example for example in EXAMPLES if not example.success and _ours(example)]


def test_there_are_official_examples() -> None:
    with_json_answers = {spec.name for spec in catalog.load_all() if spec.file_source is None}
    assert {spec.name for example in SUCCESSES if (spec := _ours(example))} == with_json_answers
    assert {spec.name for example in ERRORS if (spec := _ours(example))} == set(catalog.names())


@pytest.mark.parametrize("example", SUCCESSES, ids=_name)
async def test_official_success(example: openapi.Example) -> None:
    spec = _ours(example)
    assert spec is not None
    output = await _answer_with(spec, example.status, example.value)
    assert list(Draft202012Validator(spec.output_schema()).iter_errors(output)) == []
    data = example.value["data"]
    found = output[next(iter(spec.output))]
    if isinstance(data, list):
        assert [item["id"] for item in found] == [item["id"] for item in data]
    else:
        assert found["id"] == data["id"]


@pytest.mark.parametrize("example", ERRORS, ids=_name)
async def test_official_error(example: openapi.Example) -> None:
    spec = _ours(example)
    assert spec is not None
    with pytest.raises(ApiError) as caught:
        await _answer_with(spec, example.status, example.value)
    error = caught.value
    assert type(error) is api_error_type(example.status)
    assert error.status == example.status
    assert "req_Official" in error.message
    for told in example.value["errors"]:
        for text in (told.get("title"), told.get("details"), told.get("source", {}).get("pointer")):
            assert text is None or text.rstrip(".") in error.message
