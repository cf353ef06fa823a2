"""Answers as outputs and errors: what counts as kept, what counts as broken, and what an error tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from persona_block import ApiError, ResponseError
from persona_block.call.parse import Answer, first, parse, parse_error, unwrap
from persona_block.spec import catalog
from tests.support.budget import budget
from tests.support.case_files import cases


def answer(body: Any, status: int = 200, media_type: str = "application/json") -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, media_type, raw, "req_1")


def parsed(operation: str, body: Any) -> dict[str, Any]:
    return parse(catalog.load(operation), answer(body))


INQUIRY = {"type": "inquiry", "id": "inq_1"}

BROKEN: list[tuple[str, Any, str]] = [
    ("get_inquiry", b"", "empty body"),
    ("get_inquiry", b"  \n", "empty body"),
    ("get_inquiry", b'{"data": {"id": "in', "cut off"),
    ("get_inquiry", [INQUIRY], "not an object"),
    ("get_inquiry", {"data": [INQUIRY]}, "not an object"),
    ("get_inquiry", {"data": None}, "is missing"),
    ("get_inquiry", {}, "is missing"),
    ("get_inquiry", {"data": {"type": "inquiry"}}, "has no id"),
    ("get_inquiry", {"data": {"type": "inquiry", "id": ""}}, "has no id"),
    ("get_inquiry", {"data": {"type": "inquiry", "id": 7}}, "has no id"),
    ("get_inquiry", {"data": {"type": "account", "id": "act_1"}}, "not of type inquiry"),
    ("get_report", {"data": {"type": "reporter", "id": "rep_1"}}, "not of type report"),
    ("resume_inquiry", {"data": INQUIRY}, "sessionToken"),
    ("resume_inquiry", {"data": INQUIRY, "meta": {"session-token": ""}}, "sessionToken"),
    ("resume_inquiry", {"data": INQUIRY, "meta": {"session-token": None}}, "sessionToken"),
    ("generate_inquiry_link", {"data": INQUIRY, "meta": {"one-time-link-short": "x"}}, "oneTimeLink"),
    ("list_accounts", {"data": {"id": "act_1"}, "links": {"next": None}}, "not a list"),
    ("get_inquiry", {"data": {"id": "inq_1"}}, "not of type inquiry"),
    ("get_inquiry", {"data": INQUIRY | {"attributes": {"status": 5}}}, "not text"),
    ("get_inquiry", {"data": INQUIRY | {"attributes": {"fields": []}}}, "not an object"),
    ("get_inquiry", {"data": INQUIRY | {"attributes": {"tags": ["a", 5]}}}, "not text"),
    (
        "get_report",
        {"data": {"type": "report/watchlist", "id": "rep_1", "attributes": {"has-match": "true"}}},
        "true or false",
    ),
    ("get_importer", {"data": {"type": "importer/account", "id": "m", "attributes": {"error-count": True}}}, "whole number"),
    ("list_accounts", {"data": [{"type": "account"}], "links": {"next": None}}, "has no id"),
    ("list_accounts", {"links": {"next": None}}, "is missing"),
    ("list_accounts", {"data": None, "links": {"next": None}}, "is missing"),
    ("list_accounts", {"data": []}, "more pages"),
    ("list_accounts", {"data": [], "links": {"next": "/api/v1/accounts?page=2"}}, "page[after]"),
    ("list_accounts", {"data": [], "links": {"next": ["/accounts?page[after]=act_1"]}}, "page[after]"),
    ("list_accounts", {"data": [], "links": {"next": {"href": "/accounts?page[after]=act_1"}}}, "page[after]"),
]


@pytest.mark.parametrize(("operation", "body", "what"), BROKEN)
def test_a_broken_promise_is_never_a_success(operation: str, body: Any, what: str) -> None:
    with pytest.raises(ResponseError) as caught:
        parsed(operation, body)
    assert what in caught.value.message
    assert caught.value.request_id == "req_1"


def test_html_is_no_answer() -> None:
    with pytest.raises(ResponseError, match="text/html instead of JSON"):
        parse(catalog.load("get_inquiry"), answer(b"<html>busy</html>", media_type="text/html"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_breaks_an_answer(number: str) -> None:
    body = json.dumps({"data": INQUIRY | {"attributes": {"behaviors": {"score": 0}}}}).replace("0}", f"{number}}}")
    with pytest.raises(ResponseError, match="cut off or broken"):
        parse(catalog.load("get_inquiry"), answer(body.encode()))


@pytest.mark.parametrize(
    ("encoding", "is_read"), [("utf-8", True), ("utf-8-sig", True), ("utf-16", False), ("latin-1", False)]
)
def test_an_answer_is_in_utf_8(encoding: str, is_read: bool) -> None:
    body = json.dumps({"data": INQUIRY | {"attributes": {"note": "\xe9"}}}, ensure_ascii=False).encode(encoding)
    if is_read:
        assert parse(catalog.load("get_inquiry"), answer(body))["inquiry"]["note"] == "\xe9"
    else:
        with pytest.raises(ResponseError):
            parse(catalog.load("get_inquiry"), answer(body))


@pytest.mark.parametrize("link", ["/api/v1/accounts?page%5Bafter%5D=act%201#x", "https://[?page[after]=act+1"])
def test_a_cursor_is_read_from_any_link(link: str) -> None:
    assert parsed("list_accounts", {"data": [], "links": {"next": link}})["nextCursor"] == "act 1"


def test_a_broken_answer_to_a_write_warns_that_it_may_have_happened() -> None:
    with pytest.raises(ResponseError, match="may have acted"):
        parsed("approve_inquiry", {})
    with pytest.raises(ResponseError) as caught:
        parsed("get_inquiry", {})
    assert "may have acted" not in caught.value.message


@pytest.mark.parametrize("empty", [None, {}, {"data": None}, {"data": {}}])
def test_an_empty_relationship_is_null_however_it_is_written(empty: Any) -> None:
    relationships = {name: empty for name in ("account", "inquiry-template", "template", "reports", "transaction")}
    inquiry = parsed("get_inquiry", {"data": INQUIRY | {"relationships": relationships}})["inquiry"]
    assert inquiry["accountId"] is None
    assert inquiry["inquiryTemplateId"] is None
    assert inquiry["reportIds"] == []


def test_a_legacy_template_stands_in_for_the_template() -> None:
    relationships = {"inquiry-template": {"data": {}}, "template": {"data": {"id": "tmpl_1"}}}
    assert (
        parsed("get_inquiry", {"data": INQUIRY | {"relationships": relationships}})["inquiry"]["inquiryTemplateId"] == "tmpl_1"
    )


def test_attributes_may_be_missing_or_new() -> None:
    inquiry = parsed("get_inquiry", {"data": INQUIRY | {"attributes": {"status": "on_hold", "mood": "new"}}})["inquiry"]
    assert inquiry["status"] == "on_hold"
    assert inquiry["note"] is None
    assert inquiry["fields"] == {}


def test_fields_are_unwrapped_at_every_depth() -> None:
    wrapped = {
        "name": {"type": "hash", "value": {"first": {"type": "string", "value": "Jane"}}},
        "ids": {"type": "array", "value": [{"type": "hash", "value": {"n": {"type": "string", "value": "1"}}}]},
        "plain": {"a": 1},
        "photo": {"type": "file", "value": None},
    }
    assert unwrap(wrapped) == {"name": {"first": "Jane"}, "ids": [{"n": "1"}], "plain": {"a": 1}, "photo": None}
    assert unwrap({"type": "gold", "value": 3}) == {"type": "gold", "value": 3}, "fields called type and value stay"


values = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@settings(max_examples=budget(small=8, full=500))
@given(st.dictionaries(st.text(), values))
def test_unwrapped_fields_stay_as_they_are(fields: dict[str, Any]) -> None:
    assert unwrap(_wrap(fields)) == fields


def _wrap(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"type": "any", "value": _wrap(value) if isinstance(value, dict) else value} for name, value in fields.items()
    }


@given(
    st.sampled_from(catalog.names()),
    values | st.fixed_dictionaries({"data": values}, optional={"links": values, "meta": values}),
)
def test_whatever_comes_back_is_an_output_or_a_response_error(operation: str, body: Any) -> None:
    spec = catalog.load(operation)
    try:
        output = parse(spec, answer(body))
    except ResponseError:
        return
    assert set(output) | ({"file"} if spec.file_source else set()) == set(spec.output)


WRONG: tuple[Any, ...] = (None, "", "x", 5, 5.5, True, [], ["x"], [5], {}, {"x": 1}, {"type": "string", "value": "x"})


def mutated(node: Any) -> Iterator[Any]:
    """Yield copies of a document, each with one value of another kind in the place of one that stood there, or without it."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield {other: kept for other, kept in node.items() if other != name}
            yield from ({**node, name: changed} for changed in (*WRONG, *mutated(value)))
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from ([*node[:index], changed, *node[index + 1 :]] for changed in (*WRONG, *mutated(value)))


