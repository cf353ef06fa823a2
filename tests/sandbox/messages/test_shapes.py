"""The shapes of request bodies are the documented ones."""

from __future__ import annotations

from typing import Any

import pytest

from persona_block.sandbox.messages import shapes
from persona_block.sandbox.objects.reports import KINDS
from tests.support import openapi
from tests.support.contract_client import contract

official = pytest.mark.skipif(not openapi.available(), reason=openapi.REASON)


def _properties(schema: Any, rules: openapi.Contract) -> dict[str, Any]:
    """Return the properties of an object schema, its allOf branches and references included."""
    schema = rules.resolve(schema)
    properties = dict(schema.get("properties", {}))
    for branch in schema.get("allOf", ()):
        properties |= _properties(branch, rules)
    return properties


def _assert_same_names(shape: shapes.Shape, schema: Any, rules: openapi.Contract, where: str) -> None:
    properties = _properties(schema, rules)
    assert {name.removesuffix("!") for name in shape} == set(properties), where
    for marked_name, inner in shape.items():
        name = marked_name.removesuffix("!")
        if isinstance(inner, dict):
            _assert_same_names(inner, properties[name], rules, f"{where}.{name}")


@official
@pytest.mark.parametrize(
    ("method", "path", "shape"),
    [
        ("post", "/inquiries", shapes.CREATE_INQUIRY),
        ("patch", "/inquiries/{inquiry-id}", shapes.UPDATE_INQUIRY),
        ("post", "/inquiries/{inquiry-id}/approve", shapes.DECISION),
        ("post", "/inquiries/{inquiry-id}/decline", shapes.DECISION),
        ("post", "/inquiries/{inquiry-id}/generate-one-time-link", shapes.ONE_TIME_LINK),
        ("post", "/inquiries/{inquiry-id}/perform-simulate-actions", shapes.SIMULATE),
        ("post", "/accounts", shapes.CREATE_ACCOUNT),
        ("patch", "/accounts/{account-id}", shapes.UPDATE_ACCOUNT),
        ("post", "/importer/accounts", shapes.IMPORT_ACCOUNTS),
    ],
)
def test_request_shapes_are_the_documented_ones(method: str, path: str, shape: shapes.Shape) -> None:
    rules = contract()
    assert rules
    schema = rules.schema("paths", path, method, "requestBody", "content", "application/json", "schema")
    _assert_same_names(shape, schema, rules, f"{method} {path}")


@official
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_report_queries_are_the_documented_ones(kind: str) -> None:
    rules = contract()
    assert rules
    schema = rules.schema("components", "schemas", f"report-{kind}-request")
    attributes = _properties(schema, rules)["attributes"]
    _assert_same_names(KINDS[kind].query, _properties(attributes, rules)["query"], rules, kind)
