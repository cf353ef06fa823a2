"""A sentence shows what is filled in and reads well with nothing filled in; the question to a person is made of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from persona_block.spec import catalog
from persona_block.spec.consent import consent_words
from persona_block.spec.grammar import PLACEHOLDER, ToolSpec
from persona_block.spec.sentence import filled_sentence, shown_params, without_clauses

SPECS = catalog.load_all()
each = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)

SENTENCE = "Send {item}[ to {city}][ by {carrier} on {day}]"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "Send …"),
        ({"item": "tea"}, "Send tea"),
        ({"item": "tea", "city": "Oslo"}, "Send tea to Oslo"),
        ({"city": "Oslo", "day": "Monday"}, "Send … to Oslo"),
        ({"item": "tea", "carrier": "train", "day": "Monday"}, "Send tea by train on Monday"),
        ({"item": "", "city": ""}, "Send …"),
        ({"item": "{city}", "city": "[x] {day}"}, "Send {city} to [x] {day}"),
    ],
)
def test_a_clause_is_shown_once_all_its_params_have_values(values: dict[str, str], line: str) -> None:
    assert filled_sentence(SENTENCE, values) == line


@given(st.dictionaries(st.sampled_from(["item", "city", "carrier", "day"]), st.text()))
def test_shown_params_are_those_whose_values_stand_in_the_line(values: dict[str, str]) -> None:
    named = {name: f"<{name}>" if value else "" for name, value in values.items()}
    line = filled_sentence(SENTENCE, named)
    assert re.findall(r"<(\w+)>", line) == [name for name in shown_params(SENTENCE, named) if named.get(name)]


@pytest.mark.parametrize("sentence", ["", "a [b]", "a [b {c}", "a {b}]", "a [b [{c}]]", "a {b", "a {}", "a {1}", "a" * 241])
def test_a_sentence_with_broken_clauses_is_refused(sentence: str) -> None:
    document = catalog.load("get_inquiry").model_dump(by_alias=True)
    with pytest.raises(ValidationError, match="sentence"):
        ToolSpec.model_validate(document | {"sentence": sentence})


@each
def test_params_stand_outside_clauses_where_they_are_required(spec: ToolSpec) -> None:
    """A choice among a few words may stand in a clause though it is required, where the line does without it."""
    named = PLACEHOLDER.findall(spec.sentence)
    assert set(named) <= set(spec.params)
    assert len(named) == len(set(named))
    outside = PLACEHOLDER.findall(without_clauses(spec.sentence))
    assert set(outside) <= set(spec.required)
    inside = set(named) - set(outside)
    assert [name for name in inside if name in spec.required and not spec.params[name].enum] == []


@each
def test_an_empty_sentence_reads_well(spec: ToolSpec) -> None:
    line = filled_sentence(spec.sentence, {})
    assert line == line.strip()
    assert "  " not in line
    assert line.count("…") <= 1, "a line with two blanks says little"
    assert re.fullmatch(r"[A-Z][\w ,…-]+", line)


def test_the_sentence_of_a_report() -> None:
    sentence = catalog.load("create_report").sentence
    assert filled_sentence(sentence, {}) == "Run a report"
    assert filled_sentence(sentence, {"term": "Jane Doe"}) == "Run a report on Jane Doe"
    assert filled_sentence(sentence, {"nameFirst": "Jane"}) == "Run a report"
    filled = {"reportType": "Watchlist", "nameFirst": "Jane", "nameLast": "Doe"}
    assert filled_sentence(sentence, filled) == "Run a report of type Watchlist on Jane Doe"


@each
def test_a_question_names_the_object_whatever_is_filled_in(spec: ToolSpec) -> None:
    words = consent_words(spec)
    assert (words is not None) == (spec.effect in ("decide", "erase"))
    if words:
        object_ids = PLACEHOLDER.findall(spec.request.path)
        assert PLACEHOLDER.findall(without_clauses(words.question)) == object_ids
        assert words.effect == spec.effect
        assert words.question.endswith("?")
        assert spec.description.startswith(words.text)
        assert words.typed == (object_ids[0] if spec.effect == "erase" else None)
        assert (words.warning is not None) == (spec.effect == "erase")
