"""Files: their URLs, for how long they are good, their bytes, and the printed summary."""

from __future__ import annotations

import zlib

import pytest

from persona_block.sandbox.objects.pictures import picture
from tests.support.contract_client import Client


@pytest.fixture
def document_id(client: Client) -> str:
    inquiry = client.inquiry().id
    return str(client.finished(inquiry)["relationships"]["documents"]["data"][0]["id"])


def test_every_file_url_serves_its_file(client: Client, document_id: str) -> None:
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


def test_the_size_is_the_size(client: Client, document_id: str) -> None:
    file = client.get(f"/documents/{document_id}").attributes["front-photo"]
    content = client.fetch(file["url"]).content
    assert len(content) == file["byte-size"]
    assert file["filename"] in file["url"]


def test_a_url_lasts_six_hours(client: Client, document_id: str) -> None:
    url = client.get(f"/documents/{document_id}").attributes["front-photo"]["url"]
    client.sandbox.clock.advance(6 * 3600 - 1)
    assert client.fetch(url).status_code == 200
    client.sandbox.clock.advance(1)
    assert client.fetch(url).status_code == 403
    renewed = client.get(f"/documents/{document_id}").attributes["front-photo"]["url"]
    assert client.fetch(renewed).status_code == 200


def test_a_forged_url(client: Client, document_id: str) -> None:
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


def test_the_summary_is_a_pdf_that_says_what_it_is(client: Client) -> None:
    fields = {"name-first": "Jane", "name-last": "Doe"}
    inquiry = client.inquiry(
        {"fields": fields | {"name-middle": "王Ł", "x" * 40: "Lo\u0301dz\u0301 5\u00a0€ – a\x07b"}, "note": "π ≠ 3"}
    ).id
    client.finished(inquiry, "review")
    client.post(f"/inquiries/{inquiry}/approve", {"meta": {"comment": "ok"}})
    answer = client.get(f"/inquiries/{inquiry}/print")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body.startswith(b"%PDF-")
    assert answer.body.rstrip().endswith(b"%%EOF")
    text = _text(answer.body)
    for expected in (
        "SIMULATION",
        "not a verification of anybody",
        inquiry,
        "Doe",
        "[U+738B]L",
        "L\u00f3dz",
        "EUR",
        "ab",
        "xxxx...)",
        "approved",
        "id_expired_detection",
    ):
        assert expected in text, expected


def test_pictures_are_pngs_with_letters() -> None:
    for label in ("FRONT", "BACK", "SELFIE", "DOCUMENT"):
        image = picture(label)
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        start = image.index(b"IDAT") + 4
        pixels = zlib.decompress(image[start : image.index(b"IEND") - 8])
        assert len(pixels) == 200 * (1 + 320 * 3)
        assert len({pixels[1 + at * 3 : 4 + at * 3] for at in range(320)}) == 1  # the top row is ground
        assert len(set(zip(pixels[0::961], strict=False))) == 1


def _text(pdf: bytes) -> str:
    """Read the words of a PDF whose pages are deflated and whose text stands in simple strings."""
    words = []
    for stream in pdf.split(b"stream\n")[1:]:
        try:
            words.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "".join(words).replace("\\", "")
