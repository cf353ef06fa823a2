"""What a `file` param may hold: which URLs are followed, which open files are read, and how large a file may be."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest

from persona_block import FileRef, FileRules, InputError, Runner, TransportError, operation
from persona_block.files.regular import FileBelow, UnreadableFile
from persona_block.files.sources import open_source
from persona_block.files.store import FileStore

CSV = b"reference_id\nc1\n"
IMPORTER = {"data": {"type": "importer/account", "id": "mprt_1"}}


class Uploads:
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        return httpx.Response(201, json=IMPORTER)

    def runner(self, **options: Any) -> Runner:
        return Runner(api_key="source-key", transport=httpx.MockTransport(self), **options)


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


def content(source: Any, rules: FileRules | None = None) -> bytes:
    """Return the bytes that are opened."""
    with FileStore().reader(source, rules=rules) as (_, stream):
        return stream.read()


# --- URLs ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine with a CSV file at every address, and what it was asked for."""
    paths: list[str] = []

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CSV)))
            self.end_headers()
            self.wfile.write(CSV)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}", paths
        server.shutdown()
        thread.join()


FORMS: list[Callable[[str], Any]] = [
    lambda host: f"http://{host}/x.csv",
    lambda host: f"HTTP://{host}/x.csv",
    lambda host: f" http://{host}/x.csv",
    lambda host: f"https://{host}/x.csv",
    lambda host: f"simplecache::http://{host}/x.csv",
    lambda host: f"filecache::simplecache::http://{host}/x.csv",
    lambda host: f"blockcache::http://{host}/x.csv",
    lambda host: f"zip://x.csv::http://{host}/x.zip",
    lambda host: f"memory://x::http://{host}/x.csv",
    lambda host: f"tar://x.csv::http://{host}/x.tar",
    lambda host: f"reference://x::http://{host}/x.json",
    lambda host: f"dir::http://{host}/",
    lambda host: f"webhdfs://{host}/x.csv",
    lambda host: f"jupyter://{host}/x.csv",
    lambda host: f"ftp://{host}/x.csv",
    lambda host: {"url": f"http://{host}/x.csv"},
    lambda host: {"path": f"http://{host}/x.csv"},
    lambda host: {"name": "x.csv", "url": f"simplecache::http://{host}/x.csv"},
    lambda host: FileRef(name="x.csv", mime_type="text/csv", size=1, url=f"http://{host}/x.csv"),
    lambda host: FileRef(name="x.csv", mime_type="text/csv", size=1, url="x", path=f"http://{host}/x.csv"),
]


@pytest.mark.parametrize("form", FORMS)
async def test_no_url_is_followed_that_nobody_trusted(
    form: Callable[[str], Any], asked: tuple[str, list[str]], uploads: Uploads
) -> None:
    host, paths = asked
    async with uploads.runner() as plain, uploads.runner(file_rules=FileRules(schemes=("s3", "memory", "zip"))) as trusting:
        for runner in (plain, trusting):
            with pytest.raises(InputError) as caught:
                await runner.call("import_accounts", {"file": form(host)})
            assert [problem.param for problem in caught.value.problems] == ["file"]
            assert host not in caught.value.message
    assert (paths, uploads.bodies) == ([], [])


@pytest.mark.parametrize(
    "url",
    [
        "local:///{path}",
        "local://{path}",
        "LocalFileSystem://{path}",
        "simplecache::file://{path}",
        "simplecache::local://{path}",
        "dir::{path}",
        "file:{path}",
        "FILE:{path}",
        "file:/{path}",
        "file://evil.example{path}",
        "file://127.0.0.1{path}",
        "file:////evil.example{path}",
        "file://\\evil.example{path}",
        "file:///{path}?x",
        "file://{path}#x",
        "file://{path}%00",
        "file://{path}\n",
        "data:text/csv,reference_id%0Ac1",
        "data:text/csv;base64,cmVmZXJlbmNlX2lkCmMxCg==",
        "DATA:,x",
        "data://x",
        "github://org:repo@main/x.csv",
        "git://x",
        "libarchive://x::{path}",
        "arrow_hdfs://x",
    ],
)
def test_other_forms_of_addresses_are_refused(url: str, tmp_path: Path) -> None:
    path = tmp_path / "crew.csv"
    path.write_bytes(CSV)
    for source in (url.replace("{path}", str(path)), {"url": url.replace("{path}", str(path))}):
        with pytest.raises(UnreadableFile) as caught:
            content(source)
        assert "crew" not in str(caught.value)


@pytest.mark.parametrize("form", ["file://{path}", "file://localhost{path}", "FILE://{path}"])
def test_a_file_url_is_a_path(form: str, tmp_path: Path) -> None:
    path = tmp_path / "crew.csv"
    path.write_bytes(CSV)
    assert content(form.replace("{path}", str(path))) == CSV


