"""Dify's side of a plugin: it runs one in a process of its own on Dify's SDK, and asks it as Dify's plugin daemon does."""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-dify"
PYTHON = ENVIRONMENT / "bin" / "python"
"""The Python that has Dify's SDK; `make exports` installs it."""
SECONDS = 60
"""How long an answer may take."""

_REGISTRATION = """
import dify_plugin, json
from dify_plugin.core.plugin_registration import PluginRegistration
registration = PluginRegistration(dify_plugin.DifyPluginEnv())
((provider, provider_class, tools),) = registration.tools_mapping.values()
print(json.dumps({
    "plugin": registration.configuration.model_dump(mode="json"),
    "provider": provider.model_dump(mode="json"),
    "provider_class": provider_class.__name__,
    "tools": {name: each.model_dump(mode="json") | {"class": kind.__name__} for name, (each, kind) in tools.items()},
    "assets": {asset.filename: len(asset.data) for asset in registration.files},
}))
"""


def is_installed() -> bool:
    """Return whether the SDK is there."""
    return (ENVIRONMENT / ".ready").is_file()


def registration(folder: Path) -> dict[str, Any]:
    """Return what the SDK reads out of a plugin's folder: it validates every file, and imports every class."""
    done = subprocess.run(
        [PYTHON, "-c", _REGISTRATION], cwd=folder, env=_environment(), capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


class Outcome(NamedTuple):
    """What came of one request."""

    messages: list[dict[str, Any]]
    error: str | None
    error_type: str | None = None

    @property
    def text(self) -> str:
        """The text messages together."""
        return "".join(message["message"]["text"] for message in self.messages if message["type"] == "text")

    @property
    def json(self) -> Any:
        """The one JSON message."""
        (found,) = [message["message"]["json_object"] for message in self.messages if message["type"] == "json"]
        return found

    @property
    def variables(self) -> dict[str, Any]:
        """The variables by name."""
        messages = [message["message"] for message in self.messages if message["type"] == "variable"]
        return {message["variable_name"]: message["variable_value"] for message in messages}

    @property
    def file(self) -> tuple[dict[str, Any], bytes]:
        """What is told of the one file, and its content."""
        chunks = [message for message in self.messages if message["type"] == "blob_chunk"]
        content = b"".join(base64.b64decode(chunk["message"]["blob"]) for chunk in chunks)
        assert chunks[-1]["message"]["end"]
        assert chunks[-1]["message"]["total_length"] == len(content)
        return chunks[-1]["meta"], content


class DifyDaemon:
    """A running plugin: requests go to its standard input, and its answers come from its standard output."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-m", "main"],
            cwd=folder,
            # Being killed, it cannot remove its folder for temporary files itself.
            env=_environment() | {"TMPDIR": str(folder.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._answers: dict[str, queue.Queue[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self.printed: list[str] = []
        """Every line that the plugin printed or logged."""
        assert self._process.stdout
        self.configuration = json.loads(self._process.stdout.readline())
        """The plugin's manifest, as the SDK tells it to Dify."""
        self._readers = [threading.Thread(target=read) for read in (self._read_answers, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream
            stream.close()
        self._process.wait()

    def call(self, tool: str, params: Mapping[str, Any], credentials: Mapping[str, Any]) -> Outcome:
        """Return the outcome of a tool."""
        return self._ask(action="invoke_tool", tool=tool, tool_parameters=dict(params), credentials=dict(credentials))

    def check_credentials(self, credentials: Mapping[str, Any]) -> Outcome:
        """Return the outcome of the check that Dify makes when credentials are saved."""
        return self._ask(action="validate_tool_credentials", credentials=dict(credentials))

    def _ask(self, **data: Any) -> Outcome:
        session = uuid.uuid4().hex
        answers = self._answers[session] = queue.Queue()
        request = {"type": "tool", "user_id": "user", "provider": "persona", **data}
        line = json.dumps({"session_id": session, "event": "request", "data": request})
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        messages: list[dict[str, Any]] = []
        error: dict[str, Any] = {}
        try:
            while (answer := answers.get(timeout=SECONDS))["type"] != "end":
                if answer["type"] == "error":
                    error = answer["data"]
                else:
                    messages.append(answer["data"])
        finally:
            del self._answers[session]
        return Outcome(messages, error.get("message"), error.get("error_type"))

    def _read_answers(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.printed.append(line)
            if not line.strip():
                continue
            event = json.loads(line)
            if event["event"] == "session":
                self._answers[event["session_id"]].put(event["data"])
            elif event["event"] == "error":
                # A line that the SDK itself cannot read belongs to no session.
                for answers in list(self._answers.values()):
                    answers.put({"type": "error", "data": {"message": event["data"]["error"], "error_type": "Unreadable"}})
                    answers.put({"type": "end"})

    def _read_errors(self) -> None:
        assert self._process.stderr
        self.printed += self._process.stderr


def _environment() -> dict[str, str]:
    """Return this environment without what is set for Persona; Dify starts a plugin with `INSTALL_METHOD`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PERSONA_", "PYTEST_", "COV_"))}
    return kept | {"INSTALL_METHOD": "local"}
