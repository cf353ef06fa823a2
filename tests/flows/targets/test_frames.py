"""Whatever goes wrong, no frame of ours holds a secret, so that a traceback with its locals shows none."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import persona_block
from persona_block.errors import PersonaError
from persona_block.flows.ports import Content, Message, resolve
from persona_block.flows.targets import slack
from persona_block.flows.targets.secrets import SIZE_LIMIT, named_secret
from tests.support.loopback import LOST, Answered, LoopbackServer
from tests.support.mail_server import PASSWORD, MailServer
from tests.support.slack_server import TOKEN, SlackServer

PACKAGE = str(Path(persona_block.__file__).parent)
SECRET = "planted-shared-secret"
HOOK = "planted-hook-of-the-channel"
SECRETS = (TOKEN, SECRET, HOOK, PASSWORD, PASSWORD.replace("/", "%2F").replace(":", "%3A"))
FILE = Content("a.pdf", "application/pdf", b"x")


def frames_with(error: BaseException, secrets: tuple[str, ...]) -> list[str]:
    """Return every frame of the package that shows a secret, in a traceback with its locals and in those that led to it."""
    seen: list[str] = []
    pending = [traceback.TracebackException.from_exception(error, capture_locals=True)]
    while pending:
        part = pending.pop()
        ours = [frame for frame in part.stack if frame.filename.startswith(PACKAGE)]
        seen += [
            f"{each.name}: {name}" for each in ours for name, value in (each.locals or {}).items() if _shows(value, secrets)
        ]
        pending += [each for each in (part.__cause__, part.__context__) if each is not None]
    return seen


def _shows(value: Any, secrets: tuple[str, ...]) -> bool:
    return any(secret in str(value) for secret in secrets)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Servers that refuse everything, with all the settings that lead there."""
    with (
        SlackServer() as chat,
        MailServer("none", replies={"RCPT": ["550 no"] * 2}) as mail,
        LoopbackServer(lambda _: LOST) as other,
    ):
        chat.faults = {name: [LOST] * 3 for name in ("chat.postMessage", "users.list", f"/hooks/{HOOK}")}
        chat.faults["/upload/F000000000"] = [Answered(500)]
        settings = {
            **chat.environment,
            **mail.environment,
            "PERSONA_FLOWS_HTTPS_SECRET": SECRET,
            "PERSONA_FLOWS_SLACK_WEBHOOK_REVIEWS": f"{chat.url}/hooks/{HOOK}",
            "RECEIVER": other.url,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        slack.forget_members()
        yield


CASES: dict[str, tuple[str, dict[str, str | None]]] = {
    "a lost post": ("#reviews", {}),
    "a lost look": ("@alex", {}),
    "a lost webhook": ("#reviews", {"PERSONA_FLOWS_SLACK_TOKEN": None}),
    "a webhook that is no URL": (
        "#reviews",
        {"PERSONA_FLOWS_SLACK_TOKEN": None, "PERSONA_FLOWS_SLACK_WEBHOOK_REVIEWS": f"ftp://x/{HOOK}"},
    ),
    "a broken token": ("#reviews", {"PERSONA_FLOWS_SLACK_TOKEN": f"{TOKEN}\n{TOKEN}"}),
    "a refused recipient": ("jane@example.com", {}),
    "a server that is no URL": ("jane@example.com", {"PERSONA_FLOWS_SMTP_URL": f"smtp://a:{PASSWORD}@x:port"}),
    "a server of another kind": ("jane@example.com", {"PERSONA_FLOWS_SMTP_URL": "https://a:planted%2Fsmtp%3Apassword@x"}),
    "a lost request": ("{RECEIVER}", {}),
    "a broken secret": ("{RECEIVER}", {"PERSONA_FLOWS_HTTPS_SECRET": f"{SECRET}\x00"}),
}


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize(("target", "settings"), list(CASES.values()), ids=list(CASES))
async def test_no_frame_of_ours_holds_a_secret(
    target: str, settings: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        if value is None:
            monkeypatch.delenv(name)
        elif "\x00" in value:
            monkeypatch.setattr(os, "environ", {**os.environ, name: value})
        else:
            monkeypatch.setenv(name, value)
    target = target.format(RECEIVER=os.environ["RECEIVER"])
    for files in ((), (FILE,)):
        with pytest.raises(PersonaError) as caught:
            await resolve(target).send(target, Message("Hello", files), "d1")
        assert frames_with(caught.value, SECRETS) == []
        assert not _shows(caught.value, SECRETS)


@pytest.mark.parametrize("content", [b"planted-in-file \xff", b"planted-in-file\nline", b"planted-in-file" * SIZE_LIMIT])
def test_a_file_that_is_no_secret_shows_in_no_frame(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(PersonaError) as caught:
        named_secret(f"file:{tmp_path}/secret")
    assert frames_with(caught.value, ("planted-in-file",)) == []
