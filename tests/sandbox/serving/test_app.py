"""The application: unknown paths and methods, and the header of every reply."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from persona_block.sandbox.api.endpoints import NOT_SIMULATED
from persona_block.sandbox.api.operations import OPERATIONS
from tests.support.contract_client import ContractClient


def test_every_reply_is_labelled_as_a_simulation(client: ContractClient) -> None:
    for path in ("/accounts", "/accounts/act_nobody", "/nowhere"):
        assert client.call("GET", path).headers["persona-sandbox"] == "simulation"


def test_an_unknown_path(client: ContractClient) -> None:
    for path in ("/nowhere", "/accounts/act_x/nothing"):
        assert client.get(path, 404).body["errors"][0]["title"] == "Record not found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/accounts", "GET, HEAD, POST"),
        ("DELETE", "/accounts", "GET, HEAD, POST"),
        ("PUT", "/accounts/act_x", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/inquiries/inq_x/approve", "POST"),
        ("PATCH", "/importer/accounts", "POST"),
        ("PUT", "/cases/case_x", "DELETE, GET, HEAD, PATCH"),
        ("PURGE", "/transactions", "GET, HEAD, POST"),
    ],
)
def test_a_known_path_with_another_method(client: ContractClient, method: str, path: str, allowed: str) -> None:
    reply = client.call(method, path, headers={"Key-Inflection": "camel"}).expect(405)
    assert reply.headers["allow"] == allowed
    assert reply.headers["request-id"] == client.sandbox.requests[-1].id
    assert reply.body["errors"] == [{"title": "Method not allowed", "details": f"{path} cannot be asked with {method}"}]
    client.call(method, path, api_key="wrong").expect(401)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/transactions"),
        ("POST", "/cases"),
        ("DELETE", "/verifications/ver_x"),
        ("POST", "/inquiries/inq_x/add-tag"),
        ("GET", "/inquiry-templates/itmpl_x/translations"),
        ("HEAD", "/events"),
    ],
)
def test_an_endpoint_that_is_not_simulated(client: ContractClient, method: str, path: str) -> None:
    reply = client.call(method, path, headers={"Idempotency-Key": "one"}).expect(501)
    logged = client.sandbox.requests[-1]
    assert (logged.id, logged.method, logged.status) == (reply.headers["request-id"], method, 501)
    assert reply.headers["ratelimit-remaining"] == "299"
    if method != "HEAD":
        assert reply.details == f"Persona has {method} {path}, but the simulation has not"
    client.call(method, path, api_key="wrong").expect(401)
    client.call(method, path, headers={"Persona-Version": "latest"}).expect(400)


def test_a_control_with_another_method(client: ContractClient) -> None:
    reply = client.visit("/sandbox/clock")
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


def test_no_endpoint_is_both_simulated_and_not() -> None:
    others = [(method, line.split()[0]) for line in NOT_SIMULATED.split("\n") if line for method in line.split()[1:]]
    assert len(set(others)) == len(others) > 150
    assert not {(operation.method, operation.path) for operation in OPERATIONS} & set(others)


async def test_an_application_that_is_mounted_under_a_path(client: ContractClient) -> None:
    transport = httpx.ASGITransport(Starlette(routes=[Mount("/persona", client.sandbox.app)]))
    headers = {"Authorization": f"Bearer {client.sandbox.api_key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://persona.test/persona", headers=headers) as http:
        assert [(await http.get(f"/api/v1{path}")).status_code for path in ("/accounts", "/accounts/act_x")] == [200, 404]
        assert (await http.get("/api/v1/accounts/act_x")).headers["request-id"] == client.sandbox.requests[-1].id
