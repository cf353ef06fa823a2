"""Every workflow template runs from its first step to its last, and decides nothing unasked."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from persona_block.block.build import manifest
from persona_block.call import inputs
from persona_block.flows.checker import Step, document_problems, operations, output_spec
from persona_block.flows.document import Actions, Place, run_document
from persona_block.flows.references import REFERENCE, references
from persona_block.spec import catalog
from persona_block.spec.grammar import Effect

MANIFEST = manifest()
TEMPLATES: dict[str, dict[str, Any]] = {template["name"]: template for template in MANIFEST["templates"]}
SERIOUS = {name for name in catalog.names() if catalog.load(name).effect in ("decide", "erase")}
ID_PREFIXES = {"inquiry": "inq_", "account": "act_", "case": "case_", "report": "rep_", "verification": "ver_"}
ID_PREFIXES |= {"document": "doc_", "importer": "mprt_", "inquiry-template": "itmpl_"}
UNFORESEEN = "something unforeseen"

each_template = pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
STEPS = [(template, step) for template in TEMPLATES.values() for step in template["steps"]]


def each(steps: list[tuple[dict[str, Any], dict[str, Any]]]) -> pytest.MarkDecorator:
    """One test for each of these steps, with its template."""
    return pytest.mark.parametrize(("template", "step"), steps, ids=[f"{t['name']}-{s['id']}" for t, s in steps])


# --- a Persona and a host that answer just enough --------------------------------------------------------------------------


Values = dict[tuple[str, tuple[str, ...]], Any]
"""Values that outputs must hold, by the operation or host step that gives them, and their path in its output."""


class Answers:
    """Minimal outputs made from the output schemas, with some values prescribed; it notes what it was asked."""

    def __init__(self, prescribed: Mapping[tuple[str, tuple[str, ...]], Any] | None = None) -> None:
        self.prescribed = dict(prescribed or {})
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.host_steps: list[tuple[str, dict[str, Any]]] = []

    async def call(self, operation: str, params: dict[str, Any], _place: Place) -> dict[str, Any]:
        return self._answer({"operation": operation}, params)

    async def wait(self, operation: str, params: dict[str, Any], _place: Place, _timeout: Any) -> dict[str, Any]:
        return self._answer({"operation": operation, "wait": True}, params)

    def _answer(self, step: Step, params: dict[str, Any]) -> dict[str, Any]:
        operation = step["operation"]
        inputs.prepare(catalog.load(operation), params)
        self.calls.append((operation, params))
        output = {name: _example(schema, name) for name, schema in output_spec(step).output.items()}
        if "pageAfter" in params:
            output["nextCursor"] = None
        return self._with_prescribed(operation, output)

    async def host(self, kind: str, step: dict[str, Any], _place: Place) -> dict[str, Any]:
        assert not REFERENCE.search(step["text"])
        self.host_steps.append((kind, step))
        output: dict[str, Any] = {}
        if kind == "ask":
            output = {"answer": step["options"][0], "comment": "seen"}
        elif kind == "store":
            output = {"url": "memory://kept"}
        return self._with_prescribed(kind, output)

    def _with_prescribed(self, name: str, output: dict[str, Any]) -> dict[str, Any]:
        for (owner, path), value in self.prescribed.items():
            if owner == name:
                _put(output, path, value)
        return output


def _example(schema: Mapping[str, Any], name: str = "") -> Any:
    """Return a value that fits a schema, with every property there and one entry in every list."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "object" in types:
        example = {prop: _example(part, prop) for prop, part in schema.get("properties", {}).items()}
        return example | ({"id": f"{ID_PREFIXES[schema['x-type']]}1"} if "x-type" in schema else {})
    if "array" in types:
        return [_example(schema.get("items", {"type": "object"}), name)]
    return {"string": UNFORESEEN if name == "status" else name, "integer": 1, "boolean": True}[types[0]]


