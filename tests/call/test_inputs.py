"""Params as hosts send them: what is made of them, what is refused, and that a refusal never shows a value."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import InputError
from persona_block.call.inputs import prepare, prepare_call
from persona_block.credentials import ApiKey
from persona_block.spec import catalog

INQUIRY = {"inquiryId": "inq_1"}
REPORT = {"reportType": "watchlist", "reportTemplateId": "rptp_1", "term": "Jane"}


def prepared(operation: str, **params: Any) -> dict[str, Any]:
    return prepare(catalog.load(operation), params)


def problems(operation: str, **params: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        prepared(operation, **params)
    return {problem.param: problem.message for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("operation", "params", "name", "expected"),
    [
        ("list_accounts", {"pageSize": "10"}, "pageSize", 10),
        ("list_accounts", {"pageSize": 10.0}, "pageSize", 10),
        ("list_accounts", {"pageSize": " 100 "}, "pageSize", 100),
        ("list_accounts", {"referenceId": 42}, "referenceId", "42"),
        ("list_accounts", {"referenceId": 42.0}, "referenceId", "42"),
        ("list_accounts", {"referenceId": "  crew 7 "}, "referenceId", "crew 7"),
        ("create_account", {"fields": '{"a": {"b": [1, null]}}'}, "fields", {"a": {"b": [1, None]}}),
        ("create_account", {"fields": {"born": dt.date(1990, 1, 2)}}, "fields", {"born": "1990-01-02"}),
        ("create_account", {"tags": '["a", " b "]'}, "tags", ["a", "b"]),
        ("create_account", {"tags": ("a",)}, "tags", ["a"]),
        ("create_account", {"tags": []}, "tags", []),
        ("create_account", {"tags": " vip, eu "}, "tags", ["vip", "eu"]),
        ("list_accounts", {"referenceId": 1e-7}, "referenceId", "0.0000001"),
        ("list_accounts", {"referenceId": "\u2003crew\x1c "}, "referenceId", "crew\x1c"),
        (
            "list_inquiries",
            {"createdAtEnd": "2026-01-31t10:00:00,123456789-0530"},
            "createdAtEnd",
            "2026-01-31T15:30:00.123456Z",
        ),
        ("list_inquiries", {"createdAtEnd": "0001-01-01T00:00:00Z"}, "createdAtEnd", "0001-01-01T00:00:00Z"),
        ("create_account", {"countryCode": "us"}, "countryCode", "US"),
        ("list_inquiries", {"status": " created ,pending"}, "status", "created,pending"),
        ("list_inquiries", {"createdAtStart": "2026-01-31T10:00:00+02:00"}, "createdAtStart", "2026-01-31T08:00:00Z"),
        ("list_inquiries", {"createdAtStart": "2026-01-31T10:00"}, "createdAtStart", "2026-01-31T10:00:00Z"),
        ("list_inquiries", {"createdAtEnd": "2026-01-31T10:00:00.25Z"}, "createdAtEnd", "2026-01-31T10:00:00.250Z"),
        ("list_inquiries", {"createdAtEnd": dt.datetime(2026, 1, 31, tzinfo=dt.UTC)}, "createdAtEnd", "2026-01-31T00:00:00Z"),
        ("create_report", {**REPORT, "birthdate": dt.date(1990, 1, 2)}, "birthdate", "1990-01-02"),
    ],
)
def test_coercion(operation: str, params: dict[str, Any], name: str, expected: object) -> None:
    assert prepared(operation, **params)[name] == expected


@pytest.mark.parametrize("absent", [None, "", "   ", "\n\t"])
def test_blank_is_absent(absent: object) -> None:
    assert prepared("approve_inquiry", **INQUIRY, comment=absent) == INQUIRY
    assert problems("approve_inquiry", inquiryId=absent) == {"inquiryId": "is required"}


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("update_inquiry", INQUIRY, "note", "at least one of note, fields, tags, redirectUri"),
    ("update_inquiry", {**INQUIRY, "fields": {}, "note": " "}, "note", "at least one of"),
    ("update_account", {"accountId": "act_1"}, "referenceId", "at least one of"),
    ("create_report", {"reportType": "watchlist", "reportTemplateId": "rptp_1"}, "term", "at least one of term"),
    ("generate_inquiry_link", {**INQUIRY, "expiresInSeconds": 0}, "expiresInSeconds", "1 or more"),
    ("generate_inquiry_link", {**INQUIRY, "expiresInSeconds": -5}, "expiresInSeconds", "1 or more"),
    ("generate_inquiry_link", {**INQUIRY, "expiresInSeconds": "1.5"}, "expiresInSeconds", "whole number"),
    ("generate_inquiry_link", {**INQUIRY, "expiresInSeconds": True}, "expiresInSeconds", "whole number"),
    ("generate_inquiry_link", {**INQUIRY, "expiresInSeconds": "soon"}, "expiresInSeconds", "whole number"),
    ("list_cases", {"pageSize": 0}, "pageSize", "from 1 to 100"),
    ("list_cases", {"pageSize": "101"}, "pageSize", "from 1 to 100"),
    ("create_report", {**REPORT, "birthdate": "02.01.1990"}, "birthdate", "YYYY-MM-DD"),
    ("create_report", {**REPORT, "birthdate": "1990-02-30"}, "birthdate", "not a day"),
    ("create_report", {**REPORT, "birthdate": "1990-1-2"}, "birthdate", "YYYY-MM-DD"),
    ("create_report", {**REPORT, "countryCode": "USA"}, "countryCode", "two-letter"),
    ("create_report", {**REPORT, "countryCode": "1A"}, "countryCode", "two-letter"),
    ("create_report", {**REPORT, "reportType": "moonlist"}, "reportType", "one of watchlist"),
    ("list_inquiries", {"createdAtStart": "yesterday"}, "createdAtStart", "ISO 8601"),
    ("list_inquiries", {"createdAtStart": "2026-01-31?10:00"}, "createdAtStart", "ISO 8601"),
    ("create_account", {"referenceId": math.nan}, "referenceId", "a number that is none"),
    ("list_inquiries", {"createdAtStart": "2026-01-31"}, "createdAtStart", "leaves the hour open"),
    ("list_inquiries", {"createdAtStart": "0001-01-01T00:00:00+14:00"}, "createdAtStart", "ISO 8601"),
    ("update_inquiry", {**INQUIRY, "tags": [1]}, "tags", "entry 1 is a number"),
    ("update_inquiry", {**INQUIRY, "tags": ["a", " "]}, "tags", "entry 2 is blank"),
    ("update_inquiry", {**INQUIRY, "tags": "[vip"}, "tags", "text that is not JSON"),
    ("update_inquiry", {**INQUIRY, "tags": "vip,,eu"}, "tags", "empty place between its commas"),
    ("list_accounts", {"referenceId": 2**53}, "referenceId", "too large to be exact"),
    ("list_inquiries", {"createdAtStart": "2026-01-31T10:00+05:"}, "createdAtStart", "ISO 8601"),
    ("list_inquiries", {"createdAtStart": "0001-01-01T00:00+01:00"}, "createdAtStart", "ISO 8601"),
    ("update_inquiry", {**INQUIRY, "tags": {"a": 1}}, "tags", "not an object"),
    ("update_inquiry", {**INQUIRY, "fields": "[1]"}, "fields", "not a list"),
    ("update_inquiry", {**INQUIRY, "fields": '{"a": NaN}'}, "fields", "not JSON"),
    ("update_inquiry", {**INQUIRY, "fields": {"a": math.inf}}, "fields", "JSON cannot carry"),
    ("update_inquiry", {**INQUIRY, "fields": {"a": [object()]}}, "fields", "at a[0]"),
    ("update_inquiry", {**INQUIRY, "note": ["x"]}, "note", "must be text, not a list"),
    ("update_inquiry", {**INQUIRY, "note": True}, "note", "must be text, not true or false"),
    ("update_inquiry", {**INQUIRY, "note": "\ud800"}, "note", "UTF-8"),
    ("update_inquiry", {**INQUIRY, "fields": {"\ud800": 1}}, "fields", "UTF-8"),
    ("update_inquiry", {**INQUIRY, "fields": {"a": {"\ud800": 1}}}, "fields", "UTF-8"),
    ("update_inquiry", {**INQUIRY, "fields": {"a": [10**5000]}}, "fields", "too large"),
    ("update_inquiry", {**INQUIRY, "fields": {"a": 2**1024 - 1}}, "fields", "too large"),
    ("update_inquiry", {**INQUIRY, "fields": '{"a": 1' + "0" * 5000 + "}"}, "fields", "JSON cannot carry"),
    ("get_inquiry", {"inquiryId": "."}, "inquiryId", "must be an id"),
    ("get_inquiry", {"inquiryId": ".."}, "inquiryId", "must be an id"),
    ("get_inquiry", {"inquiryId": "inq\n1"}, "inquiryId", "must be an id"),
    ("get_inquiry", {"inquiryId": "inq\x001"}, "inquiryId", "must be an id"),
    ("list_inquiries", {"accountId": "act_1,,act_2"}, "accountId", "empty place"),
    ("list_inquiries", {"accountId": "..,,act_2"}, "accountId", "empty place"),
    ("create_inquiry", {"inquiryTemplateId": "tpl_1"}, "inquiryTemplateId", "itmpl_ or itmplv_ or tmpl_"),
    ("create_inquiry", {"inquiryTemplateId": "itmpl_"}, "inquiryTemplateId", "must start with"),
    ("list_inquiries", {"inquiryTemplateId": "itmplv_1"}, "inquiryTemplateId", "itmpl_ or tmpl_"),
    ("create_inquiry", {"inquiryTemplateId": "itmpl_1", "redirectUri": "example.com"}, "redirectUri", "with its scheme"),
    *(
        ("update_inquiry", {**INQUIRY, "redirectUri": f"https://example.com/{odd}x"}, "redirectUri", phrase)
        for odd, phrase in (
            (" ", "holds a space, which no URI does; write it as %20"),
            ("\u00a0", "holds a space, which"),
            ("\u3000", "holds a space, which"),
            ("\n", "holds a line break or another control character"),
            ("\0", "holds a line break or another control character"),
            ("\x9b", "holds a line break or another control character"),
        )
    ),
    ("list_inquiries", {"createdAtStart": "2026-02-30T10:00Z"}, "createdAtStart", "no moment of the calendar and the clock"),
    ("list_inquiries", {"createdAtStart": "2026-01-31T25:00Z"}, "createdAtStart", "no moment of the calendar and the clock"),
    ("list_inquiries", {"createdAtStart": "2026-01-31T10:00+24:00"}, "createdAtStart", "no moment of the calendar"),
    ("import_accounts", {"file": 5}, "file", "must be a path"),
    ("import_accounts", {}, "file", "is required"),
    ("get_inquiry", {**INQUIRY, "inquryId": "x"}, "inquryId", "did you mean inquiryId?"),
    ("get_inquiry", {**INQUIRY, "moon": "x"}, "moon", "it takes inquiryId"),
]


@pytest.mark.parametrize(("operation", "params", "name", "message"), REFUSED)
def test_refused(operation: str, params: dict[str, Any], name: str, message: str) -> None:
    found = problems(operation, **params)
    assert list(found) == [name]
    assert message in found[name]


def test_deep_nesting_is_a_problem() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    assert problems("update_inquiry", **INQUIRY, fields=deep) == {"fields": "is nested too deeply"}


def test_every_problem_at_once() -> None:
    found = problems("create_report", reportType="x", birthdate="x", countryCode="x", pageSize=3)
    assert set(found) == {"pageSize", "birthdate", "countryCode", "reportType", "reportTemplateId", "term"}


def test_key_and_params_are_judged_together() -> None:
    with pytest.raises(InputError) as caught:
        prepare_call(catalog.load("get_inquiry"), {"apiKey": " "}, ApiKey(None))
    assert {problem.param for problem in caught.value.problems} == {"inquiryId", "apiKey"}


def test_a_key_among_the_params_wins() -> None:
    spec, default = catalog.load("get_inquiry"), ApiKey("default")
    assert prepare_call(spec, {**INQUIRY, "apiKey": " own "}, default) == (INQUIRY, ApiKey("own"))
    assert prepare_call(spec, {**INQUIRY, "apiKey": ""}, default) == (INQUIRY, default)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "sch\u00fcssel", "tab\tbed", 7, "\x7f"])
def test_bad_keys_are_refused_without_being_shown(key: object) -> None:
    with pytest.raises(ValueError) as caught:
        ApiKey(key).checked()
    assert str(key) not in str(caught.value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), plain, min_size=1))
def test_fields_come_through_unchanged(fields: dict[str, Any]) -> None:
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        assert "fields" in problems("update_inquiry", **INQUIRY, fields=fields)
        return
    assert prepared("update_inquiry", **INQUIRY, fields=fields)["fields"] == fields
    assert prepared("update_inquiry", **INQUIRY, fields=json.dumps(fields))["fields"] == fields


anything = (
    plain | st.binary() | st.just(object()) | st.dates() | st.sampled_from(["..", "1e3", "{", "[", "２", "\x85", "\ud800"])
)


@given(st.sampled_from(catalog.names()), st.data())
def test_nothing_but_an_input_error_ever_comes_out(operation: str, data: st.DataObject) -> None:
    spec = catalog.load(operation)
    params = data.draw(st.fixed_dictionaries({}, optional={name: anything for name in [*spec.params, "stray"]}))
    try:
        values = prepare(spec, params)
    except InputError as error:
        assert error.problems
        secret = [value for value in params.values() if isinstance(value, str) and len(value) > 12]
        assert not any(value in error.message for value in secret)
    else:
        assert set(values) <= set(spec.params)
        assert set(spec.required) <= set(values)
        repeated = prepare(spec, values)
        assert repeated == values, "checking twice changes nothing"


# --- kinds of ids ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("get_inquiry", {"inquiryId": "act_1"}, "must be the id of an inquiry (inq_…), but is that of an account (act_…)"),
        (
            "get_document",
            {"documentId": "docf_1"},
            "must be the id of a document (doc_…), but is that of a document file (docf_…)",
        ),
        ("get_case", {"caseId": " inq_1 "}, "must be the id of a case (case_…), but is that of an inquiry (inq_…)"),
        (
            "list_inquiries",
            {"accountId": "act_1, inq_2"},
            "must be the id of an account (act_…), but is that of an inquiry (inq_…)",
        ),
    ],
)
def test_the_id_of_another_kind_is_refused(operation: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        prepare(catalog.load(operation), params)
    assert [(problem.code, problem.message) for problem in refused.value.problems] == [("other_kind", message)]


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("get_inquiry", {"inquiryId": "xact_1"}),
        ("get_inquiry", {"inquiryId": "ACT_1"}),
        ("get_inquiry", {"inquiryId": "0192f3"}),
        ("get_inquiry", {"inquiryId": "customer_act_1"}),
        ("list_inquiries", {"accountId": "act_1,other_2"}),
        ("list_inquiries", {"pageAfter": "act_1"}),
        ("list_inquiries", {"inquiryTemplateId": "tmpl_1"}),
    ],
)
def test_ids_of_no_known_kind_are_taken_for_ids_are_opaque(operation: str, params: dict[str, Any]) -> None:
    assert prepare(catalog.load(operation), params) == params


def test_every_prefix_names_a_kind_and_every_id_without_one_may_be_of_several() -> None:
    params = [param for spec in catalog.load_all() for param in spec.params.values()]
    assert {param.prefix for param in params if param.prefix} <= set(catalog.id_kinds())
    free = {param.field for param in params if param.format in ("id", "id-list") and param.prefix is None}
    assert free == {"inquiryTemplateId", "inquiryTemplateFilter", "pageAfter"}
