"""A stand-in for an SMTP server on this machine, with and without TLS, that keeps the mails it gets."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import warnings
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.loopback import server_context

USER, PASSWORD = "flows@example.com", "planted/smtp:password"


class MailServer:
    """An SMTP server on a free port; use it as a context.

    tls: `starttls`, `from start` or `none`.
    has_login: whether it wants the user and the password. replies: answers by command, `RCPT` or `DATA`, given once each.
    """

    def __init__(
        self,
        tls: str = "starttls",
        *,
        has_login: bool = True,
        replies: dict[str, list[str]] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.replies = replies or {}
        self.tls = tls
        self.has_login = has_login
        self._context = context or server_context()
        self._options: dict[str, Any] = {"hostname": "localhost", "loop": asyncio.new_event_loop()}
        if tls == "starttls":
            self._options |= {"tls_context": self._context, "require_starttls": True}
        if has_login:
            self._options |= {"authenticator": self._authenticate, "auth_required": True}
            self._options["auth_require_tls"] = tls == "starttls"
        self._loop = self._options["loop"]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._port = 0
        # Its log lines hold whole mails.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)

    @property
    def url(self) -> str:
        """The server's URL, as a flow's setting holds it."""
        user = f"{USER.replace('@', '%40')}:{PASSWORD.replace('/', '%2F').replace(':', '%3A')}@" if self.has_login else ""
        scheme = "smtps" if self.tls == "from start" else "smtp"
        return f"{scheme}://{user}127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a flow here."""
        return {"PERSONA_FLOWS_SMTP_URL": self.url, "PERSONA_FLOWS_MAIL_FROM": "identity@example.com"}

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return self

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        context = self._context if self.tls == "from start" else None
        self._server = await self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=context)
        self._port = self._server.sockets[0].getsockname()[1]

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of logging in without TLS
            return SMTP(self, **self._options)

    async def _end(self) -> None:
        self._server.close()
        sessions = asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        is_known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_known, handled=False)

    async def handle_RCPT(self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:
        """Take a recipient, or answer as a test says."""
        if self.replies.get("RCPT"):
            return self.replies["RCPT"].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:
        """Keep a mail, and answer as a test says; `lost` ends the connection once the mail is kept."""
        reply = self.replies["DATA"].pop(0) if self.replies.get("DATA") else "250 OK"
        if reply[:1] in ("2", "l"):
            content = cast(bytes, envelope.original_content)
            self.raw.append(content)
            self.mails.append(message_from_bytes(content, policy=default))
        if reply == "lost":
            server.transport.abort()
        return reply if reply != "lost" else "250 OK"
