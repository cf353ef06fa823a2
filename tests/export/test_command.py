"""The command `persona-block export`."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_block.cli import command
from persona_block.export import GENERATORS


@pytest.mark.slow
@pytest.mark.parametrize("platform", GENERATORS)
def test_it_says_how_many_files_it_wrote(platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "block"
    assert command.main(["export", platform, str(folder)]) == command.SUCCESS
    count = sum(path.is_file() for path in folder.rglob("*"))
    assert count > 1
    assert capsys.readouterr().out == f"Wrote {count} files to {folder}.\n"


def test_an_unknown_platform_is_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        command.main(["export", "nowhere", str(tmp_path)])
    assert exited.value.code == command.MISUSE
    message = capsys.readouterr().err
    assert all(platform in message for platform in GENERATORS)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert command.main(["export", "dify", str(tmp_path / "file")]) == command.FAILURE
    assert capsys.readouterr().err.startswith("Failed: ")