@pytest.mark.parametrize("name", ["a:b.csv", "report: june.csv", "x::y.csv", "C:\\people.csv", "http:x.csv", "s3.csv"])
def test_a_colon_in_a_name_makes_no_url(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(CSV)
    source: Any = tmp_path / name if "::" in name else name
    assert content(source) == CSV


def test_storage_that_is_trusted_is_read() -> None:
    fsspec.filesystem("memory").pipe("/crews/one.csv", CSV)
    rules = FileRules(schemes=("memory",))
    for source in ("memory://crews/one.csv", "MEMORY://crews/one.csv", {"url": "memory://crews/one.csv"}):
        assert content(source, rules) == CSV
    with pytest.raises(UnreadableFile, match="is a URL, and only storage"):
        content("memory://crews/one.csv")


def test_an_address_is_followed_where_its_scheme_is_named(asked: tuple[str, list[str]]) -> None:
    host, paths = asked
    fsspec.get_filesystem_class("http").clear_instance_cache()
    assert content(f"http://{host}/x.csv", FileRules(schemes=("http",))) == CSV
    assert set(paths) == {"/x.csv"}


@pytest.mark.parametrize("chain", ["zip://x.csv::memory://a.zip", "memory::memory://crews/one.csv", "memory://a::b.csv"])
def test_a_chain_of_trusted_storage_is_not_followed(chain: str) -> None:
    with pytest.raises(UnreadableFile, match="chain"):
        content(chain, FileRules(schemes=("zip", "memory")))


@pytest.mark.parametrize(
    "options",
    [
        {"schemes": "s3"},
        {"schemes": ("S3",)},
        {"schemes": ("s3://",)},
        {"schemes": ("",)},
        {"schemes": (None,)},
        {"hosts": "x"},
    ]
    + [{"limit": limit} for limit in (-1, 1.5, float("nan"), True, "1", None)],
    ids=repr,
)
def test_rules_that_would_mean_something_else_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        FileRules(**options)


# --- open files ------------------------------------------------------------------------------------------------------------


class Reader:
    """A file-like object that reads its bytes and can do nothing else."""

    def __init__(self, *pieces: Any) -> None:
        self._pieces = list(pieces)

    def read(self, _size: int = -1) -> Any:
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, BaseException):
            raise piece
        return piece


class Unseekable(io.BytesIO):
    """A file-like object that says it cannot be rewound."""

    def seekable(self) -> bool:
        return False


