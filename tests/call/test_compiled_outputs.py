"""Answers read in compiled ways: each gives what the general way gives, or leaves the answer to it."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from persona_block import ResponseError
from persona_block.call import json_body
from persona_block.call.compiled import structs
from persona_block.call.compiled.documents import document_shaper
from persona_block.call.compiled.once import Misfit
from persona_block.call.compiled.outputs import output_of
from persona_block.call.json_body import DEEPEST, VALUES_LIMIT, read_json
from persona_block.call.parse import Answer, parse
from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec
from scripts.whole_answers import whole_answers
from tests.call.test_parse import WRONG, mutated
from tests.support.budget import budget
from tests.support.case_files import cases

SPECS = [spec for spec in catalog.load_all() if not spec.file_source]
needs_msgspec = pytest.mark.skipif(importlib.util.find_spec("msgspec") is None, reason="the extra `fast` is not installed")
each_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)

MARK = "\N{SNOWMAN}"
HOSTILE: tuple[bytes, ...] = (
    *(json.dumps(value).encode() for value in WRONG),
    *(
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"-",
        b"1.",
        b".5",
        b"+1",
        b"0x1",
        b"1e",
        b"tru",
        b"None",
        b"'x'",
        b"1 2",
        b"",
    ),
    *(b"-0", b"5.0", b"1e2", b"1e999", b"1e-999", b"0.1", b"18446744073709551616", b"-9223372036854775809"),
    *(b"9" * 4300, b"9" * 4301, b"-" + b"9" * 5000),
    *(b'"\xc3\xa9"', b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\\ud83d\\ude00"', b'"\\ud800"', b'"\\ude00\\ud83d"'),
    *(b'"\\u0000"', b'"\x01"', b'"\n"', b'"\\x"', b'"\\u12"', b'"\x7f\xc2\x85"'),
    *(b'{"a":1,"a":"x"}', b'{"\\ud800":1}', b'{"\xff":1}', b"{,}", b"[1,]", b'{"a":1,}', b'{"a" 1}', b"{a:1}", b"[/**/]"),
    *(b'{"type":"string"}', b'{"type":1,"value":1}', b'{"type":"x","value":null,"more":1}', b'{"value":"x","type":"y"}'),
    *(
        b'{"x":{"type":"string","value":{"y":{"type":"hash","value":[1]}}}}',
        b'[{"id":"x"}]',
        b'[{"id":null}]',
        b'[{"id":""},{}]',
    ),
    *(b"[" * depth + b"1" + b"]" * depth for depth in (98, 99, 100, 101, 102, 150, 250)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (97, 98, 99, 100, 101, 102, 150, 250)),
    b'{"data":{"id":"x"},"data":{"id":"y"}}',
)
"""Values as they stand in a body, many of which are no JSON."""

Reading = Callable[[ToolSpec, bytes], dict[str, Any]]


def in_general(spec: ToolSpec, body: bytes) -> dict[str, Any]:
    """Return an output as the interpreter of specs gives it, from what Python's own reader of JSON gives."""
    with mock.patch.object(json_body, "_fast_reader", return_value=None):
        return parse(spec, _answer(body))


def by_chosen_way(spec: ToolSpec, body: bytes) -> dict[str, Any]:
    return output_of(spec, _answer(body))


def from_json(spec: ToolSpec, body: bytes) -> dict[str, Any]:
    with mock.patch("persona_block.call.compiled.outputs.output_reader", return_value=None):
        return output_of(spec, _answer(body))


def _answer(body: bytes) -> Answer:
    return Answer(200, "application/json", body, "req_1")


def outcome(reading: Reading, spec: ToolSpec, body: bytes) -> tuple[Any, ...]:
    """Return all that a caller sees: the output as text with its order and its kinds of numbers, or the error."""
    try:
        return ("output", json.dumps(reading(spec, body)))
    except ResponseError as error:
        return (error.message, error.details())


def bodies(spec: ToolSpec) -> Iterator[Any]:
    """Yield answers to an operation: those of its cases, and some in which every pointer finds something."""
    yield from (case.response["body"] for case in cases() if case.operation == spec.name and case.response["status"] < 300)
    yield from whole_answers(spec)


