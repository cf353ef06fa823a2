"""Storage: one file a step, whole or not at all, with its content type, and no place where it should not be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from persona_block.errors import DeliveryError, InputError
from persona_block.flows.ports import Content, built_in_store
from persona_block.flows.targets.storage import stored_name
from tests.support.bucket import Bucket
from tests.support.planted import PERSON

PDF = Content("inq_1.pdf", "application/pdf", b"%PDF-1.7 evidence")
RECORD = Content("record.json", "application/json", f'{{"name": "{PERSON}"}}'.encode())


@pytest.fixture(scope="module")
def serving_bucket() -> Iterator[Bucket]:
    with Bucket() as serving:
        yield serving


@pytest.fixture
def bucket(serving_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in serving_bucket.environment.items():
        monkeypatch.setenv(name, value)
    serving_bucket.clear()
    return serving_bucket


async def put(url: str | Path, content: Content = PDF, dedupe_id: str = "d1") -> str:
    return (await built_in_store().put(content, str(url), dedupe_id)).url


@pytest.mark.parametrize("dedupe_id", ["d1", "D2"])
def test_a_name_is_the_contents_own_and_that_of_its_step(dedupe_id: str) -> None:
    name = stored_name("../a b/Jane's record.tar.pdf", dedupe_id)
    assert name.startswith("Jane-s-record.tar-")
    assert name.endswith(".pdf")
    assert name != stored_name("../a b/Jane's record.tar.pdf", "another")
    assert stored_name("x" * 500, dedupe_id) == stored_name("x" * 500, dedupe_id)
    assert len(stored_name("x" * 500, dedupe_id)) < 130


async def test_a_folder_of_this_machine_gets_each_steps_file_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "archive"
    photo = tmp_path / "front.jpg"
    photo.write_bytes(b"jpeg" * 100_000)
    urls = [await put(folder, dedupe_id=each) for each in ("d1", "d1", "d2")]
    urls.append(await put(folder.as_uri(), Content("front.jpg", "image/jpeg", photo), "d3"))
    assert urls[0] == urls[1]
    assert sorted(path.as_uri() for path in folder.iterdir()) == sorted(set(urls))
    assert (folder / stored_name("front.jpg", "d3")).read_bytes() == b"jpeg" * 100_000
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


async def test_a_second_attempt_overwrites_the_first_and_clears_up_after_it(tmp_path: Path) -> None:
    name = stored_name(PDF.name, "d1")
    (tmp_path / name).write_bytes(b"half")
    (tmp_path / f".{name}.killed.part").write_bytes(b"half")
    (tmp_path / f".{stored_name(PDF.name, 'd2')}.alive.part").write_bytes(b"another step's")
    await put(tmp_path)
    assert (tmp_path / name).read_bytes() == PDF.data
    assert len(list(tmp_path.iterdir())) == 2


async def test_many_writers_of_one_step_leave_one_whole_file(tmp_path: Path) -> None:
    big = Content("big.bin", "application/octet-stream", b"x" * 3_000_000)
    await asyncio.gather(*(put(tmp_path, big) for _ in range(6)), return_exceptions=True)
    await put(tmp_path, big)
    (path,) = tmp_path.iterdir()
    assert path.read_bytes() == big.data


async def test_a_link_in_the_files_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / stored_name(PDF.name, "d1")).symlink_to(outside)
    await put(folder)
    assert outside.read_text() == "mine"


async def test_a_folder_that_does_not_take_a_file_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DeliveryError) as caught:
        await put(tmp_path / "file" / "archive")
    assert (caught.value.took_effect, caught.value.retryable) == ("no", False)
    gone = Content("gone.pdf", "application/pdf", tmp_path / "gone.pdf")
    for url in (str(tmp_path / "archive"), "memory://gone"):
        with pytest.raises(DeliveryError) as caught:
            await put(url, gone)
        assert caught.value.took_effect == "no"
    assert list((tmp_path / "archive").iterdir()) == []


@pytest.mark.slow
async def test_a_bucket_gets_each_steps_object_once_with_its_type(
    bucket: Bucket, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    photo = tmp_path / "front"
    photo.write_bytes(b"jpeg" * 2_000_000)
    urls = [
        await put(f"{bucket.url}/2026/", each, dedupe_id) for each, dedupe_id in ((PDF, "d1"), (PDF, "d1"), (RECORD, "d2"))
    ]
    urls.append(await put(bucket.url, Content("front.jpg", "image/jpeg", photo), "d3"))
    assert PERSON not in caplog.text
    assert urls[0] == urls[1] == f"s3://evidence/2026/{stored_name('inq_1.pdf', 'd1')}"
    assert bucket.objects() == {
        urls[0].removeprefix("s3://evidence/"): ("application/pdf", PDF.data),
        urls[2].removeprefix("s3://evidence/"): ("application/json", RECORD.data),
        urls[3].removeprefix("s3://evidence/"): ("image/jpeg", photo.read_bytes()),
    }


@pytest.mark.slow
@pytest.mark.usefixtures("bucket")
async def test_a_bucket_that_is_not_there_keeps_nothing() -> None:
    with pytest.raises(DeliveryError) as caught:
        await put("s3://missing/2026")
    assert (caught.value.took_effect, caught.value.retryable) == ("no", False)
    assert "missing" not in str(caught.value)


async def test_storage_that_is_down_may_be_tried_again_under_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionResetError(f"{PERSON} in a URL")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "put_file", fail)
    with pytest.raises(DeliveryError) as caught:
        await put("memory://archive")
    assert (caught.value.took_effect, caught.value.retryable, caught.value.idempotency_key) == ("unknown", True, "d1")
    assert PERSON not in str(caught.value)


async def test_storage_where_files_grow_gets_them_by_renaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    local = fsspec.get_filesystem_class("file")
    put_file = local.put_file

    def watched(self: object, source: str, target: str, **options: object) -> None:
        seen.append(target.rpartition("/")[2])
        put_file(self, source, target, **options)

    monkeypatch.setattr(local, "put_file", watched)
    # The file system of a folder below another one stands for any whose files grow, such as SFTP's.
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda _url: (fsspec.filesystem("file"), str(tmp_path / "remote")))
    for _ in range(2):
        await put("sftp://host/remote")
    name = stored_name(PDF.name, "d1")
    assert seen == [f".{name}.part"] * 2
    assert [path.name for path in (tmp_path / "remote").iterdir()] == [name]


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "/tmp/a\x00b",
        "/tmp/a\nb",
        "/tmp/../etc",
        "s3://bucket/../other",
        "s3://bucket/a\\..\\b",
        "https://files.example/upload",
        "http://169.254.169.254/latest",
        "simplecache::s3://bucket/x",
        "zip://a.zip",
        "zip://x::file:///etc/passwd",
        "sftp://user:planted@host/x",
        "data:text/plain,x::y",
        "nosuchscheme://bucket/x",
        "1s3://bucket/x",
        "s3_://bucket/x",
    ],
)
async def test_a_place_that_is_none_is_refused_and_not_repeated(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Taken for a folder, it would be one of the working directory.
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        await put(url)
    assert "planted" not in str(caught.value)
    assert "store: nothing was sent. to: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["/var/archive", "archive", "file:///var/archive", "local:///var/archive", "FILE:///x"])
async def test_a_folder_of_one_machine_is_refused_where_several_work(url: str) -> None:
    with pytest.raises(InputError, match="several workers"):
        await built_in_store(shared=True).put(PDF, url, "d1")
    assert (await built_in_store(shared=True).put(PDF, "memory://shared", "d1")).url.startswith("memory://shared/")
