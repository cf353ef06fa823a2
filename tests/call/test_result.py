"""Results as a person sees them: what their text tells, and what a notebook shows."""

from __future__ import annotations

import re

import pytest

from persona_block import InputError, NotFound, Problem, ToolResult
from persona_block.call.result import Stopwatch, failed_result

SECRET_LINK = "https://inquiry.withpersona.com/verify?code=us1-SECRET"
PERSON = {
    "inquiry": {
        "id": "inq_1",
        "fields": {"name-first": "<i>Jane</i>"},
        "note": None,
        "tags": [],
        "photo": "https://files.withpersona.com/a.jpg?access_token=SECRET",
    },
    "oneTimeLink": SECRET_LINK,
}


def result(output: object) -> ToolResult:
    return ToolResult.model_validate({"success": True, "output": output, "timing": Stopwatch().timing()})


def test_the_text_of_a_failure_says_why_and_shows_no_value() -> None:
    problems = [Problem("inquiryId", "is required", "required"), Problem("note", "must be text", "not_text")]
    failed = failed_result(InputError("get_inquiry", problems, output={"inquiry": {"id": "inq_Jane"}}))
    expected = (
        "kind='input_error', retryable=False, tookEffect='no', problems={'inquiryId': 'is required', 'note': 'must be text'}"
    )
    assert f"ToolResult(success=False, {expected}, outputs=['inquiry']" in repr(failed)
    assert "Jane" not in repr(failed) + str(failed)


@pytest.mark.parametrize("shown", [repr, str])
def test_what_persona_wrote_is_not_in_the_text(shown: type[str]) -> None:
    failed = failed_result(NotFound("Jane is gone", status=404, title="Jane", details="Jane Roe", request_id="req_1"))
    assert "not_found" in shown(failed)
    assert "404" in shown(failed)
    assert "Jane" not in shown(failed)
    assert "Jane" not in shown(result(PERSON))


def test_a_notebook_shows_tables_without_markup_or_secrets_of_its_values() -> None:
    html = result(PERSON)._repr_html_()
    assert "<h4>inquiry</h4><table><tr><th>id</th><td>inq_1</td></tr>" in html
    assert "&lt;i&gt;Jane&lt;/i&gt;" in html
    assert "https://files.withpersona.com/a.jpg?…" in html
    assert "https://inquiry.withpersona.com/verify?…" in html
    assert "SECRET" not in html
    assert "note" not in html
    assert set(re.findall(r"<(\w+)", html)) == {"table", "tr", "th", "td", "h4"}


def test_a_notebook_shows_a_list_as_one_table_and_no_more_than_a_screen_of_it() -> None:
    accounts = [{"id": f"act_{number}", "referenceId": None if number else "x" * 300} for number in range(60)]
    html = result({"accounts": accounts, "nextCursor": "act_59"})._repr_html_()
    assert "<tr><th>id</th><th>referenceId</th></tr>" in html
    assert html.count("<td>act_") == 51
    assert "<p>10 more</p>" in html
    assert "x" * 200 + "…" in html


def test_a_notebook_shows_the_error() -> None:
    html = failed_result(InputError("get_inquiry", [Problem("<b>", "is <unknown>")]))._repr_html_()
    assert "<th>error</th><td>get_inquiry: nothing was sent. &lt;b&gt;: is &lt;unknown&gt;.</td>" in html
