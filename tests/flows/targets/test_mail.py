"""Mail: what arrives, over which connection, what cannot be injected, and what each failure says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path

import pytest
import trustme

from persona_block.errors import DeliveryError, InputError
from persona_block.flows.ports import Content, Message, resolve
from persona_block.flows.targets.mail import MailNotifier
from tests.support.loopback import certificate_authority, write_authority
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.planted import PERSON

Serve = Callable[[MailServer], MailServer]
PDF = Content("inq_1.pdf", "application/pdf", b"%PDF-1.7 \x00\xff evidence")
ASKED = Message("Approve customer-1042?", options=("approve", "leave open"), workflow_id="flow-1", question_id="q")


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Serve]:
    """Start a mail server that the environment names and whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(write_authority(tmp_path)))
    with ExitStack() as stack:

        def start(server: MailServer) -> MailServer:
            stack.enter_context(server)
            for name, value in server.environment.items():
                monkeypatch.setenv(name, value)
            return server

        yield start


async def send(message: Message | str = "Hello", dedupe_id: str = "d1", target: str = "jane@example.com") -> None:
    await resolve(target).send(target, Message(message) if isinstance(message, str) else message, dedupe_id)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body()
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(("tls", "has_login"), [("starttls", True), ("from start", True), ("none", False)])
async def test_a_mail_arrives_with_its_text_and_its_files(serve: Serve, tls: str, has_login: bool) -> None:
    server = serve(MailServer(tls, has_login=has_login))
    await send(Message("Grüße,\n.\n\n.Ende €", attachments=(PDF, Content("data.json", "application/json", b"{}"))))
    (mail,) = server.mails
    assert text_of(mail).replace("\r\n", "\n") == "Grüße,\n.\n\n.Ende €\n"
    files = list(mail.iter_attachments())
    assert [(each.get_filename(), each.get_content_type()) for each in files] == [
        ("inq_1.pdf", "application/pdf"),
        ("data.json", "application/json"),
    ]
    assert files[0].get_content() == PDF.data
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "jane@example.com",
        "identity@example.com",
        "Identity verification",
    )
    assert not {*b"\r\n"} & {*server.raw[0].replace(b"\r\n", b"")}  # no line ends otherwise, which would end a mail early
    assert all(line.isascii() and len(line) < 998 for line in server.raw[0].split(b"\r\n"))


async def test_the_message_id_tells_a_mail_that_came_twice(serve: Serve) -> None:
    server = serve(MailServer())
    for dedupe_id in ("d1", "d1", "d2"):
        await send(dedupe_id=dedupe_id)
    ids = [mail["Message-ID"] for mail in server.mails]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@example.com>")
    assert [mail["X-Persona-Block-Dedupe-Id"] for mail in server.mails] == ["d1", "d1", "d2"]


async def test_a_question_says_how_to_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(MailServer())
    monkeypatch.setenv("PERSONA_FLOWS_URL", "https://flows.example.com/flows")
    await send(ASKED)
    text = text_of(server.mails[0])
    assert "  leave open" in text
    assert "https://flows.example.com/flows" in text
    assert "persona-block flow answer flow-1 approve" in text
    assert server.mails[0]["Subject"] == "Identity verification: your decision is needed"


@pytest.mark.parametrize(
    "target",
    [
        "jane@example.com\nBcc: eve@evil.example",
        "jane@example.com\r\nRCPT TO:<eve@evil.example>",
        "jane@example.com,eve@evil.example",
        "jane@example.com>,<eve@evil.example",
        '"a b"@example.com',
        "Jane <jane@example.com>",
        "jane@exämple.com",
        "jane@[127.0.0.1]",
        "@example.com",
        "jane@",
        "jane@-example.com",
        f"{'x' * 65}@example.com",
        "jane@example.com SMTPUTF8",
    ],
)
async def test_a_target_that_is_not_one_address_is_refused(serve: Serve, target: str) -> None:
    server = serve(MailServer())
    with pytest.raises(InputError) as caught:
        await MailNotifier().send(target, Message("Hello"), "d1")
    assert target not in str(caught.value)
    assert server.mails == []


