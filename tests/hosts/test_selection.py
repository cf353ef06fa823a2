"""Which operations are offered: what is left out always wins."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from persona_block import InputError
from persona_block.hosts import GROUPS, Selection
from persona_block.spec import catalog

READS = {spec.name for spec in catalog.load_all() if spec.effect == "read"}
APPROVE = "approve_inquiry"


def in_group(group: str) -> set[str]:
    return {spec.name for spec in catalog.load_all() if spec.group == group}


def test_everything_unless_something_is_chosen() -> None:
    assert set(Selection.of().names) == set(catalog.names())
    assert set(Selection.of(toolsets=["all"]).names) == set(catalog.names())
    assert Selection.of(otherwise="default") == Selection.of(toolsets=["default"])
    assert Selection.of(tools=["get_case"], otherwise="default").names == ("get_case",)


def test_the_default_toolset_settles_nothing() -> None:
    effects = {spec.name: spec.effect for spec in Selection.of(toolsets=["default"]).specs}
    assert set(effects) == {spec.name for spec in catalog.load_all() if spec.in_default_toolset}
    assert set(effects.values()) == {"read", "write"}
    assert {"create_inquiry", "generate_inquiry_link"} <= set(effects)
    assert not {"get_importer", "print_inquiry_pdf"} & set(effects)
    assert {"list_inquiries", "get_inquiry", "get_verification", "get_report"} <= set(effects)


@pytest.mark.parametrize("group", GROUPS)
def test_a_toolset_is_a_group(group: str) -> None:
    assert {spec.group for spec in Selection.of(toolsets=[group]).specs} == {group}


def test_groups_stand_together() -> None:
    groups = [spec.group for spec in Selection.of().specs]
    assert sorted(group for group, _ in itertools.groupby(groups)) == sorted(GROUPS)


def test_toolsets_and_tools_add_up_with_and_without_prefix() -> None:
    chosen = Selection.of(toolsets=["cases"], tools=["persona_get_report", " get_case ", ""])
    assert set(chosen.names) == {*in_group("cases"), "get_report"}


@pytest.mark.parametrize("chosen", [{"tools": [APPROVE]}, {"toolsets": ["inquiries"]}, {"toolsets": ["all"]}, {}], ids=str)
def test_exclude_and_read_only_always_win(chosen: dict[str, Any]) -> None:
    assert APPROVE in Selection.of(**chosen).names
    assert APPROVE not in Selection.of(**chosen, exclude=[f"persona_{APPROVE}"]).names
    assert set(Selection.of(**chosen, read_only=True).names) <= READS
    assert set(Selection.of(**chosen, read_only=True, exclude=["get_inquiry"]).names) <= READS - {"get_inquiry"}


def test_read_only_without_anything_else_is_every_read() -> None:
    assert set(Selection.of(read_only=True).names) == READS


def test_every_unknown_name_is_reported_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        Selection.of(toolsets=["inquirys"], tools=["aprove_inquiry", "zzz"], exclude=["get_raport"])
    problems = [(problem.param, problem.message) for problem in caught.value.problems]
    assert [param for param, _ in problems] == ["toolsets", "tools", "tools", "exclude"]
    assert [message.partition("; ")[2] for _, message in problems[:2]] == [
        "did you mean inquiries?",
        "did you mean approve_inquiry?",
    ]
    assert "there are approve_inquiry, " in problems[2][1]
    assert problems[3][1].endswith("did you mean get_report?")


def test_narrowing_gives_what_both_offer() -> None:
    both = Selection.of(toolsets=["cases", "reports"]).narrowed(Selection.of(read_only=True, exclude=["get_case"]))
    assert set(both.names) == (in_group("cases") | in_group("reports")) & READS - {"get_case"}
    assert {"list_cases", "get_report", "list_reports"} <= set(both.names)
