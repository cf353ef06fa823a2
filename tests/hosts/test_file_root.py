"""The folder that a host lets imports read from: what is opened is what was named, whatever happens in between."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from persona_block import InputError, Sandbox, operation
from persona_block.hosts.arguments import check_arguments
from persona_block.hosts.tool import load_tool

CSV = "reference_id,name_first\nperson-1,Ann\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "imports"
    (folder / "below").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    for place in (folder / "below", tmp_path / "outside"):
        (place / "people.csv").write_text(CSV)
    return folder


def _swap_folder(folder: Path) -> None:
    (folder / "below").rename(folder / "kept")
    (folder / "below").symlink_to(folder.parent / "outside")


def _swap_file(folder: Path) -> None:
    (folder / "below" / "people.csv").unlink()
    (folder / "below" / "people.csv").symlink_to(folder.parent / "outside" / "people.csv")


def _make_pipe(folder: Path) -> None:
    (folder / "below" / "people.csv").unlink()
    os.mkfifo(folder / "below" / "people.csv")


@pytest.mark.parametrize("swap", [_swap_folder, _swap_file, _make_pipe])
async def test_a_path_that_leads_elsewhere_once_it_is_checked_is_not_read(
    swap: Callable[[Path], None], folder: Path, sandbox: Sandbox
) -> None:
    checked = check_arguments(load_tool("import_accounts", True), {"file": "below/people.csv"}, folder)
    async with sandbox.runner() as runner:
        await runner.call(operation("import_accounts"), checked.params)
        swap(folder)
        sent = len(sandbox.requests)
        with pytest.raises(InputError, match=r"file: (cannot be read: it )?is a (link|pipe)"):
            await runner.call(operation("import_accounts"), checked.params)
    assert len(sandbox.requests) == sent