@pytest.mark.soak
@pytest.mark.parametrize("operation", catalog.names())
def test_an_output_always_fits_its_own_schema(operation: str) -> None:
    spec = catalog.load(operation)
    validator = Draft202012Validator(spec.output_schema())
    step = budget(small=5, full=1)
    outputs = 0
    for case in (each for each in cases() if each.operation == operation):
        for body in islice(mutated(case.response.get("body", {})), None, None, step):
            try:
                output = parse(spec, answer(body, case.response["status"]))
            except ResponseError:
                continue
            outputs += 1
            assert validator.is_valid(output), body
    assert outputs > 10 // step or spec.file_source


def test_deep_nesting_is_a_response_error() -> None:
    with pytest.raises(ResponseError):
        parse(catalog.load("get_inquiry"), answer(b'{"data":' * 100_000))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (422, {"errors": [{"title": "Record invalid", "details": "Bad code.", "source": {"pointer": "/data/x"}}]},
         "Record invalid: Bad code (at /data/x)."),
        (400, {"errors": [{"title": "A", "details": "b"}, {"details": "c"}]}, "A: b; c."),
        (404, {"errors": [{"title": "Record not found"}]}, "Record not found."),
        (401, {"errors": [{}]}, "application/json without Persona's error format."),
        (500, {"errors": "x"}, "without Persona's error format."),
        (503, [], "without Persona's error format."),
        (302, {}, "a redirect, which is never followed."),
    ],
)  # fmt: skip
def test_an_error_tells_all_that_persona_says(status: int, body: Any, said: str) -> None:
    error = parse_error(catalog.load("get_inquiry"), answer(body, status))
    assert isinstance(error, ApiError)
    assert f"get_inquiry with {status}: " in error.message
    assert said in error.message
    assert error.message.endswith("Request-Id req_1.")
    details = error.details()
    assert details["status"] == status
    assert details["requestId"] == "req_1"


def test_first_takes_the_first_present() -> None:
    assert first({"a": {"b": None}, "c": 1}, ["/a/b", "/c"]) == 1
    assert first({"a": [{"id": 1}, {"id": 2}, {}]}, "/a/*/id") == [1, 2]
    assert first({"a": None}, "/a/*/id") == []
    assert first({}, "/a/b") is None
