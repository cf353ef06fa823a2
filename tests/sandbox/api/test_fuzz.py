"""Random requests: each reply is a documented one, and a refused request changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from persona_block.sandbox import TEMPLATES
from persona_block.sandbox.api.operations import OPERATIONS, Operation
from persona_block.sandbox.messages.shapes import Shape
from tests.support.budget import budget
from tests.support.contract_client import AS_JSON, ContractClient

SETTINGS = settings(
    max_examples=budget(small=30, full=500), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

KNOWN = (TEMPLATES.inquiry, TEMPLATES.legacy, TEMPLATES.watchlist, "act_x", "1990-01-02", "US", "report/watchlist", "\x00")
TEXT = st.text(max_size=6) | st.sampled_from(KNOWN)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RIGHT = {"string": TEXT, "seconds": st.integers(1, 99), "boolean": st.booleans()}
FIELD_KEYS = st.sampled_from(
    ["name-first", "birthdate", "name", "address", "identification_numbers", "selfie_photo", "phone_number", "x", "a/b~c", ""]
)
FIELDS = st.dictionaries(FIELD_KEYS, VALUE, max_size=4)


def bodies(shape: Shape) -> st.SearchStrategy[Any]:
    """Return bodies that mostly have the right names, with any values."""
    members = {}
    for marked_name, inner in shape.items():
        name = marked_name.removesuffix("!")
        if isinstance(inner, dict):
            members[name] = bodies(inner)
        else:
            right = RIGHT.get(inner.removesuffix("?"), VALUE)
            members[name] = FIELDS if name in ("fields", "query") else right | VALUE
    required = {name: members.pop(name) for name in list(members) if f"{name}!" in shape}
    return st.fixed_dictionaries(required, optional=members) | VALUE


WRITES = [operation for operation in OPERATIONS if operation.body]
REQUESTS = st.sampled_from(WRITES).flatmap(lambda operation: st.tuples(st.just(operation), bodies(operation.body or {})))
ANY_ID = st.text(min_size=1, max_size=5).filter(lambda text: not set(text) & set("/."))
IDS = st.sampled_from(["inquiry", "account"]) | ANY_ID.map(lambda text: quote(text, safe=""))

PARAMETERS = st.sampled_from(
    ["include", "fields[inquiry]", "filter[status]", "filter[created-at-start]", "page[size]", "page[after]"]
)
ARGUMENTS = st.sampled_from(["account", "created", "10", "-1", "9" * 30, "2020-01-01T00:00:00Z", "٣", "a,b"])
ROWS = st.lists(st.lists(st.text(max_size=8), max_size=4), max_size=5)


@pytest.fixture(scope="module")
def client() -> Iterator[ContractClient]:
    """A client of one sandbox for all tests of this module."""
    with ContractClient() as client:
        yield client


@pytest.fixture(scope="module")
def ids(client: ContractClient) -> dict[str, str]:
    """The ids of an inquiry and an account."""
    return {"inquiry": client.inquiry().id, "account": client.account(reference_id="r").id}


@SETTINGS
@given(request=REQUESTS, in_sandbox=st.booleans())
def test_any_body(client: ContractClient, ids: dict[str, str], request: tuple[Operation, Any], in_sandbox: bool) -> None:
    operation, body = request
    kind = "account" if operation.path.startswith("/accounts") else "inquiry"
    api_key = client.sandbox.sandbox_key if in_sandbox else client.sandbox.api_key
    before = len(client.sandbox.effects)
    reply = client.call(operation.method, operation.path.format(id=ids[kind]), body, api_key=api_key)
    caused = len(client.sandbox.effects) - before
    assert (caused > 0) == (reply.status < 300) or (reply.status == 200 and operation.path.endswith("simulate-actions"))
    assert reply.status in (200, 201, 400, 403, 404, 409, 422)


@SETTINGS
@given(
    operation=st.sampled_from(OPERATIONS),
    id=IDS,
    query=st.lists(st.tuples(PARAMETERS | st.text(max_size=8), ARGUMENTS | st.text(max_size=8)), max_size=3),
)
def test_any_query(
    client: ContractClient, ids: dict[str, str], operation: Operation, id: str, query: list[tuple[str, str]]
) -> None:
    path = operation.path.format(id=ids.get(id, id))
    text = "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in query)
    client.call(operation.method, f"{path}?{text}")


@SETTINGS
@given(
    content=st.binary(max_size=60), headers=st.sampled_from([{}, AS_JSON, {"Content-Type": "multipart/form-data; boundary=x"}])
)
@example(content=b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--", headers={"Content-Type": "multipart/form-data"})
@example(content=b"--x--", headers={"Content-Type": "multipart/form-data; boundary=x"})
@example(content=b"--x\r\nbroken", headers={"Content-Type": "Multipart/Form-Data; boundary=x"})
def test_any_bytes(client: ContractClient, content: bytes, headers: dict[str, str]) -> None:
    for path in ("/importer/accounts", "/accounts"):
        reply = client.call("POST", path, content=content, headers=headers)
        assert reply.status in (201, 400, 422)


@SETTINGS
@given(rows=ROWS, header=st.sampled_from(["reference_id", "tags,birthdate", "x"]))
def test_any_csv(client: ContractClient, rows: list[list[str]], header: str) -> None:
    content = "\n".join([header, *(",".join(row) for row in rows)]).encode("utf-8", "surrogatepass")
    importer = client.upload(content)
    client.sandbox.clock.advance(2)
    done = client.get(f"/importers/{importer.id}").attributes
    assert done["status"] in ("ready", "errored")
    counted = sum(done[f"{name}-count"] for name in ("successful", "duplicate", "error"))
    assert counted <= content.count(b"\n") + content.count(b"\r")
