"""Tests of the contract: it accepts the official examples, and finds what is wrong in others."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from persona_block.spec import catalog
from tests.support import openapi

pytestmark = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)

HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "request-id": "req_1",
    "ratelimit-limit": "300",
    "ratelimit-remaining": "299",
    "ratelimit-reset": "60",
    "persona-environment-id": "env_1",
    "persona-organization-id": "org_1",
}


@pytest.fixture(scope="module")
def contract() -> openapi.Contract:
    return openapi.Contract()


def test_every_official_example_fits(contract: openapi.Contract) -> None:
    examples = list(contract.examples())
    assert {example.success for example in examples} == {True, False}
    assert len({(example.method, example.path) for example in examples}) == len(contract.operations)
    assert len(contract.operations) == len(catalog.names()) + 1, "the block's, and Persona's own sandbox control"
    for example in examples:
        problems = contract.check_response(example.method, example.path, example.status, HEADERS, example.value)
        assert not problems, (example, problems)


def _example(contract: openapi.Contract, path: str) -> Any:
    return copy.deepcopy(next(each.value for each in contract.examples() if (each.path, each.method) == (path, "GET")))


def test_what_is_wrong_in_a_response_is_found(contract: openapi.Contract) -> None:
    inquiry = _example(contract, "/inquiries/{inquiry-id}")

    def problems(body: Any, status: int = 200, **headers: str) -> str:
        all_headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return " ".join(contract.check_response("GET", "/api/v1/inquiries/inq_1", status, all_headers, body))

    assert problems(inquiry) == ""
    for path, value, expected in (
        (("data", "attributes", "created-at"), "yesterday", "date-time"),
        (("data", "attributes", "note"), 3, "not of type"),
        (("data", "attributes", "surprise"), 3, "surprise"),
        (("data", "type"), "inquiries", "inquiry"),
        (("included",), [{"type": "verification/selfie", "id": 3}], "included/0/id"),
        (("included",), [{"type": "stranger"}], "none of the documented kinds"),
        (("extra",), 1, "extra"),
    ):
        body = copy.deepcopy(inquiry)
        target = body
        for json_key in path[:-1]:
            target = target[json_key]
        target[path[-1]] = value
        assert expected in problems(body), path
    missing = copy.deepcopy(inquiry)
    del missing["data"]["attributes"]["status"]
    assert "required" in problems(missing)
    assert not contract.check_response("GET", "/inquiries/inq_1", 200, HEADERS, missing, sparse=True)
    assert "not documented" in problems(inquiry, 201)
    assert "Request-Id is missing" in problems(inquiry, request_id="")
    assert "not a integer" in problems(inquiry, ratelimit_limit="many")
    assert "content type" in problems(inquiry, content_type="text/html")


def test_what_is_wrong_in_a_request_is_found(contract: openapi.Contract) -> None:
    check = contract.check_request
    assert check("GET", "/inquiries?filter[status]=created&page[size]=3&fields[inquiry]=note") == []
    for query in ("filter[x]=1", "page[x]=1", "page[size]=x", "include=account", "filter=x", "a=1"):
        assert check("GET", f"/api/v1/inquiries?{query}"), query
    assert check("GET", "/inquiries", headers={"key-inflection": "upper"})
    assert check("GET", "/inquiries", headers={"Persona-Version": "2025-12-08"}) == []
    assert check("GET", "/inquiries", json_body={})
    assert check("GET", "/nowhere")
    body = {"data": {"attributes": {"inquiry-template-id": "itmpl_1", "fields": {"birthdate": "1990-01-02"}}}}
    assert check("POST", "/inquiries", json_body=body) == []
    assert check("POST", "/inquiries", json_body={"data": {"attributes": {"name": 1}}})
    assert check("POST", "/inquiries", json_body=body, content_type="text/plain")
    upload = {"data": {"attributes": {"file": "…"}}}
    assert check("POST", "/importer/accounts", json_body=upload, content_type="multipart/form-data; boundary=x") == []


@pytest.mark.slow
def test_what_is_wrong_in_a_webhook_is_found(contract: openapi.Contract) -> None:
    checked = 0
    for name, item in contract.document["webhooks"].items():
        for example in item["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            body = contract.resolve(example)["value"]
            checked += 1
            assert contract.check_webhook(name, body) == []
            assert contract.check_webhook(name, {"data": {**body["data"], "surprise": 1}}), name
            for json_key in ("name", "created-at", "payload"):
                attributes = {other: value for other, value in body["data"]["attributes"].items() if other != json_key}
                assert contract.check_webhook(name, {"data": {**body["data"], "attributes": attributes}}), (name, json_key)
            assert contract.check_webhook("case.exported" if name != "case.exported" else "case.created", body)
            assert contract.check_webhook("importer.ready", body)
    assert checked >= len(contract.document["webhooks"])


def test_literal_paths_come_before_templates(contract: openapi.Contract) -> None:
    for path, name in (("/inquiries/inq_1/print", "print-an-inquiry-pdf"), ("/inquiries/inq_1", "retrieve-an-inquiry")):
        operation = contract.match("GET", path)
        assert operation
        assert operation.id == name
