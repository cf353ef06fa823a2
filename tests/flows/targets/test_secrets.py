"""Secrets by name: where they are found, what is refused, and that they show nowhere."""

from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from persona_block.credentials import ApiKey, Secret
from persona_block.errors import InputError
from persona_block.flows.targets.secrets import SIZE_LIMIT, check_secret_name, configured, named_secret

VALUE = "planted: pass word/ünïcode"


def test_a_secret_is_found_in_the_environment_and_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOT", f" {VALUE}\n")
    file = tmp_path / "a file"
    file.write_text(f"{VALUE}\r\n", "utf-8")
    link = tmp_path / "link"
    link.symlink_to(file)
    for name in ("env:BOT", f"file:{file}", f"file://{file}", f"file:{link}"):
        assert named_secret(name).reveal() == VALUE
    monkeypatch.chdir(tmp_path)
    assert named_secret("file:link").reveal() == VALUE


def test_a_secret_is_looked_up_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT", "before")
    assert named_secret("env:BOT") == Secret("before")
    monkeypatch.setenv("BOT", "after")
    assert named_secret("env:BOT") == Secret("after")


@pytest.mark.parametrize(
    "name", [VALUE, "env:", "env:A B", "env:A=1", "file:", "BOT", "", None, "ENV:BOT", "file:/a\x00b", "xoxb-planted"]
)
def test_what_is_no_name_is_refused_and_not_repeated(name: object) -> None:
    with pytest.raises(InputError) as caught:
        check_secret_name(name, "token")
    assert "token: must be the name of a secret, env:NAME or file:/path" in str(caught.value)
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"two\nlines", "line break"),
        (b"\xff\xfe", "UTF-8"),
        (b"x" * (SIZE_LIMIT + 1), "bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_by_its_name(content: bytes | None, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=fault) as caught:
        named_secret(f"file:{file}", "token")
    assert "token: " in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_folder_and_a_missing_variable_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="is a folder"):
        named_secret(f"file:{tmp_path}")
    monkeypatch.delenv("MISSING", raising=False)
    with pytest.raises(InputError, match="set the environment variable MISSING"):
        named_secret("env:MISSING")


def test_a_setting_holds_a_secret_or_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(VALUE, "utf-8")
    monkeypatch.setenv("ELSEWHERE", VALUE)
    for setting in (VALUE, "env:ELSEWHERE", f"file:{tmp_path}/token"):
        monkeypatch.setenv("SETTING", setting)
        found = configured("SETTING")
        assert found is not None
        assert found.reveal() == VALUE
    monkeypatch.setenv("SETTING", " ")
    assert configured("SETTING") is None
    monkeypatch.setenv("SETTING", "file:/nowhere/at-all")
    with pytest.raises(InputError, match="SETTING: file:/nowhere/at-all cannot be read"):
        configured("SETTING")


def test_a_secret_shows_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret(VALUE)
    assert VALUE not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    assert secret != ApiKey(VALUE)
    monkeypatch.setenv("SETTING", f"{VALUE}\nsecond line")
    with pytest.raises(InputError) as caught:
        configured("SETTING")
    taken = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in taken.stack if "persona_block" in frame.filename and "tests" not in frame.filename]
    assert ours
    assert not any("planted" in value for frame in ours for value in (frame.locals or {}).values())
