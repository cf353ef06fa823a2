"""The URLs of files: what they serve, for how long, and forged ones."""

from __future__ import annotations

import pytest

from tests.support.contract_client import ContractClient


@pytest.fixture
def document_id(client: ContractClient) -> str:
    """The id of a document that an applicant has handed in."""
    inquiry = client.inquiry().id
    return str(client.finished(inquiry)["relationships"]["documents"]["data"][0]["id"])


@pytest.mark.usefixtures("document_id")
def test_every_file_url_serves_its_file(client: ContractClient) -> None:
    inquiry = client.get("/inquiries").data[0]
    urls = []
    for relation, path in (("verifications", "/verifications"), ("documents", "/documents")):
        for each in inquiry["relationships"][relation]["data"]:
            text = client.get(f"{path}/{each['id']}?include=inquiry").response.text
            urls += [part.split('"')[0] for part in text.split('"https://files.') if "access_token" in part]
    assert len(urls) > 8
    for url in urls:
        response = client.fetch(f"https://files.{url}")
        assert (response.status_code, response.headers["content-type"]) == (200, "image/png")


def test_the_size_is_that_of_the_bytes(client: ContractClient, document_id: str) -> None:
    file = client.get(f"/documents/{document_id}").attributes["front-photo"]
    content = client.fetch(file["url"]).content
    assert len(content) == file["byte-size"]
    assert file["filename"] in file["url"]


def test_a_url_lasts_six_hours(client: ContractClient, document_id: str) -> None:
    url = client.get(f"/documents/{document_id}").attributes["front-photo"]["url"]
    client.sandbox.clock.advance(6 * 3600 - 1)
    assert client.fetch(url).status_code == 200
    client.sandbox.clock.advance(1)
    assert client.fetch(url).status_code == 403
    renewed = client.get(f"/documents/{document_id}").attributes["front-photo"]["url"]
    assert client.fetch(renewed).status_code == 200


def test_a_forged_url(client: ContractClient, document_id: str) -> None:
    url = client.get(f"/documents/{document_id}").attributes["front-photo"]["url"]
    path, _, token = url.partition("?access_token=")
    claim, expires, signature = token.split(".")
    for forged in (
        path,
        f"{path}?access_token=",
        f"{path}?access_token=..",
        f"{path}?access_token={claim}.{int(expires) + 1}.{signature}",
        f"{path}x?access_token={token}",
        f"{path}?access_token=fileother.{expires}.{signature}",
    ):
        assert client.fetch(forged).status_code == 403, forged
