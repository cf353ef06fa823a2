"""The guard of the pages: which sites, hosts and forms they accept."""

from __future__ import annotations

import re

import pytest

from tests.sandbox.pages.applicant import START, linked, status
from tests.support.contract_client import ContractClient


def test_headers_of_every_page(client: ContractClient) -> None:
    inquiry, page = linked(client)
    used = client.inquiry(meta={"auto-create-one-time-link": True}).body["meta"]["one-time-link"]
    responses = [client.visit(page), client.visit(used), client.visit(page, START), client.visit("/v/nothing")]
    client.post(f"/inquiries/{inquiry}/approve")
    responses += [client.visit(page), client.visit("/sandbox/style.css"), client.visit("/sandbox/icon.svg")]
    assert [response.status_code for response in responses] == [200, 303, 303, 404, 422, 200, 200]
    for response in responses:
        assert response.headers["persona-sandbox"] == "simulation"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["x-content-type-options"] == "nosniff"
        if response.headers["content-type"].startswith("text/html"):
            assert "Simulation" in response.text
            assert "<script" not in response.text
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; ")
            assert "frame-ancestors 'none'" in policy
            assert not re.search(r"script|unsafe|\*|data:", policy)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "https://persona.sandbox.invalid"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_forms_of_other_sites(client: ContractClient, headers: dict[str, str]) -> None:
    inquiry, page = linked(client)
    assert client.visit(page, START, **headers).status_code == 403
    assert status(client, inquiry) == "created"


@pytest.mark.parametrize(
    "headers",
    [{"sec_fetch_site": "same-origin", "origin": "null"}, {"origin": "https://persona.sandbox.invalid"}, {}],
)
def test_forms_of_the_sandbox_itself(client: ContractClient, headers: dict[str, str]) -> None:
    inquiry, page = linked(client)
    assert client.visit(page, START, **headers).status_code == 303
    assert status(client, inquiry) == "pending"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.0.2.1", "evil.example:80", "[::", "", "a b"])
def test_names_of_other_hosts(client: ContractClient, host: str) -> None:
    _, page = linked(client)
    for url in (page, "/", "/v/x", "/dashboard/inquiries", "/sandbox/style.css"):
        assert client.visit(url, host=host).status_code == 403, url


@pytest.mark.parametrize("host", ["127.0.0.1:8484", "localhost", "LOCALHOST:1", "[::1]:8484", "127.9.9.9"])
def test_names_of_this_machine(client: ContractClient, host: str) -> None:
    _, page = linked(client)
    assert client.visit(page, host=host).status_code == 200
