"""A stand-in for Slack on this machine: the methods that the adapter calls, incoming webhooks and clicks on buttons."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.support.loopback import Answered, Asked, LoopbackServer

TOKEN = "xoxb-planted-bot-token"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
MEMBERS = [
    {"id": "U0ALEX0001", "name": "alex", "profile": {"display_name": "sam"}},
    {"id": "U0SAM00001", "name": "sam.real", "profile": {"display_name": "alex"}},
    {"id": "U0GONE0001", "name": "gone", "deleted": True},
    {"id": "U0BOT00001", "name": "robot", "is_bot": True},
    {"id": "U0STRANGE1", "name": "stranger", "is_stranger": True},
    {"id": "U0TWIN0001", "name": "twin"},
    {"id": "U0TWIN0002", "name": "twin"},
]


class SlackServer(LoopbackServer):
    """Slack as far as it is called here. `faults` holds answers by method that are given once each, before any effect.

    `after` holds answers that are given once each in the place of the method's own, when it has taken effect.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        """What was posted, with `channel` and `ts`."""
        self.files: dict[str, dict[str, Any]] = {}
        """The uploaded files by id: `filename`, `data`, `media_type`, and once shown `channel` and `thread_ts`."""
        self.replaced: list[dict[str, Any]] = []
        """What questions were replaced with."""
        self.faults: dict[str, list[Answered]] = {}
        self.after: dict[str, list[Answered]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a flow here, with a bot token."""
        return {
            "PERSONA_FLOWS_SLACK_TOKEN": TOKEN,
            "PERSONA_FLOWS_SLACK_URL": f"{self.url}/api",
            "PERSONA_FLOWS_SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }

    def calls(self, method: str) -> int:
        """Return how often a method was called."""
        return sum(asked.path == f"/api/{method}" for asked in self.asked)

    def answer(self, asked: Asked) -> Answered:
        """Return the answer of a request; one with another token is refused."""
        method = asked.path.partition("?")[0].removeprefix("/api/")
        if self.faults.get(method):
            return self.faults[method].pop(0)
        own = self._own(method, asked)
        return self.after[method].pop(0) if self.after.get(method) else own

    def _own(self, method: str, asked: Asked) -> Answered:
        if method.startswith("/hooks/"):
            self.messages.append({**asked.json(), "channel": method, "ts": self._timestamp()})
            return Answered(body=b"ok")
        if method.startswith("/actions/"):
            self.replaced.append(asked.json())
            return Answered(body=b"ok")
        if method.startswith("/upload/"):
            self.files[method.removeprefix("/upload/")] |= {"data": asked.body, "media_type": asked.headers["content-type"]}
            return Answered(body=b"OK")
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered.of({"ok": False, "error": "invalid_auth"})
        known = getattr(self, "_" + method.replace(".", "_"), None)
        if known is None:
            return Answered.of({"ok": False, "error": "unknown_method"})
        return Answered.of({"ok": True, **known(self._values(asked))})

    @staticmethod
    def _values(asked: Asked) -> dict[str, Any]:
        if asked.headers.get("content-type", "").startswith("application/json"):
            return dict(asked.json())
        return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}

    def _timestamp(self) -> str:
        return f"1700000000.{len(self.messages):06d}"

    def _chat_postMessage(self, values: Mapping[str, Any]) -> dict[str, Any]:
        channel = "C" + str(values["channel"]).strip("#").upper() if values["channel"][0] == "#" else values["channel"]
        message = {**values, "channel": channel, "to": values["channel"], "ts": self._timestamp()}
        self.messages.append(message)
        return {"channel": channel, "ts": message["ts"]}

    def _files_getUploadURLExternal(self, values: Mapping[str, Any]) -> dict[str, Any]:
        file_id = f"F{len(self.files):09d}"
        self.files[file_id] = {"filename": values["filename"], "length": int(values["length"])}
        return {"upload_url": f"{self.url}/upload/{file_id}", "file_id": file_id}

    def _files_completeUploadExternal(self, values: Mapping[str, Any]) -> dict[str, Any]:
        for each in json.loads(values["files"]):
            self.files[each["id"]] |= {"channel": values["channel_id"], "thread_ts": values["thread_ts"]}
        return {"files": []}

    def _users_lookupByEmail(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"user": {"id": "U0MAIL0001", "profile": {"email": values["email"]}}}

    def _users_list(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if values.get("cursor"):
            return {"members": MEMBERS[3:], "response_metadata": {"next_cursor": ""}}
        return {"members": MEMBERS[:3], "response_metadata": {"next_cursor": "more"}}

    def buttons(self, message: int = -1) -> list[dict[str, Any]]:
        """Return the buttons of a message, the last one by default."""
        blocks = self.messages[message]["blocks"]
        return [each for block in blocks if block["type"] == "actions" for each in block["elements"]]

    def click(self, option: str, message: int = -1) -> tuple[bytes, str, str]:
        """Return what Slack sends when a member clicks an option of a message: the body, its time and its signature."""
        button = next(each for each in self.buttons(message) if each["text"]["text"] == option)
        payload = {
            "type": "block_actions",
            "user": {"id": "U0ALEX0001", "username": "alex"},
            "team": {"id": "T0000TEAM"},
            "message": {"blocks": self.messages[message]["blocks"]},
            "response_url": f"{self.url}/actions/1",
            "actions": [button],
        }
        return signed(urlencode({"payload": json.dumps(payload)}).encode())


def signed(body: bytes, secret: str = SIGNING_SECRET, now: float | None = None) -> tuple[bytes, str, str]:
    """Return a body with the time and the signature that Slack sends with it."""
    timestamp = str(int(time.time() if now is None else now))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return body, timestamp, f"v0={digest}"
