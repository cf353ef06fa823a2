"""Regular files alone are opened, and below a folder none through a link, however quickly folder and link are swapped."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from persona_block.files import regular
from persona_block.files.regular import FileBelow, UnreadableFile, open_regular
from tests.support.budget import budget

CSV = b"reference_id\nc1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file, one below it, and links of every kind; beside it a file that nobody may read."""
    (tmp_path / "secret.csv").write_bytes(b"reference_id\nsecret\n")
    folder = tmp_path / "imports"
    (folder / "below").mkdir(parents=True)
    (folder / "people.csv").write_bytes(CSV)
    (folder / "below" / "people.csv").write_bytes(CSV)
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "inner-link.csv").symlink_to(folder / "people.csv")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "inner-linked").symlink_to(folder / "below")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe.csv")
    return folder


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)


def _make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(path.parent):
        listener.bind(path.name)  # a socket's path may be no longer than 107 bytes


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (_make_pipe, "is a pipe"),
        (_make_socket, "is a socket"),
        (Path.mkdir, "is a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "is a character device"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.symlink_to(path.with_name("nowhere")), "No such file"),
    ],
)
def test_what_is_no_regular_file_is_refused_by_its_kind(make: Callable[[Path], None], kind: str, tmp_path: Path) -> None:
    make(tmp_path / "crew.csv")
    with pytest.raises(UnreadableFile, match=kind):
        open_regular(tmp_path / "crew.csv")
    with pytest.raises(UnreadableFile, match="is a link or lies" if (tmp_path / "crew.csv").is_symlink() else kind):
        FileBelow(tmp_path, ("crew.csv",)).open()


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty", "/"])
def test_devices_are_not_opened(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(UnreadableFile, match=r"is a (character device|folder)"):
        open_regular(path)


@pytest.mark.parametrize("kind", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_the_kind_that_counts_is_that_of_what_was_opened(
    kind: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crew.csv"
    path.write_bytes(CSV)
    look_up, swap = os.stat, [kind]

    def look_up_then_swap(place: Any, **options: Any) -> os.stat_result:
        status = look_up(place, **options)
        if place == path and swap:
            path.unlink()
            swap.pop()(path)
        return status

    monkeypatch.setattr(os, "stat", look_up_then_swap)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(UnreadableFile, match=r"is a (pipe|character device)"):
        open_regular(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_file_that_becomes_a_link_after_it_was_looked_up_is_not_followed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = os.stat

    def look_up_then_swap(place: Any, **options: Any) -> os.stat_result:
        status = look_up(place, **options)
        if place == "people.csv" and "dir_fd" in options:
            (folder / "link.csv").rename(folder / "people.csv")
        return status

    monkeypatch.setattr(os, "stat", look_up_then_swap)
    with pytest.raises(UnreadableFile, match="is a link"):
        FileBelow.of(folder, "people.csv").open()
    assert (folder / "people.csv").is_symlink()


@pytest.mark.parametrize("path", ["nul\0l.csv", "\ud800.csv", "x" * 5000])
def test_what_is_no_path_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        open_regular(tmp_path / path)
    with pytest.raises(UnreadableFile, match="cannot be read"):
        FileBelow.of(tmp_path, path).open()


@pytest.fixture(params=[True, False], ids=["handles", "no handles"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files opened relative to folders, and as on a system that cannot."""
    monkeypatch.setattr(regular, "HAS_FOLDER_HANDLES", request.param)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    "text", ["people.csv", "below/people.csv", "./below/../people.csv", "below//people.csv", "{root}/people.csv"]
)
def test_what_lies_below_is_opened(text: str, folder: Path) -> None:
    with FileBelow.of(folder, text.replace("{root}", str(folder))).open() as stream:
        assert stream.read() == CSV


@pytest.mark.parametrize("text", ["../secret.csv", "below/../../secret.csv", "{root}/../secret.csv", "/etc/hosts", "..", "/"])
def test_what_leads_out_is_refused_unseen(text: str, folder: Path) -> None:
    with pytest.raises(UnreadableFile, match="is outside the folder"):
        FileBelow.of(folder, text.replace("{root}", str(folder)))


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("link.csv", "is a link"),
        ("inner-link.csv", "is a link"),
        ("linked/secret.csv", "is a link"),
        ("inner-linked/people.csv", "is a link"),
        ("loop", "is a link"),
        ("loop/people.csv", "is a link"),
        ("people.csv/x", "cannot be read"),
        ("missing.csv", "No such file"),
        ("below", "is a folder"),
        ("", "is a folder"),
        (".", "is a folder"),
        ("pipe.csv", "is a pipe"),
    ],
)
def test_below_no_link_is_followed_and_nothing_else_is_read(text: str, message: str, folder: Path) -> None:
    with pytest.raises(UnreadableFile, match=message):
        FileBelow.of(folder, text).open()


@pytest.mark.parametrize("names", [(), ("..", "secret.csv"), ("below/../../secret.csv",), ("/etc/hosts",), ("",)])
def test_names_that_are_no_names_are_refused(names: tuple[str, ...], folder: Path) -> None:
    with pytest.raises(UnreadableFile):
        FileBelow(folder, names).open()


def test_a_folder_is_the_same_wherever_the_process_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    file = FileBelow.of(Path("imports"), "people.csv")
    monkeypatch.chdir("/")
    with file.open() as stream:
        assert stream.read() == CSV


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    for text in ("people.csv", str(tmp_path / "alias" / "people.csv"), str(folder / "people.csv")):
        with FileBelow.of(tmp_path / "alias", text).open() as stream:
            assert stream.read() == CSV


@contextlib.contextmanager
def swapping(path: Path, outside: Path) -> Iterator[None]:
    """Swap what is at `path` for a link to `outside` and back, as fast as it goes."""
    link, kept = path.with_name("link-to-swap"), path.with_name("kept-to-swap")
    is_over = threading.Event()

    def swap() -> None:
        while not is_over.is_set():
            link.symlink_to(outside)
            path.rename(kept)
            link.rename(path)
            path.unlink()
            kept.rename(path)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.soak
@pytest.mark.parametrize("swapped", ["below", "below/people.csv"])
def test_no_swap_of_a_folder_or_a_file_for_a_link_leads_out(swapped: str, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "people.csv").write_bytes(b"reference_id\nsecret\n")
    read: list[bytes] = []
    misses, wanted, ends = 0, budget(small=4_000, full=100_000), time.monotonic() + 60
    with swapping(folder / swapped, outside if swapped == "below" else outside / "people.csv"):
        while (len(read) < 50 or misses < wanted) and time.monotonic() < ends:
            try:
                with FileBelow.of(folder, "below/people.csv").open() as stream:
                    read.append(stream.read())
            except UnreadableFile:
                misses += 1
    assert set(read) == {CSV}
    assert len(read) >= 50
    assert misses >= wanted
