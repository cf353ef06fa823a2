"""Every operation does on the wire what its case file says, and gives back what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from jsonschema import Draft202012Validator

from persona_block import FileStore, Runner
from persona_block.spec import catalog
from tests.support.case_files import API_KEY, Case, Recorder, cases, operations_with_cases

CASES = list(cases())


def test_every_operation_has_cases() -> None:
    assert operations_with_cases() == set(catalog.names())


@pytest.mark.parametrize("operation", catalog.names())
def test_cases_use_every_param(operation: str) -> None:
    used = {name for case in CASES if case.operation == operation for name in case.params}
    assert used == set(catalog.load(operation).params)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_case(case: Case, tmp_path: Path) -> None:
    recorder = Recorder(case.reply())
    async with Runner(api_key=API_KEY, transport=recorder.transport, files=FileStore(tmp_path)) as runner:
        result = await runner.run(catalog.operation(case.operation), case.live_params())

    assert result.success, result.error
    (request,) = recorder.requests
    assert _written(request) == case.request
    _assert_headers(request, case)
    output = dict(result.output)
    if case.file_output:
        stored = output[case.file_output]
        assert Path(stored.pop("path")).read_text("utf-8") == case.response["text"]
        stored.pop("url")
    assert output == case.output
    assert result.request_id == "req_Case1"
    assert result.attempts == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_output_fits_its_schema(case: Case) -> None:
    output = json.loads(json.dumps(case.output))
    if case.file_output:
        output[case.file_output] |= {"url": "file:///x", "path": "/x"}
    assert list(Draft202012Validator(case.spec.output_schema()).iter_errors(output)) == []


def _assert_headers(request: httpx.Request, case: Case) -> None:
    assert request.headers["Authorization"] == f"Bearer {API_KEY}"
    assert request.headers["Persona-Version"] == "2025-12-08"
    assert request.headers["Key-Inflection"] == "kebab"
    assert ("Idempotency-Key" in request.headers) == (case.request["method"] == "POST")


def _written(request: httpx.Request) -> dict[str, Any]:
    """Return the request as a case file writes it."""
    target, _, query = request.url.raw_path.decode().partition("?")
    written: dict[str, Any] = {"method": request.method, "path": target.removeprefix("/api/v1")}
    if query:
        written["query"] = dict(parse_qsl(query, strict_parsing=True))
    if request.headers.get("Content-Type", "").startswith("multipart/form-data"):
        part = re.search(rb'name="([^"]+)"; filename="[^"]+"\r\n[^\r]+\r\n\r\n(.*?)\r\n--', request.content, re.DOTALL)
        assert part is not None
        written["multipart"] = {part[1].decode(): part[2].decode()}
    elif request.content:
        written["body"] = json.loads(request.content)
    return written
