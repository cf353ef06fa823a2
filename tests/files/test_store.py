"""Files: their names, their places, and downloads from hosts that are trusted."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block import ApiError, FileRef, FileStore, InputError, PersonaError, ResponseError, Runner, TransportError
from persona_block.files.names import safe_name
from persona_block.files.rules import FileRules
from tests.support.planted import FILE_TOKEN, KEY

URL = "https://files.withpersona.com/front.jpg?access_token=" + FILE_TOKEN
Handler = Callable[[httpx.Request], httpx.Response]


@given(st.text())
def test_a_safe_name_is_one_plain_segment(name: str) -> None:
    safe = safe_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,118}[A-Za-z0-9_])?", safe)
    assert safe_name(safe) == safe


DEVICES = ["CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³")]
DEVICES += ["CONIN$", "CONOUT$", "CLOCK$"]


@given(
    st.sampled_from(DEVICES),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.sampled_from(["", ".", ". ", ".pdf", ".tar.gz", " .csv", ".csv ", ".csv.", ":x.csv", "\\", ".x" * 200]),
    st.sampled_from(["", " ", "../", "C:\\x\\", "-", "."]),
)
def test_no_name_is_that_of_a_device_of_windows(device: str, spell: Callable[[str], str], ending: str, beginning: str) -> None:
    safe = safe_name(beginning + spell(device) + ending)
    stem = safe.partition(".")[0].rstrip(" ").upper()
    assert stem not in DEVICES
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\a b.pdf", "a-b.pdf"),
        ("..", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("CON.pdf", "file-CON.pdf"),
        ("con.tar.gz", "file-con.tar.gz"),
        ("NUL", "file-NUL"),
        ("aux.csv", "file-aux.csv"),
        ("COM1", "file-COM1"),
        ("LPT9", "file-LPT9"),
        ("COM¹.pdf", "COM-.pdf"),
        ("report.pdf. ", "report.pdf"),
        ("console.pdf", "console.pdf"),
        ("nul-1.pdf", "nul-1.pdf"),
        ("x" * 119 + ".y" * 20, "x" * 118 + ".y"),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("source", "unnamed", "name"),
    [
        (b"x", None, "upload.bin"),
        (io.BytesIO(b"x"), None, "upload.bin"),
        (b"x", "crew.csv", "crew.csv"),
        ({"content": "x"}, "crew.csv", "crew.csv"),
        ({"content": "x", "name": "a b.txt"}, "crew.csv", "a-b.txt"),
    ],
)
def test_what_has_no_name_takes_the_one_the_caller_gives(source: Any, unnamed: str | None, name: str) -> None:
    options: dict[str, Any] = {} if unnamed is None else {"unnamed": unnamed}
    with FileStore().reader(source, **options) as (opened_name, stream):
        assert (opened_name, stream.read()) == (name, b"x")


def _write(store: FileStore, content: bytes, name: str = "a.pdf") -> str:
    with store.writer(name, "application/pdf") as writer:
        writer.write(content)
        return writer.commit().name


def test_many_writers_of_one_name(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    threads = [threading.Thread(target=_write, args=(store, str(number).encode())) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {str(number).encode() for number in range(20)}


def test_what_is_stored_is_for_its_owner(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with store.writer("a.pdf", "application/pdf") as writer:
        (part,) = tmp_path.iterdir()
        assert part.stat().st_mode & 0o777 == 0o600
        writer.write(b"one")
        writer.commit()
    assert _write(store, b"two") == "a-2.pdf"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_is_stored_where_no_hard_links_are_is_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links")

    monkeypatch.setattr(os, "link", refuse)
    assert [_write(FileStore(tmp_path), b"one") for _ in range(2)] == ["a.pdf", "a-2.pdf"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.ENOSYS])
@pytest.mark.parametrize("fails", [False, True])
def test_a_name_is_given_back_where_no_file_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, fails: bool
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    if not fails:
        assert _write(FileStore(tmp_path), b"one") == "a.pdf"
        return
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match=re.escape(os.strerror(code))):
        _write(FileStore(tmp_path), b"one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failing_link_is_no_mount_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match=re.escape(os.strerror(code))):
        _write(FileStore(tmp_path), b"one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("slow_step", ["fsync", "link", "replace"])
async def test_a_download_that_is_cancelled_while_it_is_stored_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow_step: str, has_links: bool
) -> None:
    """As on slow storage, in each step that a commit takes."""
    entered, go_on = threading.Event(), threading.Event()
    steps: dict[str, Any] = {"fsync": os.fsync, "link": os.link, "replace": os.replace}

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links")

    if not has_links:
        steps["link"] = refuse
        monkeypatch.setattr(os, "link", refuse)
    before = set(threading.enumerate())

    def wait(*arguments: Any) -> None:
        entered.set()
        go_on.wait(10)
        steps[slow_step](*arguments)

    monkeypatch.setattr(os, slow_step, wait)
    async with _runner(_photo, tmp_path) as runner:
        download = asyncio.create_task(runner.download(URL))
        is_slow = asyncio.create_task(asyncio.to_thread(entered.wait, 10))
        await asyncio.wait([download, is_slow], return_when=asyncio.FIRST_COMPLETED)
        was_stored = download.done()  # a folder with links replaces nothing
        download.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await download
        entered.set()
        go_on.set()
        await is_slow
        for thread in set(threading.enumerate()) - before:
            if thread.name == "persona-block file":
                await asyncio.to_thread(thread.join, 10)
    assert was_stored == (has_links and slow_step == "replace")
    assert [path.name for path in tmp_path.iterdir()] == (["front.jpg"] if was_stored else [])


async def test_a_print_of_an_odd_id_is_stored_under_a_name_that_every_system_takes(tmp_path: Path) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"%PDF-1.7", headers={"Content-Type": "application/pdf"})

    async with _runner(handler, tmp_path) as runner:
        names = [(await runner.call("print_inquiry_pdf", {"inquiryId": each}))["file"]["name"] for each in ("CON", "../NUL")]
    assert names == ["file-CON.pdf", "file-NUL.pdf"]


def test_a_writer_that_is_left_leaves_nothing(tmp_path: Path) -> None:
    with FileStore(tmp_path).writer("a.pdf", "application/pdf") as writer:
        writer.write(b"half")
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    assert list(tmp_path.iterdir()) == []


def test_remote_storage() -> None:
    store = FileStore("memory://evidence/2026")
    assert _write(store, b"one") == "a.pdf"
    assert _write(store, b"two") == "a-2.pdf"
    assert fsspec.filesystem("memory").cat("/evidence/2026/a-2.pdf") == b"two"
    with store.reader("memory://evidence/2026/a.pdf", rules=FileRules(schemes=("memory",))) as (name, stream):
        assert name == "a.pdf"
        assert stream.read() == b"one"


@pytest.mark.parametrize("kind", ["local", "memory"])
async def test_a_call_says_where_its_file_goes_and_whether_it_replaces_another(kind: str, tmp_path: Path) -> None:
    """In one way for a print and a download, which both give a FileRef."""

    def handler(request: httpx.Request) -> httpx.Response:
        media_type = "application/pdf" if request.url.path.endswith("/print") else "image/jpeg"
        return httpx.Response(200, content=b"%PDF-1" + bytes([next(count)]), headers={"Content-Type": media_type})

    count = iter(range(100))
    url = f"{kind}://kept" if kind == "memory" else (tmp_path / "kept").as_uri()
    store = FileStore(url)
    async with _runner(handler, tmp_path / "own") as runner:

        async def stored(**options: Any) -> list[FileRef]:
            printed = await runner.run("print_inquiry_pdf", {"inquiryId": "inq_1"}, **options)
            called = await runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}, **options)
            refs = [FileRef.model_validate(output["file"]) for output in (printed.output, called)]
            return [*refs, await runner.download(URL, **options)]

        names = [[file.name for file in await stored(store=store, **options)] for options in ({}, {"overwrite": True}, {})]
        own = await stored()
    assert names == [
        ["inq_1.pdf", "inq_1-2.pdf", "front.jpg"],
        ["inq_1.pdf", "inq_1.pdf", "front.jpg"],
        ["inq_1-3.pdf", "inq_1-4.pdf", "front-2.jpg"],
    ]
    folder = fsspec.filesystem("file" if kind == "local" else "memory")
    place = str(tmp_path / "kept") if kind == "local" else "/kept"
    assert folder.cat(f"{place}/inq_1.pdf")[-1] == 4
    assert folder.cat(f"{place}/front.jpg")[-1] == 5
    assert [file.path for file in own] == [str(tmp_path / "own" / name) for name in ("inq_1.pdf", "inq_1-2.pdf", "front.jpg")]
    assert {each.name for each in (tmp_path / "own").iterdir()} == {"inq_1.pdf", "inq_1-2.pdf", "front.jpg"}


async def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "front.jpg").mkdir()
    async with _runner(_photo, tmp_path) as runner:
        with pytest.raises(PersonaError, match=r"could not be stored: Is a directory"):
            await runner.download(URL, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["front.jpg"]


def test_storage_that_is_not_there() -> None:
    rules = FileRules(schemes=("memory", "moon"))
    with pytest.raises(ValueError, match="cannot be read"), FileStore().reader("memory://nowhere/x.csv", rules=rules):
        pass
    with pytest.raises(ValueError, match="no storage library"), FileStore().reader("moon://x.csv", rules=rules):
        pass


def _runner(handler: Handler, folder: Path, **options: Any) -> Runner:
    """Return a runner whose requests go to `handler` and whose files go to `folder`."""
    return Runner(api_key=KEY, transport=httpx.MockTransport(handler), files=FileStore(folder), **options)


def _photo(_: httpx.Request) -> httpx.Response:
    """Answer any request with a file of one byte."""
    return httpx.Response(200, content=b"x")


async def test_a_download_carries_no_key(tmp_path: Path) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=b"\xff\xd8photo")

    async with _runner(handler, tmp_path) as runner:
        file = await runner.download(URL)
        named = await runner.download({"filename": "front side.jpg", "url": URL, "byteSize": 7})
    assert (file.name, file.mime_type, file.size) == ("front.jpg", "image/jpeg", 7)
    assert named.name == "front-side.jpg"
    for request in requests:
        assert KEY not in str(request.headers)
        assert "persona-version" not in request.headers


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x.jpg?t=secret-token",
        "http://files.withpersona.com/x",
        "ftp://files.withpersona.com/x",
        "x",
    ],
)
async def test_other_hosts_are_refused(url: str, tmp_path: Path) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError("a request was sent")

    async with _runner(refuse, tmp_path) as runner:
        with pytest.raises(InputError, match="not trusted") as caught:
            await runner.download(url)
    assert FILE_TOKEN not in caught.value.message


async def test_a_redirect_elsewhere_is_refused(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "files.withpersona.com"
        target = "/again.jpg" if request.url.path == "/front.jpg" else "https://evil.example/x.jpg"
        return httpx.Response(302, headers={"Location": target})

    async with _runner(handler, tmp_path) as runner:
        with pytest.raises(InputError, match=r"evil\.example"):
            await runner.download(URL)
    assert list(tmp_path.iterdir()) == []


async def test_hosts_the_runner_was_told_to_trust(tmp_path: Path) -> None:
    async with _runner(_photo, tmp_path, file_rules=FileRules(hosts=("127.0.0.1",))) as runner:
        assert (await runner.download("http://127.0.0.1:9/files/a.png")).name == "a.png"


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (lambda _: httpx.Response(403), ApiError),
        (lambda _: httpx.Response(200, content=b"x" * 2000), ResponseError),
        (lambda _: httpx.Response(302, headers={"Location": "/front.jpg"}), ResponseError),
    ],
)
async def test_a_download_that_fails_leaves_nothing(handler: Handler, error: type[Exception], tmp_path: Path) -> None:
    async with _runner(handler, tmp_path, file_rules=FileRules(limit=1000)) as runner:
        with pytest.raises(error) as caught:
            await runner.download(URL)
    assert FILE_TOKEN not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


async def test_a_download_without_an_answer(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(str(request.url))

    async with _runner(handler, tmp_path) as runner:
        with pytest.raises(TransportError) as caught:
            await runner.download(URL)
    assert FILE_TOKEN not in str(caught.value)


async def test_a_closed_runner_refuses_files_clearly(tmp_path: Path) -> None:
    runner = _runner(_photo, tmp_path)
    await runner.aclose()
    with pytest.raises(PersonaError, match="runner is closed"):
        await runner.download(URL)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_takes_no_file_is_a_persona_error(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    async with _runner(_photo, taken) as runner:
        with pytest.raises(PersonaError, match="could not be stored") as caught:
            await runner.download(URL)
    assert caught.value.took_effect is None
