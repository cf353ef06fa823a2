"""Files on a real S3 protocol server on loopback, through the extra `s3`."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import httpx
import pytest

from persona_block import FileRules, FileStore, Runner
from tests.support.bucket import Bucket


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve an empty bucket, which the environment names as users name it."""
    with Bucket() as serving:
        for name, value in serving.environment.items():
            monkeypatch.setenv(name, value)
        yield serving.url


@pytest.mark.slow
async def test_a_print_goes_to_a_bucket_and_an_import_comes_from_it(bucket: str) -> None:
    uploads: list[bytes] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=b"%PDF-1.7 evidence", headers={"Content-Type": "application/pdf"})
        uploads.append(request.read())
        return httpx.Response(201, json={"data": {"type": "importer/account", "id": "mprt_1"}})

    storage = fsspec.filesystem("s3")
    storage.pipe("evidence/crew.csv", b"reference_id\ncrew-7\n")
    store, rules = FileStore(f"{bucket}/2026"), FileRules(schemes=("s3",))
    async with Runner(api_key="s3-key", transport=httpx.MockTransport(handler), files=store, file_rules=rules) as runner:
        files = [(await runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}))["file"] for _ in range(2)]
        await runner.call("import_accounts", {"file": f"{bucket}/crew.csv"})
    assert [file["url"] for file in files] == [f"{bucket}/2026/inq_1.pdf", f"{bucket}/2026/inq_1-2.pdf"]
    assert storage.cat("evidence/2026/inq_1-2.pdf") == b"%PDF-1.7 evidence"
    assert files[0]["path"] is None
    assert b"reference_id\ncrew-7\n" in uploads[0]
