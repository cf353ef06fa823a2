"""Templates mean what the manifest's grammar says, and a faulty one is found before it runs."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from persona_block import InputError, WaitFailed
from persona_block.block.build import manifest
from persona_block.block.workflows import Template, When
from persona_block.flows.checker import check, document_problems
from persona_block.flows.document import Actions, Place, run_document
from persona_block.flows.references import Missing, resolve

SCOPE: dict[str, dict[str, Any]] = {
    "input": {"name": "Jane", "count": 3, "flag": True, "nothing": None},
    "page": {"cases": [{"id": "case_1", "tags": ["a", "b"]}, {"id": "case_2", "tags": []}]},
}


async def _unused(name: str, *_: Any) -> dict[str, Any]:
    raise AssertionError(f"{name} is not part of this test")


async def run(steps: list[dict[str, Any]], **functions: Any) -> dict[str, Any]:
    """Run steps with some of the functions `call`, `wait` and `host`; those that are left out may not be called."""
    unused = {"call": _unused, "wait": _unused, "host": _unused}
    return await run_document({"steps": steps}, SCOPE["input"], Actions(**unused | functions))


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

    async def host(_kind: str, _step: dict[str, Any], _place: Place) -> dict[str, Any]:
        return {}

    results = await run_document(template, inputs, Actions(_unused, _unused, host))
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

    async def call(_: str, params: dict[str, Any], _place: Place) -> dict[str, Any]:
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

    async def call(_: str, params: dict[str, Any], _place: Place) -> dict[str, Any]:
        accounts, cursor = pages[params.get("pageAfter")]
        return {"accounts": accounts, "nextCursor": cursor}

    results = await run([{"id": "all", "operation": "list_accounts", "all": True}], call=call)
    assert results["all"] == {"accounts": ["act_1", "act_2", "act_3"], "nextCursor": None}


async def test_a_bad_outcome_is_an_outcome() -> None:
    async def wait(_operation: str, _params: dict[str, Any], _place: Place, _timeout: Any) -> dict[str, Any]:
        raise WaitFailed("declined", output={"inquiry": {"status": "declined"}})

    step = {"id": "outcome", "operation": "get_inquiry", "wait": True, "params": {"inquiryId": "inq_1"}}
    assert await run([step], wait=wait) == {"outcome": {"inquiry": {"status": "declined"}}}


# --- the check -------------------------------------------------------------------------------------------------------------

ONBOARD: dict[str, Any] = next(template for template in manifest()["templates"] if template["name"] == "onboard-customer")


@pytest.mark.parametrize(
    ("step", "change", "place", "problem"),
    [
        ("link", {"params": {"inquiryId": "{start.inquiry.key}"}}, ".params.inquiryId", "does not exist at key"),
        ("link", {"params": {"inquiryId": "{later.inquiry.id}"}}, ".params.inquiryId", "later is no earlier step"),
        ("link", {"params": {"inquiryId": "{start.inquiry.tags}"}}, ".params.inquiryId", "takes string and is given array"),
        ("link", {"params": {}}, ".params", "generate_inquiry_link needs inquiryId"),
        ("link", {"params": {"inquiryId": "inq_1", "days": 1}}, ".params.days", "generate_inquiry_link has no param days"),
        ("link", {"params": {"inquiryId": "inq_1", "apiKey": "k"}}, ".params.apiKey", "a key is no part of a document"),
        (
            "link",
            {"params": {"inquiryId": "inq_1", "expiresInSeconds": "in {input.contact}"}},
            ".params.expiresInSeconds",
            "text",
        ),
        ("link", {"operation": "generate_links"}, ".operation", "did you mean generate_inquiry_link?"),
        ("link", {"wait": True}, ".wait", "generate_inquiry_link cannot be waited for"),
        ("link", {"all": True}, ".all", "generate_inquiry_link has no pages"),
        ("link", {"forEach": "{start.inquiry.id}"}, ".forEach", "takes entries of what is no list"),
        ("link", {"forEach": "for {start.inquiry.id}"}, ".forEach", "a single reference"),
        ("link", {"id": "start"}, ".id", "start is taken"),
        ("link", {"timeout": {"seconds": 5, "then": "fail"}}, "", "timeout belongs to a step with wait"),
        ("outcome", {"timeout": {"seconds": 0, "then": "fail"}}, ".timeout.seconds", "greater than 0"),
        ("outcome", {"timeout": {"seconds": 5, "then": "continue"}}, "", None),
        ("review", {"timeout": {"seconds": 5, "answer": "leave open"}}, "", None),
        ("screening", {"params": {"reportType": "watchlist", "reportTemplateId": "rptp_1"}}, ".params", "needs one of"),
        ("invite", {"text": "{start.inquiry.key}"}, ".text", "does not exist"),
        ("review", {"text": "Approve?"}, "", None),
    ],
    ids=str,
)
def test_fault_is_found_at_its_place(step: str, change: dict[str, Any], place: str, problem: str | None) -> None:
    document = copy.deepcopy(ONBOARD)
    position = next(index for index, other in enumerate(document["steps"]) if other["id"] == step)
    document["steps"][position] |= change
    found = [each for each in document_problems(document) if each.param.startswith(f"steps[{position}]{place}")]
    if problem is None:
        check(document)
    else:
        assert any(problem in each.message for each in found)


def test_every_problem_is_told_at_once() -> None:
    steps = [
        {"id": "a", "operation": "get_case", "params": {"caseId": "{input.gone}"}},
        {"id": "b", "operation": "get_cases"},
        {"id": "c", "host": "shout", "to": "x", "text": "y"},
        {"id": "d", "operation": "get_case", "params": {"caseId": "{b.anything.id}"}},
        {"id": "e", "operation": "get_case", "params": {"caseId": "{never.case.id}"}},
    ]
    document = {"inputs": {"unread": {"type": "string"}, "count": {"type": "integer"}}, "steps": steps}
    with pytest.raises(InputError) as error:
        check(document, {"count": "three", "extra": 1})
    assert {problem.param for problem in error.value.problems} == {
        "steps[0].params.caseId",
        "steps[1].operation",
        "steps[2]",
        "steps[4].params.caseId",
        "inputs.unread",
        "inputs.count",
        "inputs.extra",
    }


@pytest.mark.parametrize(
    "document", [None, [], "x", {}, {"steps": 3}, {"steps": []}, {"steps": [3]}, {"steps": [{}], "inputs": 3}]
)
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(InputError):
        check(document, {})


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


def test_a_document_that_is_too_deep_or_holds_itself_is_refused() -> None:
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    cyclic: dict[str, Any] = {}
    cyclic["again"] = cyclic
    for fields in ({"a": deep}, cyclic):
        step = {"id": "a", "operation": "create_inquiry", "params": {"inquiryTemplateId": "itmpl_1", "fields": fields}}
        with pytest.raises(InputError, match="nested too deeply, or holds itself"):
            check({"inputs": {}, "steps": [step]})
