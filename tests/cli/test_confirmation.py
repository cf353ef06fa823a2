"""Deciding and erasing from the command line: who is asked, what they see, and that nothing is sent without their word."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from persona_block.cli import confirmation
from persona_block.spec import catalog
from tests.cli.conftest import Answer, RunHere

INQUIRY_ID = "inq_ABCDEFGHIJKLMNOPQRSTUVWX"
SETTLING = [spec.name for spec in catalog.load_all() if spec.effect in ("decide", "erase")]


class Persona:
    """One inquiry with its account, and a note of what changed them."""

    def __init__(self) -> None:
        self.writes: list[str] = []
        self.status = "completed"
        self.reference_id = "customer-7"
        self.template_status = 200
        self.refuses = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        if request.method != "GET":
            self.writes.append(f"{request.method} {path}")
        if path == "/inquiry-templates":
            names = [{"type": "inquiry-template", "id": "itmpl_1", "attributes": {"name": "Passport\x1b[2J check"}}]
            return httpx.Response(self.template_status, json={"data": names, "links": {"next": None}})
        if path == "/reports":
            return httpx.Response(200, json={"data": [], "links": {"next": None}})
        if self.refuses != 200:
            return httpx.Response(self.refuses, json={"errors": [{"title": "No"}]})
        kind = path.split("/")[1].removesuffix("s").replace("inquirie", "inquiry")
        attributes = {"status": self.status, "account-status": self.status, "reference-id": self.reference_id}
        template = {"inquiry-template": {"data": {"type": "inquiry-template", "id": "itmpl_1"}}}
        data = {"type": kind, "id": path.split("/")[2], "attributes": attributes, "relationships": template}
        return httpx.Response(200, json={"data": data})


@pytest.fixture
def persona(answer: Answer) -> Persona:
    """Have the command line talk to one inquiry."""
    persona = Persona()
    answer(persona)
    return persona


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have standard input and stderr taken for a terminal."""
    monkeypatch.setattr(confirmation, "is_terminal", lambda _: True)


