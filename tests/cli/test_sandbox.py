"""`persona-block sandbox`: what it announces, refuses, lets go wrong, delivers, and keeps when it is killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block.sandbox.serving.faults import FAULTS
from tests.cli.conftest import RunHere
from tests.cli.test_command import cli
from tests.support.webhook_receiver import SECRET, Listener


@dataclass
class Served:
    """A process that serves a sandbox, and what it announced of itself."""

    process: subprocess.Popen[str]
    announced: str
    base_url: str
    api_key: str

    @property
    def http(self) -> httpx.Client:
        """Return a client of its API."""
        return httpx.Client(base_url=self.base_url, headers={"Authorization": f"Bearer {self.api_key}"})


@contextlib.contextmanager
def served(*options: str, **environment: str) -> Iterator[Served]:
    """Run `persona-block sandbox` on a free port."""
    command = [sys.executable, "-m", "persona_block.cli", "sandbox", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environment) as process:
        try:
            assert process.stderr is not None
            announced = ""
            while not announced.endswith(".\n"):
                announced += (line := process.stderr.readline())
                assert line, announced
            exported = re.search(r"PERSONA_BASE_URL=(\S+) PERSONA_API_KEY=(\S+)", announced)
            assert exported, announced
            yield Served(process, announced, exported[1], exported[2])
        finally:
            process.kill()


@pytest.mark.process
def test_what_it_announces() -> None:
    with served("--webhook", "http://127.0.0.1:9/hook?token=1", "--webhook-secret-env", "HOOK", HOOK=SECRET) as sandbox:
        origin = sandbox.base_url.removesuffix("/api/v1")
        assert f"Dashboard: {origin}/\n" in sandbox.announced
        assert "persona_sandbox_" in sandbox.announced
        assert "Webhooks: signed, to http://127.0.0.1:9/hook\n" in sandbox.announced
        assert "Faults" not in sandbox.announced
        assert SECRET not in sandbox.announced
        assert "simulation" in sandbox.announced


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--webhook", "https://example.com/", "--webhook-secret-env", "HOOK"],
            "must be an http or https URL on this machine",
        ),
        (["--webhook", "http://127.0.0.1:9/"], "--webhook-secret-env: is needed"),
        (["--webhook-secret-env", "HOOK"], "--webhook: is needed"),
        (["--webhook", "http://127.0.0.1:9/", "--webhook-secret-env", "NO_SUCH_NAME"], "that is not set"),
        (
            ["--webhook", "http://127.0.0.1:9/", *["--webhook-secret-env", "HOOK"] * 3],
            "one secret, or two while one replaces another",
        ),
        (
            ["--webhook", "http://127.0.0.1:9/", "--webhook-secret-env", "HOOK", "--webhook-secret-env", "NO_SUCH_NAME"],
            "not set",
        ),
        (["--faults", "moon"], ", ".join(fault.name for fault in FAULTS)),
        (["--faults", "stall:often"], "a number from 0 to 1"),
        (["--faults", "stall:2"], "a rate from 0 to 1"),
        (["--faults", ":0.5"], "needs a kind before its rate"),
        (["--faults", ","], "needs a kind"),
        (["--faults", ""], "needs a kind"),
        *((["--rate-limit", each], "--rate-limit: must be a whole number, at least 1") for each in ("0", "x", "1.5")),
        (["--seed", "x"], "--seed: must be a whole number"),
        (["--port", "65536"], "--port: must be a whole number from 0 to 65535"),
        *((["--speed", each], "--speed: must be a number from 0 to 1000000") for each in ("inf", "nan", "1e12", "-1", "x")),
    ],
)
def test_what_it_refuses(options: list[str], message: str, run_here: RunHere) -> None:
    done = run_here("sandbox", *options, HOOK=SECRET)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_secret_is_no_option(run_here: RunHere) -> None:
    done = run_here("sandbox", "--webhook", "http://127.0.0.1:9/", "--webhook-secret", SECRET)
    assert done.returncode == 2
    assert SECRET not in done.stderr


def test_the_help_explains_the_faults_and_the_controls(run_here: RunHere) -> None:
    shown = run_here("sandbox", "--help").stdout
    for fault in FAULTS:
        assert re.search(rf"^  {fault.name} +{re.escape(fault.means)}$", shown, re.MULTILINE), fault.name
    assert "POST /sandbox/clock" in shown
    assert "POST /sandbox/applicant" in shown
    assert "POST /sandbox/webhook/rotate-secret" in shown


@pytest.mark.process
def test_a_port_and_a_state_that_are_taken(tmp_path: Path) -> None:
    state = str(tmp_path / "state.db")
    with served("--empty", "--state", state) as sandbox:
        port = str(httpx.URL(sandbox.base_url).port)
        for options, message in (
            (["--port", port], f"--port: {port} is taken by another program"),
            (["--port", "0", "--state", state], "another sandbox has it open"),
        ):
            done = cli("sandbox", "--empty", *options)
            assert done.returncode == 2
            assert message in done.stderr
            assert "Traceback" not in done.stderr


@pytest.mark.process
def test_all_faults_stand_among_others() -> None:
    with served("--empty", "--faults", "stall, all:0") as sandbox:
        assert "Faults: 0% of calls go wrong (every kind)" in sandbox.announced


@pytest.mark.process
def test_a_caller_that_waits_before_it_sends_is_told_to_go_on() -> None:
    with served("--empty", "--faults", "all:0") as sandbox:
        url = httpx.URL(sandbox.base_url)
        head = f"POST {url.path}/accounts HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {sandbox.api_key}\r\n"
        head += "Content-Type: application/json\r\n"
        with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
            connection.sendall(f"{head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode())
            assert connection.recv(1000) == b"HTTP/1.1 100 \r\n\r\n"
            connection.sendall(b"{}")
            assert connection.recv(1000).startswith(b"HTTP/1.1 201 ")


@pytest.mark.process
def test_a_malformed_upload_is_told_to_its_sender_alone() -> None:
    with served("--empty") as sandbox, sandbox.http as http:
        for content_type, content, message in (
            ("multipart/form-data; boundary=x", b"--x\r\nbroken\r\n\r\n", "cannot be read"),
            ("MULTIPART/FORM-DATA", b"--x--", "boundary"),
            ("multipart/mixed; boundary=x", b"--x--", "must be multipart/form-data"),
            (
                "multipart/form-data; boundary=x",
                b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb",
                "no part that ends",
            ),
        ):
            answer = http.post("/importer/accounts", content=content, headers={"Content-Type": content_type})
            assert answer.status_code == 400
            assert message in answer.json()["errors"][0]["details"]
        part = b'--x\r\nContent-Disposition: form-data; name="data[attributes][file]"; filename="a.csv"\r\n\r\n'
        content = part + b"name_first\nJane\r\n--x--\r\n"
        headers = {"Content-Type": "Multipart/Form-Data; boundary=x"}
        assert http.post("/importer/accounts", content=content, headers=headers).status_code == 201
        sandbox.process.send_signal(signal.SIGINT)
        assert sandbox.process.wait(10) == 0
        assert sandbox.process.stderr is not None
        assert sandbox.process.stderr.read() == ""


@pytest.mark.process
def test_the_applicant_is_played_from_outside() -> None:
    with served("--empty") as sandbox, sandbox.http as http:
        origin = sandbox.base_url.removesuffix("/api/v1")
        attributes = {"inquiry-template-id": "itmpl_GovernmentIdAndSelfie", "fields": {"name-last": "Fail"}}

        def played(**outcome: str) -> Any:
            inquiry_id = http.post("/inquiries", json={"data": {"attributes": attributes}}).json()["data"]["id"]
            answer = httpx.post(f"{origin}/sandbox/applicant", json={"inquiry-id": inquiry_id, **outcome})
            assert (answer.status_code, answer.headers["persona-sandbox"]) == (200, "simulation")
            inquiry = answer.json()
            assert inquiry == http.get(f"/inquiries/{inquiry_id}").json()
            return inquiry["data"]["attributes"] | {"id": inquiry_id}

        assert played()["status"] == "failed"
        for outcome, end in {"pass": "completed", "fail": "failed", "review": "needs_review", "abandon": "pending"}.items():
            assert played(outcome=outcome)["status"] == end
        ended = played()["id"]
        for command, status, message in (
            ({"inquiry-id": "inq_x"}, 404, "There is no inquiry with this id"),
            ({"inquiry-id": ended}, 422, "the inquiry's status is failed"),
            ({"inquiry-id": ended, "outcome": "win"}, 400, "must be one of pass, fail, review, abandon"),
            ({"inquiry-id": ended, "outcomes": "pass"}, 400, "must be an object like"),
            ({}, 400, "must be an object like"),
        ):
            answer = httpx.post(f"{origin}/sandbox/applicant", json=command)
            assert answer.status_code == status
            assert message in answer.json()["errors"][0]["details"]
        for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}):
            assert httpx.post(f"{origin}/sandbox/applicant", json={"inquiry-id": "inq_x"}, headers=headers).status_code == 403
        text = {"Content-Type": "text/plain"}
        assert httpx.post(f"{origin}/sandbox/applicant", content=b"{}", headers=text).status_code == 400
        for path, content, message in (
            ("applicant", rb'{"inquiry-id": "inq_\ud800"}', "The request body is not valid JSON"),
            ("clock", rb'{"advance-seconds": "\ud800"}', "The request body is not valid JSON"),
            ("clock", b'{"advance-seconds": NaN}', "The request body is not valid JSON"),
            ("clock", b'{"advance-seconds": %d}' % 10**400, "The request body holds a number that is too large"),
            ("clock", b'{"advance-seconds": 1, "by": 2}', "must be an object like"),
        ):
            answer = httpx.post(f"{origin}/sandbox/{path}", content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, content
            assert message in answer.json()["errors"][0]["details"]


@pytest.mark.process
def test_two_secrets_sign_and_one_is_replaced() -> None:
    with Listener() as listener:
        options = ["--webhook", listener.url, "--webhook-secret-env", "NEW", "--webhook-secret-env", "OLD"]
        with served("--empty", *options, NEW="wbhsec_new", OLD=SECRET) as sandbox, sandbox.http as http:
            assert SECRET not in sandbox.announced
            assert "wbhsec_new" not in sandbox.announced
            http.post("/accounts", json={})
            listener.wait_for(1)  # it knows the old secret alone
            origin = sandbox.base_url.removesuffix("/api/v1")
            answer = httpx.post(f"{origin}/sandbox/webhook/rotate-secret", json={"expires-in-seconds": 0})
            assert answer.json()["secret"].startswith("wbhsec_")
            elsewhere = httpx.post(
                f"{origin}/sandbox/webhook/rotate-secret", json={}, headers={"Origin": "https://elsewhere.example"}
            )
            assert elsewhere.status_code == 403


@pytest.mark.process
def test_an_empty_start_with_a_rate_limit() -> None:
    with served("--empty", "--rate-limit", "2") as sandbox, sandbox.http as http:
        assert http.get("/accounts").json()["data"] == []
        assert [http.get("/accounts").status_code for _ in range(2)] == [200, 429]


@pytest.mark.process
def test_faults_hit_the_api_alone() -> None:
    with served("--faults", "error-500:1") as sandbox, sandbox.http as http:
        assert "Faults: 100% of calls go wrong (error-500)" in sandbox.announced
        assert {http.get("/accounts").status_code for _ in range(5)} == {500}
        origin = sandbox.base_url.removesuffix("/api/v1")
        for path, status in (("/", 200), ("/verify?code=none", 404), ("/files/nothing.png", 403)):
            answer = http.get(origin + path)
            assert (answer.status_code, answer.headers["persona-sandbox"]) == (status, "simulation")
        moved = http.post(f"{origin}/sandbox/clock", json={"advance-seconds": 60}, headers={"Origin": origin})
        assert moved.status_code == 200
        lured = http.post(
            f"{origin}/sandbox/clock", json={"advance-seconds": 60}, headers={"Origin": "https://elsewhere.example"}
        )
        assert lured.status_code == 403
        assert http.get(f"{origin}/", headers={"Host": "elsewhere.example"}).status_code == 403
    with served("--faults", "trickle,reset-before:0.5") as sandbox, sandbox.http as http:
        outcomes: set[int | str] = set()
        for _ in range(20):
            try:
                outcomes.add(http.get("/accounts").status_code)
            except httpx.HTTPError as error:
                outcomes.add(type(error).__name__)
        assert 200 in outcomes
        assert outcomes & {"ReadError", "RemoteProtocolError"}


@pytest.mark.process
def test_it_ends_quietly_when_asked_to() -> None:
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        with served("--faults", "stall:0") as sandbox, sandbox.http as http:
            assert http.get("/accounts").status_code == 200
            sandbox.process.send_signal(signal_number)
            assert sandbox.process.wait(10) == 0
            assert sandbox.process.stderr is not None
            assert sandbox.process.stderr.read() == ""


@pytest.mark.process
def test_no_event_of_what_was_answered_is_lost(tmp_path: Path) -> None:
    """Clients write while events are delivered, the process is killed, and the next one delivers what is missing."""
    options = ["--state", str(tmp_path / "state.db"), "--speed", "60", "--empty", "--webhook-secret-env", "HOOK"]
    answered: list[str] = []

    def write(http: httpx.Client) -> None:
        with contextlib.suppress(httpx.HTTPError):
            while True:
                answered.append(http.post("/accounts", json={}).json()["data"]["id"])

    with Listener() as listener:
        hook = ["--webhook", listener.url]
        with served(*options, *hook, HOOK=SECRET) as sandbox:
            writers = [threading.Thread(target=write, args=(sandbox.http,)) for _ in range(3)]
            for writer in writers:
                writer.start()
            listener.wait_for(100)
            listener.status = 503
            listener.wait_for(150)
            sandbox.process.send_signal(signal.SIGKILL)
            for writer in writers:
                writer.join()
        listener.status = 200
        before = len(listener.events)
        with served(*options, *hook, HOOK=SECRET):
            listener.until(lambda events: set(answered) <= {event.resource_id for event in events})
        assert len(listener.events) > before
    ids: dict[str, set[str]] = {}
    for event in listener.events:
        ids.setdefault(event.resource_id, set()).add(event.id)
    assert {len(events) for events in ids.values()} == {1}, "each delivery of one event carries the same id"