async def test_nothing_in_a_message_becomes_a_header_or_a_command(serve: Serve) -> None:
    server = serve(MailServer())
    evil = "x\r\nBcc: eve@evil.example\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n"
    named = Content("a\r\nBcc: eve@evil.example.pdf", "application/pdf\r\nBcc: eve@evil.example", b"x")
    await send(Message(evil + "\x1b[31m \ud800", attachments=(named,)))
    (mail,) = server.mails
    assert mail["Bcc"] is None
    assert text_of(mail).replace("\r\n", "\n").startswith(evil.replace("\r\n", "\n"))
    assert "\x1b" not in text_of(mail)
    (file,) = mail.iter_attachments()
    assert (file["Bcc"], file.get_content_type()) == (None, "application/octet-stream")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PERSONA_FLOWS_MAIL_FROM", "a@example.com\nBcc: b@example.com"),
        ("PERSONA_FLOWS_MAIL_FROM", ""),
        ("PERSONA_FLOWS_MAIL_SUBJECT", "a\nBcc: b@example.com"),
        ("PERSONA_FLOWS_SMTP_URL", ""),
        ("PERSONA_FLOWS_SMTP_URL", "https://127.0.0.1"),
        ("PERSONA_FLOWS_SMTP_URL", "smtp://"),
        ("PERSONA_FLOWS_SMTP_URL", "smtp://planted@127.0.0.1"),
        ("PERSONA_FLOWS_SMTP_URL", "smtp://a:planted@127.0.0.1:x"),
        ("PERSONA_FLOWS_SMTP_URL", "smtp://a:planted@127.0.0.1/path"),
        ("PERSONA_FLOWS_SMTP_URL", "smtp://a:planted@mail.example?tls=off"),
        ("PERSONA_FLOWS_SMTP_URL", "smtps://a:planted@127.0.0.1?tls=off"),
    ],
)
async def test_a_setting_that_can_never_work_is_named(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    server = serve(MailServer())
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=variable) as caught:
        await send()
    assert "planted" not in str(caught.value)
    assert server.mails == []


async def test_the_server_may_be_named_in_a_file(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = serve(MailServer())
    (tmp_path / "smtp").write_text(server.url)
    monkeypatch.setenv("PERSONA_FLOWS_SMTP_URL", f"file:{tmp_path}/smtp")
    await send()
    assert len(server.mails) == 1


# --- failures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "reply", "took_effect", "is_retryable"),
    [
        ("RCPT", "550 no such user", "no", False),
        ("RCPT", "450 greylisted", "no", True),
        ("DATA", "554 spam", "no", False),
        ("DATA", "452 no room", "no", True),
        ("DATA", "lost", "unknown", False),
    ],
)
async def test_a_refusal_says_what_came_of_it(
    serve: Serve, command: str, reply: str, took_effect: str, is_retryable: bool
) -> None:
    server = serve(MailServer(replies={command: [reply]}))
    with pytest.raises(DeliveryError) as caught:
        await send(f"{PERSON} waits")
    assert (caught.value.took_effect, caught.value.retryable) == (took_effect, is_retryable)
    assert len(server.mails) == (reply == "lost")
    assert not any(each in str(caught.value) for each in (PERSON, "jane@example.com", PASSWORD, USER))


async def test_a_wrong_password_sends_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(MailServer())
    monkeypatch.setenv("PERSONA_FLOWS_SMTP_URL", server.url.replace("planted", "planted-wrong"))
    with pytest.raises(DeliveryError) as caught:
        await send()
    assert (caught.value.took_effect, caught.value.retryable) == ("no", False)
    assert "planted-wrong" not in str(caught.value)
    assert server.mails == []


@pytest.mark.parametrize("tls", ["starttls", "from start"])
@pytest.mark.parametrize("fault", ["another authority", "another name"])
async def test_a_server_that_cannot_show_who_it_is_gets_nothing(serve: Serve, tls: str, fault: str) -> None:
    authority = trustme.CA() if fault == "another authority" else certificate_authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1" if fault == "another authority" else "mail.example").configure_cert(context)
    server = serve(MailServer(tls, context=context))
    with pytest.raises(DeliveryError, match="certificate") as caught:
        await send()
    assert (caught.value.took_effect, caught.value.retryable) == ("no", False)
    assert server.mails == []


async def test_nothing_is_sent_in_clear_beyond_this_machine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(MailServer("none", has_login=False))
    monkeypatch.setattr("persona_block.flows.targets.mail.is_loopback", lambda _host: False)
    with pytest.raises(InputError, match="STARTTLS"):
        await send()
    assert server.mails == []


async def test_a_closed_port_means_that_nothing_was_sent(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(MailServer())
    monkeypatch.setenv("PERSONA_FLOWS_SMTP_URL", "smtp://127.0.0.1:9")
    with pytest.raises(DeliveryError) as caught:
        await send()
    assert (caught.value.took_effect, caught.value.retryable) == ("no", True)


async def test_attachments_over_the_limit_are_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(MailServer())
    monkeypatch.setattr("persona_block.flows.targets.mail.ATTACHMENTS_LIMIT", 30)
    with pytest.raises(InputError, match="attachments"):
        await send(Message("Records", attachments=(PDF, PDF)))
    assert server.mails == []
