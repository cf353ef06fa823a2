"""Whatever stands in the place of a file, nothing but a PersonaError leaves a runner."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import httpx
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from persona_block import FileRules, FileStore, InputError, PersonaError, Runner

HOST = "https://files.withpersona.com"
IMPORTER = {"data": {"type": "importer/account", "id": "mprt_1"}}


def _answer(request: httpx.Request) -> httpx.Response:
    request.read()
    return httpx.Response(200, content=b"x") if request.method == "GET" else httpx.Response(201, json=IMPORTER)


def _runner(folder: str, answer: Callable[[httpx.Request], httpx.Response] = _answer) -> Runner:
    # What is read again and again and never ends is read up to the limit, and a byte at a time that may take long.
    rules = FileRules(limit=50_000, schemes=("memory", "s3x"), hosts=("127.0.0.1",))
    return Runner(api_key="k", transport=httpx.MockTransport(answer), files=FileStore(folder), file_rules=rules)


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield folder


odd_text = st.text() | st.sampled_from(
    ["\ud800", "\0", "..", ".", "", "a" * 5_000, "é" * 300, "%00", "%2e%2e", "con.csv", "\u202e"]
)
urls = st.builds("".join, st.tuples(
    st.sampled_from(["", "https", "HTTPS", "http", "ftp", "file", "memory", "s3x", "data", "x", "1"]),
    st.sampled_from(["://", ":", "::", ":///", ":/", "", ":\\\\"]),
    st.sampled_from(["", "@", ":@", "u:p@", "%"]),
    st.sampled_from(["", "files.withpersona.com", "127.0.0.1", "[::1]", "[", "]", "xn--", "xn--a", "xn--\u0378", "ß.de"]),
    st.sampled_from(["", ":", ":0", ":99999999", ":x", ":-1"]),
    st.sampled_from(["", "/", "//", "/\\"]),
    odd_text,
))  # fmt: skip
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | odd_text | st.binary() | urls | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["url", "path", "content", "name", "filename"]) | odd_text, inner, max_size=4)
    ),
    max_leaves=6,
)


class FileLike:
    """An object that is a file in as far as its attributes say so."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def _raises(error: BaseException) -> Callable[..., Any]:
    def method(*_: object) -> Any:
        raise error

    return method


methods = st.builds(lambda value: lambda *_: value, anything) | st.builds(
    _raises, st.sampled_from([OSError(), ValueError(), StopIteration()])
)
file_likes = st.builds(
    lambda attributes: FileLike(**attributes),
    st.dictionaries(
        st.sampled_from(["read", "seek", "tell", "seekable", "name", "file", "url", "fileno"]), methods | anything
    ),
)


@given(anything | file_likes | st.builds(lambda inner: {"content": inner}, file_likes))
async def test_an_import_of_anything_is_an_envelope(folder: str, source: Any) -> None:
    async with _runner(folder) as runner:
        result = await runner.run("import_accounts", {"file": source})
        try:
            await runner.call("import_accounts", {"file": source})
        except PersonaError as error:
            assert not result.success
            str(error).encode()


@given(anything | urls | st.builds(lambda url, filename: {"url": url, "filename": filename}, urls | anything, anything))
async def test_a_download_of_anything_is_a_file_or_an_error(folder: str, file: Any) -> None:
    async with _runner(folder) as runner:
        try:
            stored = await runner.download(file)
        except PersonaError as error:
            str(error).encode()
        else:
            assert Path(stored.path or "").parent == Path(folder).resolve()
            Path(stored.path or "").unlink()
    assert list(Path(folder).iterdir()) == []


@given(urls)
async def test_a_redirect_to_anywhere_is_a_file_or_an_error(folder: str, url: str) -> None:
    def redirect(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers=[(b"Location", url.encode("utf-8", "surrogatepass"))])

    async with _runner(folder, redirect) as runner:
        with pytest.raises(PersonaError):
            await runner.download(f"{HOST}/a.png")
    assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize(
    "file",
    [
        None,
        7,
        b"https://files.withpersona.com/a.png",
        object(),
        [f"{HOST}/a.png"],
        {},
        {"url": None},
        {"url": b"x"},
        {"url": f"{HOST}/a.png", "filename": 7},
        {"url": f"{HOST}/a.png", "filename": ["a.png"]},
        "\ud800",
        "https://[",
        "https://\ud800/",
        f"{HOST}/\0",
        f"{HOST}:99999999/",
        f"{HOST}:0/",
        "https://xn--/a.png",
        "https://xn--a.example/a.png",
        "https://files.withpersona.com@evil.example/a.png",
        "https://user@files.withpersona.com/a.png",
        "https://:secret@files.withpersona.com/a.png",
        "https://@files.withpersona.com/a.png",
        "https://files.withpersona.com\\@evil.example/a.png",
        "https://files.withpersona.com.evil.example/a.png",
        "https://files.withpersona.com%00.evil.example/a.png",
        "//files.withpersona.com/a.png",
    ],
)
async def test_what_is_no_trusted_address_is_a_problem_of_the_file(file: Any, folder: str) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError("a request was sent")

    async with _runner(folder, refuse) as runner:
        with pytest.raises(InputError) as caught:
            await runner.download(file)
    assert [problem.param for problem in caught.value.problems] == ["file"]
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("host", ["example.com" + "x" * 5_000, "\u202eexample.com", "a\u0300.example"])
async def test_a_host_is_named_so_that_it_can_be_read(host: str, folder: str) -> None:
    async with _runner(folder) as runner:
        with pytest.raises(InputError) as caught:
            await runner.download(f"https://{host}/a.png")
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("..", "file"),
        ("../../x.png", "x.png"),
        ("\ud800.png", "png"),
        ("x" * 5_000 + ".png", "x" * 116 + ".png"),
        ("NUL.png", "file-NUL.png"),
        ("", "b.png"),
        (None, "b.png"),
    ],
)
async def test_a_download_takes_a_name_that_every_system_takes(filename: Any, name: str, tmp_path: Path) -> None:
    async with _runner(str(tmp_path)) as runner:
        stored = await runner.download({"url": f"{HOST}/b.png?access_token=x", "filename": filename})
    assert stored.name == name
    assert [path.name for path in tmp_path.iterdir()] == [name]


class FullStorage(MemoryFileSystem):  # type: ignore[misc]
    """Storage that takes no file, with an error of its own."""

    protocol = "full"

    def exists(self, *_: Any, **__: Any) -> bool:
        return False

    def put_file(self, *_: Any, **__: Any) -> None:
        raise KeyError("secret")


async def test_storage_that_takes_no_file_is_a_persona_error() -> None:
    fsspec.register_implementation("full", FullStorage, clobber=True)
    async with _runner("full://prints") as runner:
        with pytest.raises(PersonaError, match="could not be stored: the storage failed with KeyError") as caught:
            await runner.download(f"{HOST}/a.png")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("place", ["\0", "\ud800\0", "x" * 5_000, "/dev/null/x", "memory2://x"])
async def test_a_folder_that_no_system_has_is_a_persona_error(place: str) -> None:
    if "://" in place:
        with pytest.raises(ValueError, match="no storage library"):
            FileStore(place)
        return
    async with _runner(place) as runner:
        with pytest.raises(PersonaError, match="could not be stored"):
            await runner.download(f"{HOST}/a.png")