def _put(node: Any, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        if step == "*":
            for entry in node:
                _put(entry, path[path.index(step) + 1 :], value)
            return
        node = node[int(step) if step.isdecimal() else step]
    node[path[-1]] = value


async def _run(template: Mapping[str, Any], answers: Answers) -> dict[str, Any]:
    examples = {name: copy.deepcopy(schema["examples"][0]) for name, schema in template["inputs"].items()}
    return await run_document(template, examples, Actions(answers.call, answers.wait, answers.host))


# --- what has to be answered for a step to run -----------------------------------------------------------------------------


def conditions(template: Mapping[str, Any], step: Step) -> Iterator[tuple[Step, tuple[str, ...], Mapping[str, Any]]]:
    """Yield each condition that a step depends on: the step that answers it, the path in its output, the condition itself.

    A condition on whether a step gave anything at all comes down to the conditions of that step.
    """
    steps = {other["id"]: other for other in template["steps"]}
    for condition in step.get("when", []):
        source, path = _source(steps, step, condition["value"])
        if path:
            yield steps[source], path, condition
    for identifier in {path[0] for path in references(step)} & set(steps):
        yield from conditions(template, steps[identifier])


def _source(steps: Mapping[str, Step], step: Step, value: str) -> tuple[str, tuple[str, ...]]:
    """Return which step a condition reads, and where in one of its outputs; an item is followed to the list it is from."""
    match = REFERENCE.fullmatch(value)
    assert match, f"{value} is not a single reference"
    root, *path = match[1].split(".")
    if root == "item":
        return _source(steps, step, "{" + ".".join([step["forEach"][1:-1], "*", *path]) + "}")
    return root, tuple(path[1:] if "forEach" in steps[root] else path)


def satisfying(template: Mapping[str, Any], step: Step) -> Values:
    """Return values to prescribe so that everything a step depends on holds."""
    prescribed: Values = {}
    for source, path, condition in conditions(template, step):
        if condition.get("empty") is False or "notIn" in condition:
            continue
        if "empty" in condition:
            value: Any = [] if path[-1] in catalog.load(source["operation"]).output else None
        else:
            value = next(condition[test][0] for test in ("in", "allIn", "anyIn") if test in condition)
        where = (source.get("operation", source.get("host")), path)
        assert prescribed.setdefault(where, value) == value, f"{step['id']} asks for two values of {where}"
    return prescribed


# --- templates -------------------------------------------------------------------------------------------------------------


def test_there_are_templates_for_every_group_and_effect() -> None:
    assert len(TEMPLATES) == len(MANIFEST["templates"]) >= 9
    used = [catalog.load(name) for template in TEMPLATES.values() for name in operations(template)]
    assert {spec.group for spec in used} == set(catalog.groups())
    assert {spec.effect for spec in used} == set(get_args(Effect))
    assert len({spec.name for spec in used}) >= 27


@each_template
def test_template_fits_the_specs(template: dict[str, Any]) -> None:
    assert list(document_problems(template)) == []


@each_template
def test_examples_fit_their_inputs(template: dict[str, Any]) -> None:
    for name, schema in template["inputs"].items():
        Draft202012Validator.check_schema(schema)
        assert Draft202012Validator(schema).is_valid(schema["examples"][0]), name


@each(STEPS)
async def test_every_step_is_reached(template: dict[str, Any], step: dict[str, Any]) -> None:
    answers = Answers(satisfying(template, step))
    results = await _run(template, answers)
    assert results.get(step["id"], []) != [] or (
        step.get("host") == "notify" and step["id"] in results and "forEach" not in step
    )
    names = [name for name, _ in answers.calls + answers.host_steps]
    assert step.get("operation", step.get("host")) in names
    if step.get("all"):
        assert any(name == step["operation"] and "pageAfter" in params for name, params in answers.calls)


@each([(template, step) for template, step in STEPS if "when" in step])
async def test_a_condition_that_does_not_hold_keeps_its_step_back(template: dict[str, Any], step: dict[str, Any]) -> None:
    for index, condition in enumerate(step["when"]):
        alone = {**step, "when": [condition]}
        source, path, _ = next(conditions(template, alone))
        prescribed = satisfying(template, step)
        where = (source.get("operation", source.get("host")), path)
        prescribed[where] = _violating(condition, path, source)
        results = await _run(template, Answers(prescribed))
        assert not results.get(step["id"]), f"condition {index} of {step['id']} makes no difference"
        assert step["id"] not in results or "forEach" in step


def _violating(condition: Mapping[str, Any], path: tuple[str, ...], source: Step) -> Any:
    if "notIn" in condition:
        return condition["notIn"][0]
    if "empty" not in condition:
        return UNFORESEEN
    is_list = "operation" in source and path[-1] in catalog.load(source["operation"]).output
    if condition["empty"]:
        return [_example(catalog.load(source["operation"]).output[path[-1]]["items"])] if is_list else "there"
    return [] if is_list else None


SERIOUS_TEMPLATES = [name for name, template in TEMPLATES.items() if operations(template) & SERIOUS]


@pytest.mark.parametrize("name", SERIOUS_TEMPLATES)
async def test_nothing_is_decided_or_erased_unasked(name: str) -> None:
    answers = Answers({("ask", ("answer",)): UNFORESEEN})
    await _run(TEMPLATES[name], answers)
    assert answers.calls
    assert {operation for operation, _ in answers.calls} & SERIOUS == set()


@each([(template, step) for template, step in STEPS if step.get("operation") in SERIOUS])
def test_serious_steps_hang_on_a_word_or_an_explicit_condition(template: dict[str, Any], step: dict[str, Any]) -> None:
    bare_step = {"id": step["id"], "when": step.get("when", []), "forEach": step.get("forEach", "")}
    all_conditions = list(conditions(template, bare_step))
    asked = [condition for source, path, condition in all_conditions if source.get("host") == "ask" and path == ("answer",)]
    explicit = [condition for source, path, condition in all_conditions if path[-1] == "status" and "in" in condition]
    assert asked or explicit
    if catalog.load(step["operation"]).effect == "erase":
        assert asked


@each([(template, step) for template, step in STEPS if any("answer" in when["value"] for when in step.get("when", []))])
def test_answers_that_are_tested_can_be_given(template: dict[str, Any], step: dict[str, Any]) -> None:
    for source, path, condition in conditions(template, step):
        if source.get("host") == "ask" and path == ("answer",):
            assert set(condition["in"]) <= set(source["options"])


STATUS = ("get_inquiry", ("inquiry", "status"))
ANSWER = ("ask", ("answer",))
HAS_MATCH = ("create_report", ("report", "hasMatch"))
REPORT_STATUS = ("create_report", ("report", "status"))
IMPORT_STATUS = ("import_accounts", ("importer", "status"))
ERRORS = ("import_accounts", ("importer", "errorCount"))
ACCOUNTS = ("list_accounts", ("accounts",))


@pytest.mark.parametrize(
    ("name", "prescribed", "step_ids"),
    [
        ("onboard-customer", {STATUS: "completed", ANSWER: "approve"}, "screening review approve record keep"),
        ("onboard-customer", {STATUS: "completed", ANSWER: "decline"}, "screening review decline"),
        ("onboard-customer", {STATUS: "completed", ANSWER: "leave open"}, "screening review"),
        ("onboard-customer", {STATUS: "failed"}, ""),
        ("route-by-outcome", {STATUS: "approved"}, "activate"),
        ("route-by-outcome", {STATUS: "completed"}, "hold cases review"),
        ("route-by-outcome", {STATUS: "needs_review"}, "cases review"),
        ("route-by-outcome", {STATUS: "expired"}, "again link remind"),
        ("route-by-outcome", {STATUS: "declined"}, "refuse"),
        ("screen-before-activation", {HAS_MATCH: False, REPORT_STATUS: "ready"}, "clean"),
        ("screen-before-activation", {HAS_MATCH: False, REPORT_STATUS: "errored"}, "unscreened"),
        ("screen-before-activation", {HAS_MATCH: None, REPORT_STATUS: "ready"}, "judge cleared"),
        ("screen-before-activation", {HAS_MATCH: True, REPORT_STATUS: "ready", ANSWER: "block"}, "judge"),
        ("screen-before-activation", {HAS_MATCH: True, REPORT_STATUS: "errored"}, "unscreened"),
        ("rescreen-customer", {HAS_MATCH: False}, ""),
        ("rescreen-customer", {HAS_MATCH: None}, "alarm"),
        ("import-customers", {IMPORT_STATUS: "ready", ERRORS: 0}, "done"),
        ("import-customers", {IMPORT_STATUS: "ready", ERRORS: 2}, "warn"),
        ("import-customers", {IMPORT_STATUS: "errored", ERRORS: 0}, "broken"),
        ("import-customers", {IMPORT_STATUS: "errored", ERRORS: None}, "broken"),
        ("keep-account-in-step", {ACCOUNTS: []}, "create"),
        ("keep-account-in-step", {}, "update"),
        ("honour-deletion-request", {ACCOUNTS: []}, "unknown"),
        ("honour-deletion-request", {ANSWER: "keep"}, "inquiries confirm"),
        ("honour-deletion-request", {ANSWER: "erase"}, "inquiries confirm erase entry"),
    ],
)
async def test_the_way_taken(name: str, prescribed: Values, step_ids: str) -> None:
    template = TEMPLATES[name]
    always = _before_the_first_branch(template)
    results = await _run(template, Answers(prescribed))
    assert " ".join(step_id for step_id in results if step_id not in always) == step_ids


def _before_the_first_branch(template: Mapping[str, Any]) -> set[str]:
    """Return the ids of the steps that nothing keeps back."""
    return {step["id"] for step in template["steps"] if not _can_be_held_back(template, step)}


def _can_be_held_back(template: Mapping[str, Any], step: Step) -> bool:
    return any(True for _ in conditions(template, step)) or any(word.isdecimal() for path in references(step) for word in path)
