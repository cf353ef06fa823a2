"""The printed summary of an inquiry."""

from __future__ import annotations

import zlib

from tests.support.contract_client import Client


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


def _text(pdf: bytes) -> str:
    """Read the words of a PDF whose pages are deflated and whose text stands in simple strings."""
    words = []
    for stream in pdf.split(b"stream\n")[1:]:
        try:
            words.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "".join(words).replace("\\", "")
