"""Any text and any name: what was meant arrives, and nothing of it steers Slack, mail or a file system."""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_block.errors import InputError
from persona_block.flows.ports import Content, Message, form_of, refuse_computed
from persona_block.flows.targets.delivery import readable
from persona_block.flows.targets.mail import wire_form
from persona_block.flows.targets.slack_message import escaped, slack_text
from persona_block.flows.targets.storage import stored_name

TEXTS = st.text(st.characters(codec=None) | st.sampled_from("<>&|@#!*_~`:/\\\r\n\x1b\u202e\ud800"), max_size=300)
LINKS = st.sampled_from(
    ["https://withpersona.com/verify?code=a", "https://evil.example", "<!here>", "https://withpersona.com@b"]
)
MESSAGES = st.lists(TEXTS | LINKS, max_size=5).map(" ".join)


@given(MESSAGES)
def test_slack_shows_the_text_and_links_to_persona_alone(text: str) -> None:
    shown = slack_text(Message(text), "d1")
    elements = [each for block in shown.blocks for section in block["elements"] for each in section["elements"]]
    assert "".join(each.get("text") or each["url"] for each in elements).strip() == readable(text).strip()
    assert {each["type"] for each in elements} <= {"text", "link"}
    for each in elements:
        assert each["type"] == "text" or each["url"].startswith(("https://withpersona.com/", "https://withpersona.com?"))
    assert not {"<", ">"} & set(shown.text)
    json.dumps(shown.blocks, ensure_ascii=False).encode()


@given(TEXTS)
def test_escaping_can_be_undone(text: str) -> None:
    assert escaped(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(MESSAGES.filter(str.strip), st.text(max_size=80), st.text(max_size=40), st.binary(max_size=200))
def test_a_mail_holds_the_text_and_the_file_and_no_other_header(text: str, name: str, media_type: str, data: bytes) -> None:
    wire = wire_form("jane@example.com", "identity@example.com", Message(text, (Content(name, media_type, data),)), "d1")
    assert wire.isascii()
    assert not {*b"\r\n"} & {*wire.replace(b"\r\n", b"")}
    mail = message_from_bytes(wire, policy=default)
    body = mail.get_body()
    assert body is not None
    assert str(body.get_content()).replace("\r\n", "\n").rstrip("\n") == readable(text).rstrip("\n")
    assert set(mail.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "X-Persona-Block-Dedupe-Id", "Auto-Submitted"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
    (file,) = mail.iter_attachments()
    assert file.get_payload(decode=True) == data
    assert set(file.keys()) <= {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "MIME-Version"}


@given(st.text(max_size=300), st.from_regex(r"[A-Za-z0-9]{1,64}", fullmatch=True))
def test_a_stored_name_is_one_plain_segment(name: str, dedupe_id: str) -> None:
    stored = stored_name(name, dedupe_id)
    assert stored.isascii()
    assert len(stored) < 130
    assert not set(stored) & set("/\\:\x00 ")
    assert not stored.startswith(".")


@given(st.text(max_size=60) | st.sampled_from(["@a", "#a", "a@b", "x:y"]))
def test_a_computed_target_is_a_contact_or_refused(target: str) -> None:
    try:
        form = form_of(target)
    except InputError:
        form = ""
    if form == "contact":
        refuse_computed(target)
        assert not set(target) & set("@#:/\\\n\r")
    else:
        with pytest.raises(InputError):
            refuse_computed(target)