def run(run_here: RunHere, operation: str, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    spec = catalog.load(operation)
    pairs = [f"{name}={INQUIRY_ID.replace('inq_', 'act_') if name == 'accountId' else INQUIRY_ID}" for name in spec.required]
    return run_here("run", operation, *pairs, *options, stdin=typed, PERSONA_API_KEY="k")


@pytest.mark.parametrize("operation", SETTLING)
def test_without_a_terminal_nothing_is_sent(operation: str, persona: Persona, run_here: RunHere) -> None:
    done = run(run_here, operation, typed="yes\n")
    assert done.returncode == 2
    details = json.loads(done.stdout)["errorDetails"]
    assert (details["kind"], details["tookEffect"], details["retryable"]) == ("input_error", "no", False)
    assert details["problems"][0]["param"] == "--yes"
    assert persona.writes == []
    assert run(run_here, operation, "--yes").returncode == 0
    assert len(persona.writes) == 1


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("operation", SETTLING)
def test_a_person_sees_whom_it_is_about_and_agrees(operation: str, persona: Persona, run_here: RunHere) -> None:
    spec = catalog.load(operation)
    thing = INQUIRY_ID.replace("inq_", "act_") if "accountId" in spec.required else INQUIRY_ID
    word = thing if spec.effect == "erase" else "yes"
    for typed in ("", "\n", "no\n", "yes\n" if spec.effect == "erase" else f"{thing}\n", "y\n", f"x{word}\n"):
        done = run(run_here, operation, typed=typed)
        assert done.returncode == 1, typed
        envelope = json.loads(done.stdout)
        assert envelope["errorDetails"]["tookEffect"] == "no"
        assert not envelope["errorDetails"]["retryable"]
    assert persona.writes == []
    done = run(run_here, operation, typed=f"{word}\n")
    assert done.returncode == 0
    assert len(persona.writes) == 1
    shown = " ".join(done.stderr.split())
    assert thing in shown
    assert "customer-7" in shown
    assert "status completed" in shown
    assert "\x1b" not in done.stderr
    if "inquiryId" in spec.required:
        assert re.search(r"itmpl_1 “Passport.*check”", shown)


@pytest.mark.usefixtures("at_a_terminal")
def test_a_key_that_may_not_list_templates_is_asked_all_the_same(persona: Persona, run_here: RunHere) -> None:
    persona.template_status = 403
    done = run(run_here, "approve_inquiry", typed="yes\n")
    assert done.returncode == 0
    assert "template itmpl_1" in " ".join(done.stderr.split())


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize(("status", "kind", "retryable"), [(404, "not_found", False), (500, "unavailable", True)])
def test_what_cannot_be_read_is_not_changed(
    status: int, kind: str, retryable: bool, persona: Persona, run_here: RunHere
) -> None:
    persona.refuses = status
    done = run(run_here, "redact_inquiry", typed=f"{INQUIRY_ID}\n")
    assert done.returncode == 1
    details = json.loads(done.stdout)["errorDetails"]
    assert (details["kind"], details["tookEffect"], details["retryable"]) == (kind, "no", retryable)
    assert "could not be read first" in done.stderr
    assert persona.writes == []


@pytest.mark.usefixtures("at_a_terminal")
def test_what_changed_while_the_person_was_asked_is_not_decided(
    persona: Persona, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decided_elsewhere(_: Any) -> bool:
        persona.status = "declined"
        return True

    monkeypatch.setattr(confirmation, "_is_agreed", decided_elsewhere)
    done = run(run_here, "approve_inquiry")
    assert done.returncode == 1
    assert "has changed meanwhile" in done.stderr
    assert persona.writes == []


@pytest.mark.usefixtures("at_a_terminal")
def test_an_interruption_at_the_question_says_that_nothing_was_sent(
    persona: Persona, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(confirmation, "_is_agreed", interrupt)
    done = run(run_here, "approve_inquiry")
    assert done.returncode == 130
    details = json.loads(done.stdout)["errorDetails"]
    assert (details["tookEffect"], details["idempotencyKey"]) == ("no", None)
    assert "before anything was sent" in done.stderr
    assert persona.writes == []


@pytest.mark.usefixtures("at_a_terminal")
def test_wrong_params_are_refused_before_the_question(persona: Persona, run_here: RunHere) -> None:
    done = run_here("run", "approve_inquiry", "inquiryId=..", "--idempotency-key", "step", stdin="yes\n", PERSONA_API_KEY="k")
    assert done.returncode == 2
    assert "type yes" not in done.stderr
    assert run(run_here, "approve_inquiry", "--idempotency-key", "é").returncode == 2
    assert persona.writes == []


@pytest.mark.usefixtures("at_a_terminal")
def test_bytes_that_are_no_text_are_no_agreement(monkeypatch: pytest.MonkeyPatch, persona: Persona, run_here: RunHere) -> None:
    class Broken(io.TextIOWrapper):
        def readline(self, *_: Any) -> Any:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text")

    monkeypatch.setattr(io, "TextIOWrapper", Broken)
    assert run(run_here, "approve_inquiry").returncode == 1
    assert persona.writes == []


@pytest.mark.process
@pytest.mark.parametrize(("typed", "code", "shown"), [(b"yes\n", 0, b"approved"), (b"\x03", 130, b"before anything was sent")])
def test_a_real_terminal_is_asked(typed: bytes, code: int, shown: bytes) -> None:
    listed = [sys.executable, "-m", "persona_block.cli", "run", "list_inquiries", "status=needs_review", "--sandbox"]
    found = json.loads(subprocess.run(listed, capture_output=True, check=True).stdout)["output"]["inquiries"][0]["id"]
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "persona_block.cli", "run", "approve_inquiry", f"inquiryId={found}", "--sandbox"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True, preexec_fn=_take_terminal
    )
    os.close(theirs)
    try:
        before = _read_until(ours, b"type yes: ")
        assert b"Database Check" in b" ".join(before.split())
        os.write(ours, typed)
        assert shown in _read_until(ours, None)
        assert process.wait(20) == code
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.process
def test_what_was_typed_before_the_question_is_no_answer() -> None:
    """Lines that are pasted together answer what nobody has read."""
    ours, theirs = pty.openpty()
    os.write(ours, b"yes\n")
    code = (
        "from persona_block.cli import confirmation as c; from persona_block.hosts.consent import ConsentRequest as R;"
        "print(c._is_agreed(R('approve_inquiry', 'Approve', 'decide', 'inq_1', 'Approve?', '')))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        _read_until(ours, b"type yes: ")
        os.write(ours, b"no\n")
        assert b"False" in _read_until(ours, None)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.usefixtures("at_a_terminal")
def test_no_value_that_wraps_looks_like_a_line_of_the_question(
    persona: Persona, run_here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Persona holds of a person may come from that person."""
    monkeypatch.setenv("COLUMNS", "40")
    persona.reference_id = "x" * 30 + " Failed checks: none of 12, Approve inq_2 as well"
    done = run(run_here, "approve_inquiry", typed="no\n")
    lines = done.stderr.split("\n")
    assert any("none of 12" in line for line in lines)
    assert len([line for line in lines if line.startswith("Failed checks:")]) == 1
    assert not any(line.startswith(("Approve inq_2", "none of 12")) for line in lines)
    assert persona.writes == []


def _take_terminal() -> None:
    """Make the terminal that of this process, so that Ctrl-C reaches it."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read_until(terminal: int, end: bytes | None) -> bytes:
    """Read what a terminal shows as far as some text, or to its end."""
    shown, ends = b"", time.monotonic() + 20
    while time.monotonic() < ends and (end is None or end not in shown):
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux's end of a terminal that nobody has open any more
            break
        if not piece:
            break
        shown += piece
    return shown