class Hostile:
    """An object whose attributes raise something else than AttributeError."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("nobody may see this")


def _spooled() -> Any:
    spooled = type("Spooled", (tempfile.SpooledTemporaryFile,), {})()
    spooled.write(CSV)
    return spooled


def _wrapped() -> Any:
    upload = Reader()
    upload.file = io.BytesIO(CSV)  # type: ignore[attr-defined]
    return upload


def _half_read() -> Any:
    stream = io.BytesIO(CSV)
    stream.read(5)
    return stream


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reader(CSV[:3], bytearray(CSV[3:5]), memoryview(CSV[5:])),
        lambda: Unseekable(CSV),
        lambda: type("Late", (io.BytesIO,), {})(CSV),
        lambda: bytearray(CSV),
        lambda: memoryview(CSV),
        lambda: {"content": bytearray(CSV)},
        lambda: {"content": io.BytesIO(CSV)},
        lambda: {"content": CSV.decode(), "path": "", "url": None},
        _spooled,
        _wrapped,
        _half_read,
    ],
)
async def test_what_gives_bytes_is_sent(make: Callable[[], Any], uploads: Uploads) -> None:
    source = make()
    async with uploads.runner() as runner:
        await runner.call("import_accounts", {"file": source})
    assert CSV in uploads.bodies[0]
    with contextlib.suppress(AttributeError):
        source.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Reader("text"),
        lambda: Reader(None),
        lambda: Reader(CSV, None),
        lambda: Reader(7),
        lambda: Reader(OSError("nobody may see this")),
        lambda: Reader(CSV, ValueError("nobody may see this")),
        lambda: Reader(StopIteration()),
        lambda: Reader(asyncio.sleep(0)),
        lambda: io.StringIO("text"),
        Hostile,
        lambda: type("Odd", (), {"read": None})(),
        lambda: type("Odd", (Reader,), {"seekable": lambda _: 1 / 0})(CSV),
        lambda: type("Odd", (Reader,), {"name": property(lambda _: 1 / 0)})(CSV),
        lambda: {"path": b"crew.csv"},
        lambda: {"url": 7},
        lambda: {"content": 7},
        lambda: {"content": "\ud800"},
        lambda: {"name": "crew.csv"},
        lambda: {},
        lambda: type("Odd", (os.PathLike,), {"__fspath__": lambda _: b"crew.csv"})(),
        lambda: type("Odd", (), {"url": "http://127.0.0.1/"})(),
        lambda: "~nobody-of-this-name/crew.csv",
        lambda: "\0",
        lambda: 7,
        lambda: [CSV],
    ],
)
async def test_what_is_no_file_is_a_problem_of_its_param(make: Callable[[], Any], uploads: Uploads) -> None:
    async with uploads.runner() as runner:
        result = await runner.run("import_accounts", {"file": make()})
    assert result.error_details is not None
    assert [(problem["param"], problem["code"]) for problem in result.error_details["problems"]] == [("file", "not_file")]
    assert "nobody may see this" not in str(result.to_dict())
    assert uploads.bodies == []
    with pytest.raises(UnreadableFile) as caught:
        open_source(make())
    assert "nobody may see this" not in str(caught.value)


async def test_a_file_of_the_caller_stays_open(tmp_path: Path, uploads: Uploads) -> None:
    (tmp_path / "crew.csv").write_bytes(CSV)
    with (tmp_path / "crew.csv").open("rb") as stream, io.BytesIO(CSV) as memory, _spooled() as spooled:
        async with uploads.runner() as runner:
            for source in (stream, memory, spooled) * 2:
                await runner.call("import_accounts", {"file": source})
        assert not (stream.closed or memory.closed or spooled.closed)
    assert [CSV in body for body in uploads.bodies] == [True] * 6


async def test_what_is_opened_here_is_closed(tmp_path: Path, uploads: Uploads) -> None:
    (tmp_path / "crew.csv").write_bytes(CSV)
    (tmp_path / "bad.csv").write_bytes(b"email\nx\n")
    before = len(os.listdir("/proc/self/fd"))
    async with uploads.runner(file_rules=FileRules(limit=1_000)) as runner:
        for _ in range(10):
            for source in (tmp_path / "crew.csv", FileBelow(tmp_path, ("crew.csv",)), Reader(CSV), Reader(b"x" * 5_000_000)):
                await runner.run(operation("import_accounts"), {"file": source})
            assert not (await runner.run("import_accounts", {"file": tmp_path / "bad.csv"})).success
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_file_that_is_closed_while_it_is_sent_is_a_persona_error(tmp_path: Path) -> None:
    (tmp_path / "crew.csv").write_bytes(CSV * 100_000)

    class Closing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            stream.close()
            await request.aread()
            return httpx.Response(201, json=IMPORTER)

    with (tmp_path / "crew.csv").open("rb") as stream:
        async with Runner(api_key="k", transport=Closing(), file_rules=FileRules(check=False)) as runner:
            with pytest.raises(TransportError, match="could not be read while it was sent: ValueError") as caught:
                await runner.call("import_accounts", {"file": stream})
    assert (caught.value.took_effect, caught.value.retryable) == ("unknown", False)


# --- sizes -----------------------------------------------------------------------------------------------------------------


def _large_sources(tmp_path: Path, size: int) -> Iterator[Any]:
    large = CSV.ljust(size, b"\n")
    (tmp_path / "large.csv").write_bytes(large)
    fsspec.filesystem("memory").pipe("/large.csv", large)
    yield large
    yield {"content": large.decode()}
    yield io.BytesIO(large)
    yield Unseekable(large)
    yield Reader(large)
    yield Reader(*[b"\n"] * size)
    yield tmp_path / "large.csv"
    yield FileBelow(tmp_path, ("large.csv",))
    yield "memory://large.csv"


async def test_no_file_is_sent_that_is_larger_than_allowed(tmp_path: Path, uploads: Uploads) -> None:
    exact, rules = FileRules(limit=10_000, schemes=("memory",)), FileRules(limit=9_999, schemes=("memory",), check=False)
    async with uploads.runner(file_rules=rules) as runner:
        with contextlib.closing(tempfile.TemporaryFile()) as stream:
            stream.write(b"\n" * 10_000)
            stream.flush()
            for source in (*_large_sources(tmp_path, 10_000), stream):
                with pytest.raises(InputError, match="over 9999 bytes"):
                    await runner.call("import_accounts", {"file": source})
    assert uploads.bodies == []
    async with uploads.runner(file_rules=exact) as runner:
        for source in _large_sources(tmp_path, 10_000):
            if not isinstance(source, Reader):
                await runner.call("import_accounts", {"file": source})
    assert len(uploads.bodies) == 7


def test_a_name_of_a_device_is_none_of_an_upload(tmp_path: Path) -> None:
    (tmp_path / "CON.csv").write_bytes(CSV)
    for source in ({"name": "con.csv", "content": CSV}, tmp_path / "CON.csv"):
        opened = open_source(source)
        opened.close()
        assert opened.name.lower() == "file-con.csv"
