"""Mail as a target, `name@host`, sent by SMTP over TLS.

`PERSONA_FLOWS_SMTP_URL` holds the server, or says where that is written: `smtps://user:password@host` (TLS from the start,
port 465) or `smtp://user:password@host` (STARTTLS, port 587). Plain SMTP is spoken on this machine alone, where the server
offers no STARTTLS, or where `?tls=off` ends the URL.
`PERSONA_FLOWS_MAIL_FROM` is the sender's address. A subject holds nothing personal: it stands in logs and on locked screens.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from functools import partial
from urllib.parse import unquote, urlsplit

from ...call.addresses import is_loopback
from ...credentials import Secret
from ...errors import DeliveryError
from ...files.names import safe_name
from ..ports import Message
from .delivery import check_dedupe_id, deliver_in_thread, in_doubt, not_sent, refused, text_of
from .secrets import configured

SERVER_VARIABLE = "PERSONA_FLOWS_SMTP_URL"
"""The environment variable with the URL of the SMTP server, or with the name of where it is."""
SENDER_VARIABLE = "PERSONA_FLOWS_MAIL_FROM"
"""The environment variable with the sender's address."""
SUBJECT_VARIABLE = "PERSONA_FLOWS_MAIL_SUBJECT"
"""The environment variable with another subject than "Identity verification"."""
SUBJECT = "Identity verification"
ATTACHMENTS_LIMIT = 18 * 1024 * 1024
"""Bytes of all attachments of a mail; many servers take 25 MiB, and encoded they are a third larger."""
DEDUPE_HEADER = "X-Persona-Block-Dedupe-Id"
"""The header with the dedupe id, of which the `Message-ID` is made too."""

