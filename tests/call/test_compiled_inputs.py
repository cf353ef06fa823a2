"""Params and requests by the compiled way: it gives what the general way gives, or leaves the params to it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from persona_block import InputError
from persona_block.call.compiled.inputs import preparer, values_fit
from persona_block.call.compiled.once import Misfit, OncePerSpec
from persona_block.call.inputs import prepare, prepare_in_general
from persona_block.call.refusal import Refused
from persona_block.call.serialize import serialize
from persona_block.spec import catalog
from persona_block.spec.grammar import Param, ToolSpec
from tests.support.budget import budget
from tests.support.case_files import cases
from tests.support.interpreted_request import interpreted_request

ODD: Mapping[str, list[Any]] = json.loads((Path(__file__).resolve().parents[2] / "scripts/odd_values.json").read_text("utf-8"))
each_spec = pytest.mark.parametrize("spec", catalog.load_all(), ids=lambda spec: spec.name)


def outcome(prepared: Any, spec: ToolSpec, params: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the values with their order and their kinds of numbers, or every problem."""
    try:
        return ("values", json.dumps(prepared(spec, params), default=repr))
    except InputError as error:
        return (error.message, error.details())


def hosts_params(spec: ToolSpec, chosen: random.Random) -> dict[str, Any]:
    """Return params as a host may send them: good ones of a case, some of them odd, and some by a wrong name."""
    good = [case.params for case in cases() if case.operation == spec.name]
    params = dict(chosen.choice(good))
    for name, param in spec.params.items():
        if chosen.random() < 0.3:
            kind = chosen.choice([param.type, param.format or param.type, "string"])
            params[name] = chosen.choice([*ODD.get(kind, []), *ODD[param.type], *(param.enum or ())])
        elif chosen.random() < 0.1:
            params.pop(name, None)
    if chosen.random() < 0.05:
        params[chosen.choice(["stray", "", "inquiryid"])] = chosen.choice([None, "x"])
    return params


@each_spec
def test_compiled_checks_give_what_the_general_way_gives(spec: ToolSpec) -> None:
    chosen = random.Random(spec.name)
    took = {"compiled": 0, "refused": 0}
    for _ in range(budget(small=150, full=10_000)):
        params = hosts_params(spec, chosen)
        expected = outcome(prepare_in_general, spec, params)
        assert outcome(prepare, spec, params) == expected, params
        try:
            values = preparer(spec)(params)
        except (Misfit, Refused):
            took["refused"] += 1
            is_known = params.keys() <= spec.params.keys()
            assert expected[0] != "values" or not is_known, f"left to the general way: {params}"
            continue
        took["compiled"] += 1
        assert ("values", json.dumps(values, default=repr)) == expected
        sent, interpreted = serialize(spec, values), interpreted_request(spec, values)
        assert sent == interpreted
        assert json.dumps(sent.body, default=repr) == json.dumps(interpreted.body, default=repr)
        assert sent.target == interpreted.target
    assert took["compiled"]
    assert took["refused"] or not spec.params


@each_spec
def test_json_schema_judges_the_compiled_checks_of_enums_and_ranges(spec: ToolSpec) -> None:
    shapes = {name: param.json_schema() for name, param in spec.params.items() if param.format != "file"}
    validator = Draft202012Validator({"properties": shapes})
    for name, shape in shapes.items():
        bounds = [shape[word] for word in ("minimum", "maximum") if word in shape]
        near = [bound + step for bound in bounds for step in (-1, 0, 1)]
        values = {"integer": [*near, -(2**53), 0, 2**53 - 1], "string": ["", "x", *shape.get("enum", [])]}
        for value in values.get(shape["type"], []):
            assert values_fit(spec)({name: value}) == validator.is_valid({name: value}), (name, value)


def test_a_param_that_no_check_is_compiled_for_is_judged_by_json_schema() -> None:
    """An enum of a list's text, say, or a range of text: the compiled check refuses what it does not know."""
    spec = catalog.load("list_cases")
    limited = Param(type="array", maximum=3, title="Tags", description="Tags.", field="tags")
    odd = spec.model_copy(update={"params": {**spec.params, "tags": limited}})
    assert not values_fit(odd)({"tags": ["a"]})
    assert prepare(odd, {"tags": ["a"]}) == {"tags": ["a"]}


def test_what_is_made_of_a_spec_belongs_to_it_alone() -> None:
    made: list[ToolSpec] = []
    once = OncePerSpec(lambda spec: made.append(spec) or spec.name)  # type: ignore[func-returns-value]
    spec = catalog.load("get_case")
    copies = [spec.model_copy(update={"name": f"case_{number}"}) for number in range(300)]
    for each in (spec, *copies, spec):
        assert once(each) == each.name
        assert once(each) == each.name
    assert len(made) == 302, "each was made once, and the first anew after many others"
