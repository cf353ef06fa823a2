"""The test vectors say what the engine does, and there are enough of each kind to hold a runtime to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from persona_block.block import conformance_vectors
from persona_block.call.inputs import prepare
from persona_block.call.parse import Answer, parse
from persona_block.call.refusal import CODES
from persona_block.call.serialize import serialize
from persona_block.errors import InputError, ResponseError
from persona_block.spec import catalog
from scripts.vectors import vectors

VECTORS = conformance_vectors()
_HOST_CODES = {"no_key", "bad_key"}
"""What concerns the key, which is no part of the vectors."""


def test_the_vectors_are_those_of_this_engine() -> None:
    assert json.loads(json.dumps(vectors())) == VECTORS, "run `make generate`"


def test_every_operation_and_every_code_has_vectors() -> None:
    for kind in ("calls", "refusals"):
        assert {entry["operation"] for entry in VECTORS[kind]} == set(catalog.names())
    json_operations = {spec.name for spec in catalog.load_all() if not spec.file_source}
    assert {entry["operation"] for entry in VECTORS["answers"]} == json_operations
    codes = {problem["code"] for entry in VECTORS["refusals"] for problem in entry["problems"]}
    assert codes == set(CODES) - _HOST_CODES
    assert sum(len(entries) for entries in VECTORS.values() if isinstance(entries, list)) > 1_000


@pytest.mark.parametrize("kind", ["answers", "errors", "retries", "webhooks"])
def test_both_ends_are_shown(kind: str) -> None:
    entries = VECTORS[kind]
    field = {"answers": "output", "errors": "error", "retries": "again", "webhooks": "accepted"}[kind]
    values = [entry.get(field) for entry in entries]
    assert any(values)
    assert kind == "errors" or not all(values)


def _outcome(entry: dict[str, Any]) -> Any:
    spec = catalog.load(entry["operation"])
    try:
        return parse(spec, Answer(entry["status"], "application/json", json.dumps(entry["body"]).encode()))
    except ResponseError as error:
        return error.kind


def test_a_vector_that_is_changed_is_noticed() -> None:
    """The file is compared with the engine above; here one entry of each kind is played by hand."""
    call = VECTORS["calls"][0]
    assert (
        serialize(catalog.load(call["operation"]), prepare(catalog.load(call["operation"]), call["params"])).path
        == (call["request"]["path"])
    )
    refusal = VECTORS["refusals"][0]
    with pytest.raises(InputError) as caught:
        prepare(catalog.load(refusal["operation"]), refusal["params"])
    assert {problem.code for problem in caught.value.problems} == {problem["code"] for problem in refusal["problems"]}
    answer = next(entry for entry in VECTORS["answers"] if "output" in entry)
    assert _outcome(answer) == answer["output"]
    assert _outcome({**answer, "body": {}}) == "response_error"
