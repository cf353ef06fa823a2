"""Targets as text: which adapter takes which, contacts by name, and that no answer of Persona becomes a target."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from persona_block.errors import InputError
from persona_block.flows import ports
from persona_block.flows.ports import Message, Reply, form_of, refuse_computed, resolve
from persona_block.flows.targets.contacts import ContactNotifier
from persona_block.flows.targets.delivery import check_dedupe_id

BOOK = {"account-service": "console:", "+15555550142": "console:", "Jane Doe": "console:", "loop": "account-service", "odd": 7}


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "contacts.json"
    path.write_text(json.dumps(BOOK))
    monkeypatch.setenv("PERSONA_FLOWS_CONTACTS", str(path))
    return path


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("name", ["account-service", "+15555550142", "Jane Doe"])
async def test_a_contact_is_reached_at_its_target(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(resolve(name), ContactNotifier)
    await resolve(name).send(name, Message("Hello"), "d1")
    assert capsys.readouterr().out == "> Hello\n"


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(
    ("name", "fault"), [("unknown", "no name in the file"), ("loop", "another contact"), ("odd", "no name")]
)
async def test_a_contact_that_leads_nowhere_is_told(name: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        await resolve(name).send(name, Message("Hello"), "d1")


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff"])
async def test_a_file_that_holds_no_contacts_is_told(book: Path, content: bytes | None) -> None:
    book.unlink() if content is None else book.write_bytes(content)
    with pytest.raises(InputError, match="PERSONA_FLOWS_CONTACTS"):
        await resolve("account-service").send("account-service", Message("Hello"), "d1")


async def test_without_a_file_there_are_no_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONA_FLOWS_CONTACTS", raising=False)
    with pytest.raises(InputError, match="names no file"):
        await resolve("account-service").send("account-service", Message("Hello"), "d1")


@pytest.mark.parametrize(
    ("target", "form"),
    [
        ("#reviews", "slack"),
        ("@alex", "slack"),
        ("@alex@example.com", "slack"),
        ("jane@example.com", "mail"),
        ("https://hooks.example/x", "https"),
        ("http://127.0.0.1/x", "https"),
        ("console:", "console"),
        ("customer-1042", "contact"),
        ("sms:+15555550142", "sms"),
    ],
)
def test_a_target_has_one_form(target: str, form: str) -> None:
    assert form_of(target) == form


@pytest.mark.parametrize(
    "target", ["#reviews", "@alex", "eve@evil.example", "https://evil.example/", "console:", "sms:+1555", "", "a/b", "x\n"]
)
def test_what_persona_answered_becomes_no_target(target: str) -> None:
    with pytest.raises(InputError):
        refuse_computed(target)
    refuse_computed("customer-1042")


class Pigeon:
    """An adapter of another package."""

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        return Reply(f"{target} {message.text} {dedupe_id}")


async def test_another_package_adds_an_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("pigeon", f"{__name__}:Pigeon", ports.ENTRY_POINTS)
    monkeypatch.setattr(ports, "entry_points", lambda **wanted: EntryPoints([entry]).select(**wanted))
    assert await resolve("pigeon:roof").send("pigeon:roof", Message("Hello"), "d1") == Reply("pigeon:roof Hello d1")
    with pytest.raises(InputError, match="pigeon:…"):
        resolve("raven:tower")


@pytest.mark.parametrize("dedupe_id", ["", "a b", "a\n", "é", "x" * 65, "a-b"])
def test_a_dedupe_id_can_stand_in_any_header(dedupe_id: str) -> None:
    with pytest.raises(ValueError, match="dedupe_id"):
        check_dedupe_id(dedupe_id)