_TIMEOUT = 30.0
"""Seconds for connecting and for each answer."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<host>{_LABEL}(?:\.{_LABEL})*)")
"""One address as RFC 5321 writes it without quoting: nothing in it can begin another header or another recipient."""
_HEADER = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
_UNKNOWN_KIND = {"maintype": "application", "subtype": "octet-stream"}
_PORTS = {"smtp": 587, "smtps": 465}
_MEDIA_TYPE = re.compile(r"(?P<main>application|audio|font|image|text|video)/(?P<sub>[A-Za-z0-9.+_-]{1,100})")


@dataclass(frozen=True, slots=True)
class _Server:
    """An SMTP server; its `repr` shows no user and no password."""

    host: str
    port: int
    is_tls_from_start: bool
    user: Secret
    password: Secret
    is_plain: bool
    """Whether no STARTTLS is tried, which is for this machine alone."""


class MailNotifier:
    """Sends a mail to one address, with files as attachments and the options of a question in its text."""

    async def send(self, target: str, message: Message, dedupe_id: str) -> None:
        """Send the mail; a question is answered on the page of flows or on the command line.

        dedupe_id: stands in the header `X-Persona-Block-Dedupe-Id`, and the `Message-ID` is made of it.

        Raises InputError for an address or a setting that can never work, and DeliveryError where sending failed.
        """
        check_dedupe_id(dedupe_id)
        await deliver_in_thread(partial(_deliver, target, message, dedupe_id))


def _deliver(target: str, message: Message, dedupe_id: str, is_over: threading.Event) -> None:
    recipient = _address(target, "to")
    sender = _address(os.environ.get(SENDER_VARIABLE, "").strip(), SENDER_VARIABLE)
    server = _server()
    mail = wire_form(recipient, sender, message, dedupe_id)
    with _connected(server, sender.rpartition("@")[2]) as connection:
        if is_over.is_set():
            raise not_sent("The step was given up.", may_help=True)
        with _told(not_sent):
            _accepted(connection.mail(sender), smtplib.SMTPSenderRefused, sender)
            _accepted(connection.rcpt(recipient), smtplib.SMTPResponseException)
        # Once the text is on its way, a lost connection leaves open whether the server has taken it.
        with _told(in_doubt):
            _accepted(connection.data(mail), smtplib.SMTPDataError)


def _address(text: str, param: str) -> str:
    match = _ADDRESS.fullmatch(text)
    if match is None or len(match["local"]) > 64 or len(text) > 254:
        raise refused(param, "must be one mail address, name@host, in ASCII (an international host as xn--…) and nothing else")
    return text


def _server() -> _Server:
    url = configured(SERVER_VARIABLE)
    if url is None:
        raise refused(SERVER_VARIABLE, "set it to smtps://user:password@host or smtp://user:password@host, to send mail")
    server = _read(url)
    if server is None:
        message = "must be smtps://user:password@host or smtp://…, perhaps with a port; write / @ : % in a password as %XX"
        raise refused(SERVER_VARIABLE, message)
    return server


def _read(url: Secret) -> _Server | None:
    """Return the server of a URL, None for another URL; nothing is raised, whose traceback would hold the password."""
    try:
        parts = urlsplit(url.reveal())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.fragment or parts.path not in ("", "/"):
        return None
    is_plain = parts.query == "tls=off" and parts.scheme == "smtp" and is_loopback(parts.hostname)
    user, password = (Secret(unquote(each) if each else None) for each in (parts.username, parts.password))
    if (parts.query and not is_plain) or user.is_absent != password.is_absent:
        return None
    return _Server(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password, is_plain)


def wire_form(recipient: str, sender: str, message: Message, dedupe_id: str) -> bytes:
    """Return the mail as it goes over the wire, in ASCII, lines ending in CRLF; raises InputError."""
    subject = os.environ.get(SUBJECT_VARIABLE, "").strip() or SUBJECT
    if not _HEADER.fullmatch(subject):
        raise refused(SUBJECT_VARIABLE, "must be one line of at most 200 characters")
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"], mail["To"] = Address(addr_spec=sender), Address(addr_spec=recipient)
    mail["Subject"] = f"{subject}: your decision is needed" if message.options else subject
    mail["Date"] = format_datetime(localtime())
    mail["Message-ID"] = f"<{hashlib.sha256(dedupe_id.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"
    mail[DEDUPE_HEADER] = dedupe_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(message))
    size = 0
    for content in message.attachments:
        try:
            with content.open() as stream:
                data = stream.read(ATTACHMENTS_LIMIT + 1 - size)
        except OSError as error:
            raise not_sent(f"An attachment cannot be read: {error.strerror}.") from None
        size += len(data)
        if size > ATTACHMENTS_LIMIT:
            raise refused("attachments", f"are over {ATTACHMENTS_LIMIT} bytes; store them, and tell where they are")
        media = _MEDIA_TYPE.fullmatch(content.media_type.partition(";")[0].strip())
        kind = {"maintype": media["main"], "subtype": media["sub"]} if media else _UNKNOWN_KIND
        mail.add_attachment(data, filename=safe_name(content.name), **kind)
    try:
        return mail.as_bytes()
    except (MessageError, UnicodeError, ValueError) as error:
        raise refused("text", f"cannot be written as a mail: {type(error).__name__}") from None


@contextlib.contextmanager
def _connected(server: _Server, own_host: str) -> Iterator[smtplib.SMTP]:
    """Connect, over TLS but on this machine, and log in; raises DeliveryError and InputError.

    own_host: the name given to the server, so that none is looked up for this machine.
    """
    context = ssl.create_default_context()
    with _told(not_sent):
        connection = (
            smtplib.SMTP_SSL(server.host, server.port, own_host, timeout=_TIMEOUT, context=context)
            if server.is_tls_from_start
            else smtplib.SMTP(server.host, server.port, own_host, timeout=_TIMEOUT)
        )
    try:
        with _told(not_sent):
            connection.ehlo_or_helo_if_needed()
            if not server.is_tls_from_start and not server.is_plain:
                if connection.has_extn("starttls"):
                    connection.starttls(context=context)
                    connection.ehlo()
                elif not is_loopback(server.host):
                    raise refused(SERVER_VARIABLE, "names a server that offers no STARTTLS, and nothing is sent in clear")
            if server.user.is_text:
                connection.login(server.user.reveal(), server.password.reveal())
        yield connection
        # The mail is sent or refused by now, whatever comes of taking leave.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.quit()
    finally:
        connection.close()


@contextlib.contextmanager
def _told(lost: Callable[[str], DeliveryError]) -> Iterator[None]:
    """Raise what SMTP says as a DeliveryError that repeats no address.

    lost: the error where no answer came.
    """
    try:
        yield
    except smtplib.SMTPResponseException as error:
        # Replies of 4xx pass, those of 5xx do not (RFC 5321, section 4.2.1).
        may_help = error.smtp_code < 500
        raise not_sent(f"The mail server answered {max(error.smtp_code, 0)}.", may_help=may_help) from None
    except smtplib.SMTPNotSupportedError:
        raise not_sent("The mail server does not offer what sending needs, such as logging in.") from None
    except ssl.SSLCertVerificationError:
        raise not_sent("The mail server's certificate does not show that it is the server of this name.") from None
    except (smtplib.SMTPException, OSError, EOFError) as error:
        failure = lost(f"The mail server gave no answer: {type(error).__name__}.")
        raise failure.revised(retryable=failure.took_effect == "no") from None
    except ValueError:
        raise refused(SERVER_VARIABLE, "holds a user or a password that cannot be sent") from None


def _accepted(reply: tuple[int, bytes], kind: type[smtplib.SMTPResponseException], *more: str) -> None:
    code, text = reply
    if not 200 <= code < 300:
        raise kind(code, text, *more)
