"""A Langflow server for tests, on a free port of this machine and with a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv-canvas"
STARTING_SECONDS = 180.0
"""How long a server may take to start."""


class Langflow:
    """A running server: its address, and flows made through its API."""

    def __init__(self, url: str, started_in: float) -> None:
        self.url = url
        self.started_in = started_in
        self._client = httpx.Client(base_url=url, timeout=60)
        token = self._client.get("/api/v1/auto_login").json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connections to the API."""
        self._client.close()

    def make_flow(self, name: str, data: dict[str, Any] | None = None) -> str:
        """Make a flow, empty where no data is given, and return the address of its canvas."""
        empty = {"nodes": [], "edges": [], "viewport": {"x": 0, "y": 0, "zoom": 1}}
        made = self._client.post("/api/v1/flows/", json={"name": name, "description": "", "data": data or empty})
        made.raise_for_status()
        return f"{self.url}/flow/{made.json()['id']}"


@contextmanager
def running_langflow(folder: Path) -> Iterator[Langflow]:
    """Start a server, and stop it and all that it started in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "DO_NOT_TRACK": "true",
        "LANGFLOW_AUTO_LOGIN": "true",
        "LANGFLOW_SKIP_AUTH_AUTO_LOGIN": "true",
        "LANGFLOW_STORE": "false",
        "LANGFLOW_CREATE_STARTER_PROJECTS": "false",
        "LANGFLOW_AGENTIC_EXPERIENCE": "false",
        "LANGFLOW_OPEN_BROWSER": "false",
        "LANGFLOW_WORKERS": "1",
        "LANGFLOW_LOG_LEVEL": "error",
        "LANGFLOW_CONFIG_DIR": str(folder),
        "LANGFLOW_DATABASE_URL": f"sqlite:///{folder / 'langflow.db'}",
        "PYTHONPATH": str(ROOT),
    }
    environment = {name: value for name, value in os.environ.items() if name != "PERSONA_API_KEY"} | settings
    command = [str(VENV / "bin/langflow"), "run", "--host", "127.0.0.1", "--port", str(port)]
    begun = time.monotonic()
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        while not _is_healthy(url):
            if server.poll() is not None or time.monotonic() - begun > STARTING_SECONDS:
                raise RuntimeError(f"Langflow does not start: {(folder / 'server.log').read_text('utf-8')[-2000:]}")
            time.sleep(0.5)
        server_api = Langflow(url, time.monotonic() - begun)
        try:
            yield server_api
        finally:
            server_api.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).is_success
    except httpx.HTTPError:
        return False
