"""The printed summary of an inquiry."""

from __future__ import annotations

import zlib

from tests.support.contract_client import ContractClient


def test_the_summary_is_a_labelled_pdf(client: ContractClient) -> None:
    fields = {"name-first": "Jane", "name-last": "Doe"}
    inquiry = client.inquiry(
        {"fields": fields | {"name-middle": "王Ł", "x" * 40: "Lo\u0301dz\u0301 5\u00a0€ – a\x07b"}, "note": "π ≠ 3"}
    ).id
    client.finished(inquiry, "review")
    client.post(f"/inquiries/{inquiry}/approve", {"meta": {"comment": "ok"}})
    reply = client.get(f"/inquiries/{inquiry}/print")
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.body.startswith(b"%PDF-")
    assert reply.body.rstrip().endswith(b"%%EOF")
    text = _text(reply.body)
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
    """Return the text of a PDF whose pages are deflated and whose strings are simple."""
    words = []
    for stream in pdf.split(b"stream\n")[1:]:
        try:
            words.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "".join(words).replace("\\", "")
