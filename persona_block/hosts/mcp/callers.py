"""Who calls the server over HTTP: nobody without a key, and nobody with more sessions than leave room for others."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import INVALID_REQUEST
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...credentials import ApiKey

CALLER_SESSIONS = 100
"""How many sessions one key has; the one that was idle for longest makes room."""
ALL_SESSIONS = 1_000
"""How many sessions there are; the one that was idle for longest makes room, whosever it is."""
BODY_SECONDS = 10.0
"""Seconds in which a request has to arrive whole, before anything is kept for it."""

KEY_CHALLENGE = 'Bearer realm="Persona"'
"""What asks for a key, where the key is a Persona API key."""
KEY_TEXT = "Send your Persona API key with each request, as the header Authorization: Bearer."
"""The same in words."""


class KeyVerifier:
    """The verifier of tokens, which are API keys: it tells callers apart, and whether a key is good is for Persona to say."""

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the caller of a key by a name that tells nothing of it; None for what no key can be."""
        try:
            caller = ApiKey(token).checked().digest()
        except ValueError:
            return None
        return AccessToken(token="", client_id=caller, scopes=[])


class RequireKey:
    """Answers 401 to every request without a key or token, before a session is made for it.

    text: what to do, for whoever reads the answer. challenge: the same for clients, as the header WWW-Authenticate.
    open_paths: the paths that need neither.
    """

    def __init__(
        self, app: ASGIApp, *, text: str = KEY_TEXT, challenge: str = KEY_CHALLENGE, open_paths: Collection[str] = ()
    ) -> None:
        self._app = app
        self._text = text
        self._challenge = challenge
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        is_open = scope["type"] != "http" or scope["path"] in self._open_paths
        if not is_open and not isinstance(scope.get("user"), AuthenticatedUser):
            await refuse(send, 401, self._text, self._challenge)
        else:
            await self._app(scope, receive, send)


@dataclass
class _Session:
    """One open session: whose it is, and how many of its requests are being answered."""

    user: object
    requests: int = 0

    @property
    def caller(self) -> str | None:
        """The name of its key; None where callers have none of their own."""
        return self.user.access_token.client_id if isinstance(self.user, AuthenticatedUser) else None


class BoundedSessions:
    """Keeps the sessions of the handshake era within bounds: where a new one needs room, the one idle for longest ends.

    A session is idle while no request of it is being answered; a stream that waits for messages is no such request. Only where
    none is idle does one end that is not. Whose session has ended hears 404, and begins a new one as the protocol asks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on once it is here whole."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                beginning = await _body(receive)
        except TimeoutError:
            await refuse(send, 408, f"The request did not arrive within {BODY_SECONDS:.0f} seconds.", closes=True)
            return
        receive = _resumed(beginning, receive)
        headers = Headers(scope=scope)
        session_id = headers.get(MCP_SESSION_ID_HEADER)
        if session_id is not None:
            await self._use(session_id, scope, receive, send)
        elif headers.get(MCP_PROTOCOL_VERSION_HEADER) in (None, *HANDSHAKE_PROTOCOL_VERSIONS):
            await self._open(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _use(self, session_id: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request of a session, which is then the one used last."""
        session = self._sessions.get(session_id)
        if session is None or session.caller != _Session(scope.get("user")).caller:
            await self._app(scope, receive, send)
            return
        is_listening = scope["method"] == "GET"
        if not is_listening:
            self._sessions.move_to_end(session_id)
            session.requests += 1

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and _ends_session(scope["method"], message["status"]):
                self._sessions.pop(session_id, None)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if not is_listening:
                session.requests -= 1

    async def _open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request that may begin a session; where it does, others may have to end."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                session_id = Headers(raw=message["headers"]).get(MCP_SESSION_ID_HEADER)
                if session_id is not None:
                    self._sessions[session_id] = _Session(scope.get("user"))
                    await self._make_room(session_id, scope)
            await send(message)

        await self._app(scope, receive, noted)

    async def _make_room(self, opened_id: str, scope: Scope) -> None:
        """End other sessions until there is room for the one that was opened."""
        caller = self._sessions[opened_id].caller
        while len(own := self._owned(caller)) > CALLER_SESSIONS and caller is not None:
            await self._end([each for each in own if each != opened_id], scope)
        while len(self._sessions) > ALL_SESSIONS:
            await self._end([each for each in self._sessions if each != opened_id], scope)

    def _owned(self, caller: str | None) -> list[str]:
        return [session_id for session_id, session in self._sessions.items() if session.caller == caller]

    async def _end(self, session_ids: list[str], scope: Scope) -> None:
        """End the first session that is idle, or else the first, as its owner would."""
        session_id = next((each for each in session_ids if not self._sessions[each].requests), session_ids[0])
        session = self._sessions.pop(session_id)
        headers = [(name, value) for name, value in scope["headers"] if name == b"host"]
        headers.append((MCP_SESSION_ID_HEADER.encode(), session_id.encode()))
        await self._app({**scope, "method": "DELETE", "headers": headers, "user": session.user}, _no_body, _to_nobody)


def _ends_session(method: str, status: int) -> bool:
    """Return whether an answer to a request of a session says that the session is over."""
    return status == 404 or (method == "DELETE" and status < 300)


async def _body(receive: Receive) -> list[Message]:
    """Return the messages of a request's body, up to its end or to what is too large anyway."""
    messages: list[Message] = []
    size = 0
    while size <= DEFAULT_MAX_REQUEST_BODY_SIZE:
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        if not messages[-1].get("more_body"):
            break
    return messages


def _resumed(messages: list[Message], receive: Receive) -> Receive:
    """Return a `receive` that gives these messages again, and then what is still to come."""
    waiting = deque(messages)

    async def receive_again() -> Message:
        return waiting.popleft() if waiting else await receive()

    return receive_again


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _to_nobody(_message: Message) -> None:
    """Drop an answer that nobody waits for."""


async def refuse(send: Send, status: int, text: str, challenge: str | None = None, *, closes: bool = False) -> None:
    """Answer a request as the protocol answers one that is not carried out.

    challenge: the header WWW-Authenticate. closes: whether the connection ends with the answer.
    """
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": text}}
    body = json.dumps(error).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if challenge is not None:
        headers.append((b"www-authenticate", challenge.encode()))
    if closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
