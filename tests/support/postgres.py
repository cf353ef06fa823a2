"""A Postgres of the tests' own: a cluster in a temporary folder, on a Unix socket, run as a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

USERS = ("postgres", "nobody")
"""Who runs the cluster where root runs the tests, since Postgres refuses root."""


def programs() -> Path | None:
    """Return the folder of Postgres's programs, of Debian's package `postgresql` or on the path; None where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*folders, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in candidates if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Cluster:
    """A running Postgres; use it as a context. `durable` keeps what a crash of the machine would lose."""

    def __init__(self, *, durable: bool = False) -> None:
        folder = programs()
        if folder is None:
            raise FileNotFoundError("Postgres is not installed: apt-get install postgresql")
        self._programs = folder
        self._durable = durable
        self._user = next((name for name in USERS if _exists(name)), None) if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        if self._user:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._template: str | None = None

    def __enter__(self) -> Self:
        self._watch = _watched(self._folder)
        try:
            self._run("initdb", "-D", str(self._data), "-U", "flows", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
            self.start()
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self.stop()
        finally:
            self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._watch.communicate()

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c max_connections=200"
        options += "" if self._durable else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", "30", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once, its sessions with it; this starts no process."""
        process_id = int((self._data / "postmaster.pid").read_text("ascii").splitlines()[0])
        os.kill(process_id, signal.SIGQUIT)
        for _ in range(3000):
            if not (self._data / "postmaster.pid").exists():
                return
            time.sleep(0.01)
        raise TimeoutError("Postgres does not stop")

    def database(self) -> str:
        """Return the URL of a new database, with the tables of flows in it once `template` was told of one."""
        name = f"flows_{uuid.uuid4().hex[:12]}"
        copied = f" TEMPLATE {self._template}" if self._template else ""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{copied}".encode())
        return self.url(name)

    def template(self, url: str) -> None:
        """Have further databases begin as copies of this one, to which nothing may be connected."""
        self._template = url.partition("?")[0].rpartition("/")[2]

    def url(self, name: str) -> str:
        """Return the URL of a database by its name."""
        return f"postgresql://flows@/{name}?host={self._folder}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        options: dict[str, Any] = {"user": self._user, "cwd": self._folder} if self._user else {}
        # A pipe would be kept open by the server, which outlives the program that starts it.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._programs / program), *arguments], stdout=output, stderr=output, check=False, timeout=60, **options
            )
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed: {output.read().decode(errors='replace')}")


def _watched(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that stops the server and removes its folder once this process has ended, however it did.

    It reads a pipe that nothing but this process holds open, in a session of its own, so that Ctrl-C does not reach it.
    """
    server = f"head -n 1 {folder}/data/postmaster.pid 2>/dev/null"
    script = (
        f"read -r _; server=$({server}) && kill -QUIT $server; while [ -e {folder}/data/postmaster.pid ]; do sleep 0.05; done"
    )
    return subprocess.Popen(
        ["sh", "-c", f"{script}; rm -rf {folder}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
