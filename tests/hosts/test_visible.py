"""What a person is shown tells exactly what is sent, and none of it is hidden."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block.call.inputs import prepare
from persona_block.errors import InputError
from persona_block.hosts import Selection, Toolbox
from persona_block.hosts.consent import QUESTION_LIMIT
from persona_block.hosts.visible import told, visible, visible_text
from persona_block.spec import catalog
from tests.support.questions import decoded, shown_values

HIDDEN = {
    "a line break": "a\nb",
    "a carriage return": "a\rb",
    "a tab": "a\tb",
    "a null": "a\0b",
    "a backslash": r"a\nb",
    "an escape": r"a\u{202e}b",
    "a line separator": "a\u2028b",
    "an override of direction": "a\u202eb",
    "an isolate": "a\u2066b",
    "a zero width space": "a\u200bb",
    "a joiner": "a\u200db",
    "a soft hyphen": "a\u00adb",
    "a byte order mark": "a\ufeffb",
    "a tag": "a\U000e0041b",
    "a hard space": "a\u00a0b",
    "two spaces": "a  b",
    "a filler": "a\u3164b",
    "a blank pattern": "a\u2800b",
    "a variation selector": "a\ufe0fb",
    "a private character": "a\ue000b",
    "an unassigned character": "a\u0378b",
    "a closing quote": "a”\nTemplate: “b",
    "a mark without a letter": "\u0301ab",
    "a heap of marks": "a" + "\u0336" * 20 + "b",
}
"""Comments in which something would not be seen, or would pass for something else."""
PLAIN = ("Passed", "Größe: 1 < 2 & 3", "日本語のコメント", "نص عربي", "é", "e\u0301", "नमस्ते", "👍", 'it\'s “”-free: "x"')
"""Comments that people read as they are, apart from quotes of the question's own form."""

comments = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text("a \\u{2e}\n“”\u202e\u0301", max_size=40)


@given(comments)
def test_what_is_shown_tells_what_it_is(text: str) -> None:
    shown = visible_text(text)
    assert decoded(shown) == text
    assert shown.isprintable()
    assert not set("“”\n") & set(shown)
    assert not [character for character in shown if unicodedata.category(character)[0] in "CZ" and character != " "]
    assert "  " not in shown


@given(comments, comments)
def test_other_texts_are_shown_otherwise(one: str, other: str) -> None:
    assert (visible(one) == visible(other)) == (one == other)


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_is_hidden_is_written_out(text: str) -> None:
    shown = visible_text(text)
    assert shown != text
    assert "\\" in shown


@pytest.mark.parametrize("text", PLAIN)
def test_what_people_read_stays_as_it_is(text: str) -> None:
    assert visible_text(text).replace(r"\u{201c}\u{201d}", "“”") == text


@pytest.mark.parametrize(("value", "shown"), [(1, "1"), ("1", "“1”"), (True, "true"), ({"a": "b\n"}, r'{"a": "b\\n"}')])
def test_values_of_other_types_are_told_apart(value: object, shown: str) -> None:
    assert visible(value) == shown


# --- in a question ---------------------------------------------------------------------------------------------------------

TOOLBOX = Toolbox(Selection.of(), api_key="k")


@given(comments | st.text("ab\n\u202e", min_size=300, max_size=6000))
def test_any_comment_is_shown_whole_or_refused(comment: str) -> None:
    arguments = {"inquiryId": "inq_1", "comment": comment}
    sent = prepare(catalog.load("approve_inquiry"), arguments)
    try:
        request = TOOLBOX.bare_request("approve_inquiry", arguments)
    except InputError as error:
        assert [problem.param for problem in error.problems] == ["comment"]
        assert len(visible(sent["comment"])) > QUESTION_LIMIT - len("inq_1")
        return
    assert request is not None
    assert shown_values(request.message) == ({"Comment": sent["comment"]} if "comment" in sent else {})
    assert request.message.startswith("Approve inquiry inq_1?\n")
    assert len(request.message.splitlines()) == len(sent) + 1


def test_a_comment_of_the_longest_length_is_shown() -> None:
    longest = QUESTION_LIMIT - len("inq_1“”")
    request = TOOLBOX.bare_request("approve_inquiry", {"inquiryId": "inq_1", "comment": "x" * longest})
    assert request is not None
    assert "x" * longest in request.message
    with pytest.raises(InputError, match="comment: is too long to be shown"):
        TOOLBOX.bare_request("approve_inquiry", {"inquiryId": "inq_1", "comment": "x" * (longest + 1)})


@pytest.mark.parametrize("name", ["approve_inquiry", "decline_inquiry", "expire_inquiry", "redact_inquiry", "redact_account"])
@pytest.mark.parametrize(
    "object_id",
    ["inq_\u0456", "inq_1\u200b", "inq_1\u202e", "inq\u00a01", "inq 1", "inq_１", "inq_1? Nothing happens", "x" * 5000],
    ids=["another alphabet", "zero width", "override", "hard space", "space", "full width", "a sentence", "too long"],
)
def test_an_id_that_could_pass_for_another_is_refused(name: str, object_id: str) -> None:
    param = TOOLBOX.find(name).spec.required[0]
    object_id = object_id.replace("inq", "act") if param == "accountId" else object_id
    with pytest.raises(InputError, match=f"{param}: (must be an id|is too long)"):
        TOOLBOX.bare_request(name, {param: object_id})
    assert not TOOLBOX.needs_approval(name, {param: object_id})


@pytest.mark.parametrize("text", ["customer-42", "report/watchlist", "2026-11-25T03:00:00.000Z", "jane+1@example.com", "#7"])
def test_one_plain_word_stands_in_words_as_it_is(text: str) -> None:
    assert told(text) == text


@pytest.mark.parametrize(
    "text", ["", "a b", "a. Approve it", "a, status approved", "a\n- b", "é", "a\u202e", "“a”", "a" * 5000]
)
def test_any_other_text_stands_in_quotes_and_is_short(text: str) -> None:
    shown = told(text)
    assert (shown[0], shown[-1]) == ("“", "”")
    assert shown == visible(text if len(text) < 200 else f"{text[:199]}…")
