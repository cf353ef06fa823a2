"""A full disk under the files of flows: it is waited out, and no half of a file stays."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from persona_block import Sandbox, flows
from persona_block.errors import DeliveryError
from persona_block.files.store import LocalFolder
from persona_block.flows import Content
from persona_block.flows import step as steps
from persona_block.flows.ports import built_in_store
from persona_block.sandbox import TEMPLATES
from tests.support.flow_ports import People
from tests.support.flow_world import engine

LARGE = Content("inq_1.pdf", "application/pdf", b"%PDF" * 100_000)
DOCUMENT: dict[str, Any] = {
    "inputs": {"inquiryId": {"type": "string"}},
    "steps": [{"id": "record", "operation": "print_inquiry_pdf", "params": {"inquiryId": "{input.inquiryId}"}}],
}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let files of this process grow to a size in bytes and no further, as where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_store_on_a_full_disk_keeps_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with room_for(100_000), pytest.raises(DeliveryError, match="does not take the file: File too large") as caught:
        await built_in_store().put(LARGE, str(archive), "d1")
    assert (caught.value.took_effect, caught.value.retryable) == ("no", True)
    assert list(archive.iterdir()) == []
    await built_in_store().put(LARGE, str(archive), "d1")
    assert [each.stat().st_size for each in archive.iterdir()] == [400_000]


@pytest.mark.parametrize(("error", "is_waited_out"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
async def test_a_flow_waits_until_there_is_room_for_its_file(
    sqlite_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, is_waited_out: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "FIRST_PAUSE", 0.01)
    take, refused = LocalFolder.take, [OSError(error, "planted")] * 2

    def take_later(self: LocalFolder, part: Path, name: str, overwrite: bool) -> tuple[str, str, str | None]:
        if refused:
            raise refused.pop()
        return take(self, part, name, overwrite)

    monkeypatch.setattr(LocalFolder, "take", take_later)
    with Sandbox() as sandbox:
        async with engine(sqlite_database, sandbox, People(), files=str(tmp_path / "work")) as running:
            made = await running.runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry})
            run = flows.template(DOCUMENT, {"inquiryId": made["inquiry"]["id"]}, workflow_id="one")
            if is_waited_out:
                path = Path((await run)["record"]["file"]["path"])
                assert path.read_bytes().startswith(b"%PDF")
            else:
                with pytest.raises(Exception, match="could not be stored"):
                    await run
    assert len(list((tmp_path / "work").rglob("*.pdf"))) == is_waited_out
