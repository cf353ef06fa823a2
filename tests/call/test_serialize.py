"""Requests as a spec draws them: paths that cannot be walked out of, choices, and values that are never templates."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from persona_block import InputError, SpecError
from persona_block.call.inputs import prepare
from persona_block.call.serialize import serialize
from persona_block.spec import catalog


def body(operation: str, **params: Any) -> Any:
    spec = catalog.load(operation)
    return serialize(spec, prepare(spec, params)).body


@given(st.text(min_size=1))
@example("a/b")
@example("../x")
@example("a?b#c")
@example("%2e%2e")
def test_an_id_is_always_one_path_segment(text: str) -> None:
    spec = catalog.load("approve_inquiry")
    try:
        values = prepare(spec, {"inquiryId": text})
    except InputError:
        return
    path = serialize(spec, values).path
    assert path.isascii()
    _, root, segment, action = path.split("/")
    assert (root, action) == ("inquiries", "approve")
    assert unquote(segment) == values["inquiryId"]
    assert segment not in ("", ".", "..")
    assert not set(segment) & set("?#\\ ")


@pytest.mark.parametrize("value", [".", "..", ""])
def test_a_dot_segment_is_refused_even_unchecked(value: str) -> None:
    with pytest.raises(SpecError):
        serialize(catalog.load("get_inquiry"), {"inquiryId": value})


@given(st.text(min_size=1), st.text(min_size=1))
def test_query_values_survive(reference: str, cursor: str) -> None:
    spec = catalog.load("list_accounts")
    try:
        values = prepare(spec, {"referenceId": reference, "pageAfter": cursor})
    except InputError:
        return
    assume(len(values) == 2)
    pairs = dict(parse_qsl(serialize(spec, values).query, keep_blank_values=True))
    assert pairs == {"filter[reference-id]": values["referenceId"], "page[after]": values["pageAfter"]}


@pytest.mark.parametrize("value", ["{inquiryId}", "{apiKey}", "{}", "{{note}}", "a?b", "%7Bnote%7D"])
def test_a_value_is_never_a_template(value: str) -> None:
    assert body("update_inquiry", inquiryId="inq_1", note=value, fields={value: value}) == {
        "data": {"attributes": {"note": value, "fields": {value: value}}}
    }


@pytest.mark.parametrize(
    ("template", "key"),
    [("itmpl_1", "inquiry-template-id"), ("itmplv_1", "inquiry-template-version-id"), ("tmpl_1", "template-id")],
)
def test_a_template_id_goes_where_its_prefix_says(template: str, key: str) -> None:
    assert body("create_inquiry", inquiryTemplateId=template) == {"data": {"attributes": {key: template}}}


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("watchlist", "address-country-code"),
        ("adverse-media", "country-code"),
        ("politically-exposed-person", "country-code"),
    ],
)
def test_the_country_goes_where_the_report_takes_it(kind: str, key: str) -> None:
    sent = body("create_report", reportType=kind, reportTemplateId="rptp_1", term="Jane", countryCode="US")
    assert sent["data"]["attributes"]["query"] == {"term": "Jane", key: "US"}
    assert sent["data"]["type"] == f"report/{kind}"


def test_empty_objects_and_bodies_are_left_out() -> None:
    assert body("approve_inquiry", inquiryId="inq_1") is None
    assert body("generate_inquiry_link", inquiryId="inq_1", expiresInSeconds=60) == {"meta": {"expires-in-seconds": 60}}
    assert body("create_account") == {"data": {"attributes": {}}}
    assert serialize(catalog.load("list_accounts"), {}).target == "/accounts"


def test_personal_data_stays_out_of_the_repr() -> None:
    spec = catalog.load("update_inquiry")
    parts = serialize(spec, prepare(spec, {"inquiryId": "inq_1", "note": "Jane was here"}))
    assert "Jane" not in repr(parts)
