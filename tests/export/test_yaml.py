"""What is written as YAML is read back as what it was."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from persona_block.export.yaml import dump

TEXTS = st.text(st.characters(codec=None)) | st.text("abnoyf :#-'\"\\\n\t,[]{}&*!|>%@`~?0123456789.e")
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.booleans() | st.none() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@pytest.mark.soak
@given(st.dictionaries(TEXTS, VALUES))
def test_any_data_is_read_back(data: dict[str, Any]) -> None:
    assert yaml.safe_load(dump(data)) == data


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A name (inq_), or two.", "key: A name (inq_), or two.\n"),
        ("Yes", 'key: "Yes"\n'),
        ("0.1.0", 'key: "0.1.0"\n'),
        ("one: two", 'key: "one: two"\n'),
        ('a "quoted" \\ line\n', 'key: "a \\"quoted\\" \\\\ line\\n"\n'),
        ("", 'key: ""\n'),
    ],
)
def test_text_has_quotes_where_it_needs_them(text: str, line: str) -> None:
    assert dump({"key": text}) == line


def test_blocks_are_indented() -> None:
    assert dump({"a": [{"b": 1, "c": {"d": [True, None]}}, "e"], "f": {}, "g": []}) == (
        "a:\n  - b: 1\n    c:\n      d:\n        - true\n        - null\n  - e\nf: {}\ng: []\n"
    )
    assert dump({}) == "{}\n"
