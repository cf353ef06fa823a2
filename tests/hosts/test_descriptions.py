"""What a model chooses by: each text says what the tool gives back, and tools that could be confused name one another."""

from __future__ import annotations

import re

import pytest

from persona_block.spec import catalog

TEXTS: dict[str, str] = {spec.name: spec.description for spec in catalog.load_all()}
EFFECTS: dict[str, str] = {spec.name: spec.effect for spec in catalog.load_all()}

CONFUSED = [
    ("approve_inquiry", "mark_inquiry_for_review"),
    ("create_account", "create_inquiry"),
    ("create_account", "import_accounts"),
    ("create_inquiry", "generate_inquiry_link"),
    ("create_inquiry", "resume_inquiry"),
    ("create_report", "get_report"),
    ("decline_inquiry", "mark_inquiry_for_review"),
    ("expire_inquiry", "decline_inquiry"),
    ("get_account", "list_accounts"),
    ("get_account", "list_inquiries"),
    ("get_case", "approve_inquiry"),
    ("get_case", "list_cases"),
    ("get_document", "get_verification"),
    ("get_inquiry", "list_inquiries"),
    ("get_report", "list_reports"),
    ("get_verification", "get_document"),
    ("import_accounts", "create_account"),
    ("list_accounts", "get_account"),
    ("list_cases", "get_case"),
    ("list_cases", "list_inquiries"),
    ("list_inquiries", "get_inquiry"),
    ("list_reports", "create_report"),
    ("list_reports", "get_report"),
    ("mark_inquiry_for_review", "approve_inquiry"),
    ("print_inquiry_pdf", "get_inquiry"),
    ("redact_account", "redact_inquiry"),
    ("redact_inquiry", "redact_account"),
    ("resume_inquiry", "generate_inquiry_link"),
    ("update_account", "create_account"),
    ("update_inquiry", "approve_inquiry"),
]
"""Pairs of tools of which the first has to say when the second is the right one."""

FIRST = [
    ("approve_inquiry", "get_inquiry"),
    ("create_inquiry", "list_inquiry_templates"),
    ("decline_inquiry", "get_inquiry"),
    ("generate_inquiry_link", "resume_inquiry"),
    ("get_importer", "import_accounts"),
    ("get_report", "create_report"),
]
"""Tools, and the one that has to come before."""


@pytest.mark.parametrize("name", TEXTS)
def test_it_says_what_it_gives_back(name: str) -> None:
    """What reads says so with its first word; everything else in a sentence of its own."""
    if EFFECTS[name] == "read":
        assert re.match(r"(Read|Find|List|Download) ", TEXTS[name])
    else:
        assert re.search(r"\breturns\b", TEXTS[name], re.IGNORECASE)


@pytest.mark.parametrize("name", TEXTS)
def test_it_names_a_neighbour(name: str) -> None:
    others = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", TEXTS[name])) & set(TEXTS) - {name}
    assert others


@pytest.mark.parametrize(("name", "other"), CONFUSED + FIRST)
def test_it_says_how_another_differs_or_comes_first(name: str, other: str) -> None:
    assert re.search(rf"\b{other}\b", TEXTS[name])


def test_everything_that_settles_or_erases_says_that_it_is_final() -> None:
    for name, effect in EFFECTS.items():
        if effect == "erase":
            assert "cannot be undone" in TEXTS[name]
    assert "ends its flow" in TEXTS["approve_inquiry"]
    assert "ends its flow" in TEXTS["decline_inquiry"]


def test_first_sentences_differ() -> None:
    assert len({text.partition(". ")[0] for text in TEXTS.values()}) == len(TEXTS)
