"""Templates mean what the manifest's grammar says, and a faulty one is found before it runs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from persona_block import WaitFailed
from persona_block.block.build import manifest
from persona_block.block.workflows import Template, When
from tests.support import template_check
from tests.support.template_runner import Missing, resolve, run_template

SCOPE: dict[str, dict[str, Any]] = {
    "input": {"name": "Jane", "count": 3, "flag": True, "nothing": None},
    "page": {"cases": [{"id": "case_1", "tags": ["a", "b"]}, {"id": "case_2", "tags": []}]},
}


async def _unused(name: str, _: dict[str, Any]) -> dict[str, Any]:
    raise AssertionError(f"{name} is not part of this test")


async def run(steps: list[dict[str, Any]], **functions: Any) -> dict[str, Any]:
    """Run steps with some of the functions `call`, `wait` and `host`; those that are left out may not be called."""
    unused = {"call": _unused, "wait": _unused, "host": _unused}
    return await run_template({"steps": steps}, SCOPE["input"], **unused | functions)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{input.count}", 3),
        ("{input.count} of {input.name}", "3 of Jane"),
        ("[{input.nothing}]", "[]"),
        ("{input.nothing}", None),
        ("{page.cases.*.id}", ["case_1", "case_2"]),
        ("Cases: {page.cases.*.id}", "Cases: case_1, case_2"),
        ("{page.cases.*.tags.*}", ["a", "b"]),
        ("{page.cases.1.id}", "case_2"),
        ("{input.flag}!", "true!"),
        ('{"not": "a reference"}', '{"not": "a reference"}'),
        ({"deep": ["{input.name}", 1]}, {"deep": ["Jane", 1]}),
    ],
)
def test_reference(text: Any, value: Any) -> None:
    assert resolve(text, SCOPE) == value


@pytest.mark.parametrize(
    "text", ["{input.other}", "{page.cases.2.id}", "{gone.cases.*.id}", "text {gone.id}", "{page.other.*}"]
)
def test_reference_to_nothing(text: str) -> None:
    with pytest.raises(Missing):
        resolve(text, SCOPE)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"value": "{input.count}", "in": [3]}, True),
        ({"value": "{input.count}", "in": [4]}, False),
        ({"value": "{input.flag}", "in": [1]}, False),
        ({"value": "{input.count}", "notIn": [4]}, True),
        ({"value": "{input.gone}", "notIn": [4]}, False),
        ({"value": "{input.many}", "allIn": [1, 2]}, True),
        ({"value": "{input.many}", "allIn": [1]}, False),
        ({"value": "{input.none}", "allIn": [1]}, False),
        ({"value": "{input.many}", "anyIn": [2]}, True),
        ({"value": "{input.none}", "anyIn": [2]}, False),
        ({"value": "{input.none}", "empty": True}, True),
        ({"value": "{input.nothing}", "empty": True}, True),
        ({"value": "{input.many}", "empty": False}, True),
        ({"value": "{input.gone}", "empty": True}, False),
    ],
    ids=str,
)
async def test_condition(condition: dict[str, Any], holds: bool) -> None:
    When.model_validate(condition)
    inputs = {"count": 3, "flag": True, "many": [1, 2], "none": [], "nothing": None}
    template = {"steps": [{"id": "say", "host": "notify", "when": [condition], "to": "x", "text": "y"}]}

    async def host(_kind: str, _step: dict[str, Any]) -> dict[str, Any]:
        return {}

    results = await run_template(template, inputs, call=_unused, wait=_unused, host=host)
    assert ("say" in results) is holds


@pytest.mark.parametrize("tests", [{}, {"in": [1], "notIn": [2]}, {"empty": True, "anyIn": [1]}], ids=str)
def test_condition_has_exactly_one_test(tests: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        When.model_validate({"value": "{input.x}", **tests})


async def test_what_reads_a_skipped_step_is_skipped_too() -> None:
    first = {"id": "first", "host": "notify", "when": [{"value": "{input.count}", "in": [0]}], "to": "x", "text": "y"}
    second = {"id": "second", "operation": "get_case", "params": {"caseId": "{first.case.id}"}}
    third = {"id": "third", "operation": "get_case", "forEach": "{second.case.reportIds}", "params": {"caseId": "{item}"}}
    assert await run([first, second, third]) == {}


async def test_each_entry_gives_one_result_with_the_entry() -> None:
    case_ids = []

    async def call(_: str, params: dict[str, Any]) -> dict[str, Any]:
        case_ids.append(params["caseId"])
        return {"case": {"id": params["caseId"]}}

    when = [{"value": "{item.keep}", "in": [True]}]
    entries = [{"id": "case_1", "keep": True}, {"id": "case_2", "keep": False}, {"id": "case_3", "keep": True}]
    step = {"id": "read", "operation": "get_case", "forEach": entries, "when": when, "params": {"caseId": "{item.id}"}}
    results = await run([step], call=call)
    assert case_ids == ["case_1", "case_3"]
    assert results["read"] == [{"case": {"id": entry["id"]}, "item": entry} for entry in (entries[0], entries[2])]


async def test_every_page_is_one_list() -> None:
    pages = {None: (["act_1"], "act_1"), "act_1": (["act_2"], "act_2"), "act_2": (["act_3"], None)}

    async def call(_: str, params: dict[str, Any]) -> dict[str, Any]:
        accounts, cursor = pages[params.get("pageAfter")]
        return {"accounts": accounts, "nextCursor": cursor}

    results = await run([{"id": "all", "operation": "list_accounts", "all": True}], call=call)
    assert results["all"] == {"accounts": ["act_1", "act_2", "act_3"], "nextCursor": None}


async def test_a_bad_outcome_is_an_outcome() -> None:
    async def wait(_operation: str, _params: dict[str, Any]) -> dict[str, Any]:
        raise WaitFailed("declined", output={"inquiry": {"status": "declined"}})

    step = {"id": "outcome", "operation": "get_inquiry", "wait": True, "params": {"inquiryId": "inq_1"}}
    assert await run([step], wait=wait) == {"outcome": {"inquiry": {"status": "declined"}}}


# --- the check -------------------------------------------------------------------------------------------------------------

ONBOARD: dict[str, Any] = next(template for template in manifest()["templates"] if template["name"] == "onboard-customer")


@pytest.mark.parametrize(
    ("step", "change", "problem"),
    [
        ("link", {"params": {"inquiryId": "{start.inquiry.key}"}}, "start.inquiry.key does not exist at key"),
        ("link", {"params": {"inquiryId": "{later.inquiry.id}"}}, "later is no earlier step"),
        ("link", {"params": {"inquiryId": "{start.inquiry.tags}"}}, "inquiryId is given {'array'}"),
        ("link", {"params": {}}, "generate_inquiry_link needs inquiryId"),
        ("link", {"params": {"inquiryId": "inq_1", "days": 1}}, "generate_inquiry_link has no param days"),
        ("link", {"operation": "generate_links"}, "there is no operation generate_links"),
        ("link", {"wait": True}, "generate_inquiry_link cannot be waited for"),
        ("link", {"all": True}, "generate_inquiry_link has no pages"),
        ("link", {"forEach": "{start.inquiry.id}"}, "takes entries of what is no list"),
        ("link", {"id": "start"}, "its id is taken"),
        ("screening", {"params": {"reportType": "watchlist", "reportTemplateId": "rptp_1"}}, "needs one of"),
        ("invite", {"text": "{start.inquiry.key}"}, "does not exist"),
        ("review", {"text": "Approve?"}, None),
        ("keep", {"to": "somewhere"}, "input archive is never read"),
    ],
)
def test_fault_is_found(step: str, change: dict[str, Any], problem: str | None) -> None:
    template = copy.deepcopy(ONBOARD)
    position = next(index for index, other in enumerate(template["steps"]) if other["id"] == step)
    template["steps"][position] |= change
    problems = list(template_check.problems(template))
    assert any(problem in text for text in problems) if problem else problems == []


@pytest.mark.parametrize(
    "step",
    [
        {"id": "x", "operation": "get_case", "host": "notify"},
        {"id": "x", "operation": "get_case", "until": 3},
        {"id": "x", "host": "ask", "to": "a", "text": "b"},
        {"id": "x", "host": "shout", "to": "a", "text": "b"},
        {"id": "Not An Id", "operation": "get_case"},
    ],
    ids=str,
)
def test_grammar_refuses_other_steps(step: dict[str, Any]) -> None:
    Template.model_validate(ONBOARD)
    with pytest.raises(ValidationError):
        Template.model_validate(ONBOARD | {"steps": [step]})