def marked(node: Any) -> Iterator[Any]:
    """Yield copies of a document, each with the mark in the place of one value or beside the keys of one object."""
    yield MARK
    if isinstance(node, dict):
        yield {**node, "unasked": MARK}
        yield {"id": MARK, **node}
        yield from ({**node, name: changed} for name, value in node.items() for changed in marked(value))
    if isinstance(node, list):
        yield from (
            [*node[:place], changed, *node[place + 1 :]] for place, value in enumerate(node) for changed in marked(value)
        )


def hostile(spec: ToolSpec, count: int) -> Iterator[bytes]:
    """Yield so many bodies with something hostile in one place."""
    chosen = random.Random(4)
    templates = [changed for body in bodies(spec) for changed in marked(body)]
    for _ in range(count):
        yield json.dumps(chosen.choice(templates)).encode().replace(json.dumps(MARK).encode(), chosen.choice(HOSTILE))


@each_spec
def test_compiled_ways_give_what_the_general_way_gives(spec: ToolSpec) -> None:
    mutants = [changed for body in bodies(spec) for changed in (body, *mutated(body))]
    count = min(budget(small=50, full=5_000), len(mutants))
    tried = [json.dumps(changed).encode() for changed in random.Random(3).sample(mutants, count)]
    tried += hostile(spec, budget(small=100, full=5_000))
    seen = set()
    for body in tried:
        expected = outcome(in_general, spec, body)
        seen.add(expected[0] == "output")
        assert outcome(from_json, spec, body) == expected, body
        assert outcome(by_chosen_way, spec, body) == expected, body
    assert seen == {True, False}


@needs_msgspec
@each_spec
def test_a_good_answer_takes_the_fast_ways(spec: ToolSpec) -> None:
    """Each compiled way by itself takes the answers of the cases, so that none of them is left to the general way."""
    read = structs.output_reader(spec)
    assert read is not None
    for case in cases():
        if case.operation == spec.name and case.response["status"] < 300:
            body = json.dumps(case.response["body"]).encode()
            expected = outcome(in_general, spec, body)
            assert ("output", json.dumps(read(body))) == expected
            assert ("output", json.dumps(document_shaper(spec)(read_json(body)))) == expected


def test_without_the_extra_answers_are_read_all_the_same() -> None:
    spec = catalog.load("get_inquiry").model_copy()
    with mock.patch.object(structs, "_msgspec", return_value=None):
        assert structs.output_reader(spec) is None
        assert by_chosen_way(spec, b'{"data":{"type":"inquiry","id":"inq_1"}}')["inquiry"]["id"] == "inq_1"


@needs_msgspec
@pytest.mark.parametrize(
    "unasked",
    [b"[" + b"1," * VALUES_LIMIT + b"1]", b'"\xff"', b"9" * 4301, b"[" * 100_000],
    ids=["count", "text", "number", "depth"],
)
def test_what_nobody_asks_for_is_held_to_the_same_bounds(unasked: bytes) -> None:
    spec = catalog.load("get_inquiry")
    read = structs.output_reader(spec)
    assert read is not None
    for body in (b'{"data":{"type":"inquiry","id":"inq_1"},"x":%s}', b'{"x":%s,"data":{"type":"inquiry","id":"inq_1"}}'):
        with pytest.raises(Misfit):
            read(body % unasked)
        with pytest.raises(ResponseError):
            by_chosen_way(spec, body % unasked)


@pytest.mark.parametrize("depth", [DEEPEST - 3, DEEPEST - 2, DEEPEST - 1, DEEPEST, DEEPEST + 1])
@pytest.mark.parametrize("opened", [b'{"a":', b'{"type":"hash","value":', b"["])
def test_fields_may_be_as_deep_on_every_way(depth: int, opened: bytes) -> None:
    spec = catalog.load("get_inquiry")
    deep = opened * depth + b"1" + {b"{": b"}", b"[": b"]"}[opened[:1]] * depth
    body = b'{"data":{"type":"inquiry","id":"inq_1","attributes":{"fields":{"x":%s},"behaviors":{"x":%s}}}}'
    for fields, behaviors in ((deep, b"1"), (b"1", deep)):
        expected = outcome(in_general, spec, body % (fields, behaviors))
        assert outcome(from_json, spec, body % (fields, behaviors)) == expected
        assert outcome(by_chosen_way, spec, body % (fields, behaviors)) == expected


@pytest.mark.parametrize("body", [b"", b'{"data":{"type":"account","id":"Mira"}}', b'{"data":[],"Mira"'])
def test_an_error_says_nothing_of_the_ways_that_were_tried(body: bytes) -> None:
    with pytest.raises(ResponseError) as caught:
        by_chosen_way(catalog.load("get_inquiry"), body)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


SPREAD: dict[str, Any] = {
    "first": {"type": ["string", "null"], "x-from": ["/a", "/b/c"]},
    "second": {"type": ["string", "null"], "x-from": ["/b/c", "/d/c"]},
    "third": {"type": ["string", "null"], "x-from": "/d/e/f/g"},
    "whole": {"type": "object", "x-from": "/d/e"},
    "texts": {"type": "array", "x-from": "/l/*/m/n", "items": {"type": "string"}},
    "nested": {"type": "array", "x-from": "/l/*/o/*/n", "items": {"type": "string"}},
    "all": {"type": "array", "x-from": "/l", "items": {"type": "object"}},
    "inside": {"type": ["string", "null"], "x-from": "/u/a/value"},
    "unwrapped": {"type": "object", "x-from": "/u", "x-unwrap": True},
    "number": {"type": ["integer", "null"], "x-from": "/n"},
    "same": {"type": ["boolean", "null"], "x-from": "/n"},
    "part": {"type": "object", "x-from": "/p", "properties": {"q": {"type": "string", "x-from": "/q"}}},
    "files": {"type": "array", "x-collect": ["/p/r", "/l/*"], "items": {"type": "object", "properties": {}}},
}
VALUES: dict[str, tuple[Any, ...]] = {
    "a": (None, "x", 1),
    "b": (None, {"c": "x"}, {"c": None}, {"c": 5}, "x"),
    "d": ({"c": "x"}, {"e": {"f": {"g": "x"}, "h": 1}}, {"e": {"f": 5}}, {"e": 5}, [], None),
    "l": (
        [],
        [{"m": {"n": "x"}, "o": [{"n": "y"}, {}]}, {"m": None}, {}],
        [{"m": {"n": ""}}],
        [{"o": [{"n": ""}]}],
        [5],
        {},
        None,
    ),
    "u": ({"a": {"type": "string", "value": "x"}}, {}, {"a": "x"}, 5, None),
    "n": (None, None, 5, 5.0, 5.5, True, "5"),
    "p": ({"q": "x"}, {"q": "x", "r": {"s": 1}}, {"q": "", "r": {}}, {}, None),
}
"""Values of the keys, of which the first two are likely to fit."""


def test_pointers_that_cross_each_other() -> None:
    """Values may stand in places that no spec has today: within each other, twice, deeper and several at once."""
    outputs: dict[str, Any] = {"thing": {"type": "object", "properties": SPREAD}, "deep": {"type": "string"}}
    spec = catalog.load("get_inquiry").model_copy(
        update={"output": outputs, "response": {"thing": "/x/y", "deep": "/x/z/0/1"}}
    )
    chosen = random.Random(5)
    counts = {"output": 0, "error": 0}
    for _ in range(budget(small=300, full=5_000)):
        thing = {name: chosen.choice(values[: chosen.choice((2, 2, 2, 9))]) for name, values in VALUES.items()}
        thing.pop(chosen.choice([*VALUES, ""]), None)
        body = json.dumps({"x": {"y": thing, "z": {"0": {"1": chosen.choice(["x", "x", "x", ""])}}}}).encode()
        expected = outcome(in_general, spec, body)
        counts["output" if expected[0] == "output" else "error"] += 1
        assert outcome(from_json, spec, body) == expected, body
        assert outcome(by_chosen_way, spec, body) == expected, body
    assert min(counts.values()) > 10
