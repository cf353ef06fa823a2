"""The manifest's templates, wired to Slack, mail, an HTTPS receiver and S3: real adapters on stand-ins of this machine."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from persona_block import InputError, Sandbox, WaitTimedOut, flows, webhooks
from persona_block.flows import people
from persona_block.flows.targets.console import ConsoleNotifier
from persona_block.flows.targets.slack_clicks import read_click
from persona_block.sandbox import Settings as SandboxSettings
from persona_block.typed import CreateInquiryParams
from tests.flows.test_templates import TEMPLATES, play, prepare
from tests.support.bucket import Bucket
from tests.support.flow_world import question, started
from tests.support.loopback import LoopbackServer, write_authority
from tests.support.mail_server import MailServer
from tests.support.slack_server import SlackServer

pytestmark = pytest.mark.slow

SECRET = "planted-signing-secret"
CONTACTS = {"+15555550142": "jane@example.com", "left": "left@example.com"}
ERASING = {"honour-deletion-request", "purge-declined"}


@dataclass
class Town:
    """Everybody that a flow can reach here."""

    slack: SlackServer = field(default_factory=SlackServer)
    mail: MailServer = field(default_factory=MailServer)
    receiver: LoopbackServer = field(default_factory=LoopbackServer)
    bucket: Bucket = field(default_factory=Bucket)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a flow here."""
        secret = {"PERSONA_FLOWS_HTTPS_SECRET": SECRET}
        return {**self.slack.environment, **self.mail.environment, **self.bucket.environment, **secret}

    async def decide(self, running: flows.Engine, option: str) -> None:
        """Answer each question: by a click in Slack, or as a mail says it is answered."""
        answered = 0
        while True:
            questions = [number for number, each in enumerate(self.slack.messages) if self.slack.buttons(number)]
            for number in questions[answered:]:
                labels = [each["text"]["text"] for each in self.slack.buttons(number)]
                click = read_click(*self.slack.click(option if option in labels else labels[0], number))
                assert click is not None
                await running.client.answer(click.workflow_id, click.question_id, click.option)
                answered += 1
            for asked in await running.client.questions():
                if "@" in asked.to[1:] and any("decision" in mail["Subject"] for mail in self.mail.mails):
                    await running.client.answer(asked.workflow_id, asked.question_id, option)
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def serving_town() -> Iterator[Town]:
    town = Town()
    with ExitStack() as stack:
        for server in (town.slack, town.mail, town.receiver, town.bucket):
            stack.enter_context(server)
        yield town


@pytest.fixture
def town(serving_town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Town:
    """The town with nothing said yet, which the environment names."""
    for said in (serving_town.slack.messages, serving_town.mail.mails, serving_town.receiver.asked):
        said.clear()
    serving_town.slack.files.clear()
    serving_town.bucket.clear()
    contacts = tmp_path / "contacts.json"
    contacts.write_text(json.dumps({**CONTACTS, "account-service": f"{serving_town.receiver.url}/accounts"}))
    settings = {"PERSONA_FLOWS_CONTACTS": str(contacts), "SSL_CERT_FILE": str(write_authority(tmp_path))}
    for name, value in {**serving_town.environment, **settings}.items():
        monkeypatch.setenv(name, value)
    return serving_town


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings=SandboxSettings(report_delay=0, import_delay=0)) as made:
        yield made


REACHED: dict[str, tuple[int, int, int, int]] = {
    "onboard-customer": (1, 1, 0, 1),
    "send-link-and-wait": (1, 1, 0, 0),
    "route-by-outcome": (1, 0, 0, 0),
    "screen-before-activation": (0, 0, 1, 0),
    "rescreen-customer": (0, 0, 0, 0),
    "post-pending-reviews": (1, 0, 0, 0),
    "work-through-reviews": (1, 0, 0, 0),
    "archive-approved": (0, 0, 0, 1),
    "build-case-file": (0, 0, 0, 2),
    "import-customers": (1, 0, 0, 0),
    "keep-account-in-step": (0, 0, 0, 0),
    "honour-deletion-request": (0, 1, 0, 1),
    "purge-declined": (0, 2, 0, 0),
    "weekly-case-digest": (0, 1, 0, 0),
    "revive-expired": (0, 1, 0, 0),
    "close-abandoned": (1, 0, 0, 0),
    "choose-template-and-start": (2, 0, 0, 0),
}
"""How many messages in Slack, mails, requests and objects each template leaves on its usual way."""


@pytest.mark.parametrize("name", sorted(TEMPLATES))
async def test_a_template_reaches_whom_it_names(
    sqlite_database: str, sandbox: Sandbox, town: Town, tmp_path: Path, name: str
) -> None:
    inputs = await prepare(sandbox, name, tmp_path, usual=True)
    inputs = json.loads(json.dumps(inputs).replace("s3://records", town.bucket.url).replace("@alex", "@alex@example.com"))
    option = "erase" if name in ERASING else "expire" if name == "close-abandoned" else "approve"
    settings = flows.Settings(first_poll=0.05, wake_poll=0.02, files=str(tmp_path / "work"))
    async with flows.Engine(sqlite_database, runner=sandbox.runner, settings=settings) as running:
        tasks = [asyncio.create_task(play(sandbox, running, "pass")), asyncio.create_task(town.decide(running, option))]
        await flows.template(TEMPLATES[name], inputs, workflow_id="one")
        for task in tasks:
            task.cancel()
    objects = town.bucket.objects()
    reached = (len(town.slack.messages), len(town.mail.mails), len(town.receiver.asked), len(objects))
    assert reached == REACHED[name]
    for asked in town.receiver.asked:
        webhooks.verify(asked.body, asked.headers["persona-block-signature"], SECRET)
    types = {"pdf": ("application/pdf", b"%PDF"), "json": ("application/json", b"{")}
    for key, (content_type, data) in objects.items():
        expected_type, head = types[key.rpartition(".")[2]]
        assert content_type == expected_type
        assert data.startswith(head)
        assert re.search(r"-[0-9a-f]{16}\.", key)


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/passwd", "url": "file:///etc/passwd"},
        {"url": "file:///etc/passwd"},
        {"path": "work/../contacts.json", "url": "s3://evidence/x"},
        {"path": 7, "url": "s3://evidence/x"},
        {"url": "s3://evidence/other"},
    ],
)
async def test_what_looks_like_a_file_of_this_machine_is_not_read(
    sqlite_database: str, sandbox: Sandbox, tmp_path: Path, file: dict[str, Any]
) -> None:
    document = {
        "name": "keep-it",
        "title": "Keep it",
        "description": "Keeps what it is given.",
        "prompt": "Keep it.",
        "tags": ["audit"],
        "inputs": {"content": {"type": "object", "description": "What to keep.", "examples": [{}]}},
        "steps": [{"id": "keep", "host": "store", "content": "{input.content}", "to": str(tmp_path / "out"), "text": "It"}],
    }
    settings = flows.Settings(wake_poll=0.02, files=str(tmp_path / "work"))
    async with flows.Engine(sqlite_database, runner=sandbox.runner, settings=settings):
        with pytest.raises(InputError, match="no file of a flow"):
            await flows.template(document, {"content": {"name": "a.txt", "mimeType": "text/plain", **file}}, workflow_id="one")
    assert not (tmp_path / "out").exists()


# --- python flows ----------------------------------------------------------------------------------------------------------


@DBOS.workflow(max_recovery_attempts=None)
async def tell_with_files(to: str, inquiry_id: str) -> None:
    pdf = await flows.call("print_inquiry_pdf", {"inquiryId": inquiry_id})
    await flows.notify(to, "The record, and what we know.", attachments=[pdf["file"], {"inquiry": inquiry_id}])


@DBOS.workflow(max_recovery_attempts=None)
async def ask_at_terminal(patience: float | None) -> str:
    try:
        return (await flows.ask("console:", "Go on?", ["yes", "no"], timeout=patience)).answer
    except WaitTimedOut:
        return "nobody"


@pytest.mark.parametrize("to", ["jane@example.com", "#reviews"])
async def test_files_go_along_with_a_message(
    sqlite_database: str, sandbox: Sandbox, town: Town, tmp_path: Path, to: str
) -> None:
    params: CreateInquiryParams = {"inquiryTemplateId": sandbox.templates.inquiry}
    async with sandbox.runner() as runner:
        inquiry_id = str((await runner.call("create_inquiry", params))["inquiry"]["id"])
    settings = flows.Settings(wake_poll=0.02, files=str(tmp_path / "work"))
    async with flows.Engine(sqlite_database, runner=sandbox.runner, settings=settings):
        await (await started(tell_with_files, "one", to, inquiry_id)).get_result()
    mailed = [(each.get_filename(), each.get_content()) for mail in town.mail.mails for each in mail.iter_attachments()]
    posted = [(each["filename"], each["data"]) for each in town.slack.files.values()]
    (pdf, data) = mailed or posted
    assert (pdf[0], pdf[1][:4]) == (f"{inquiry_id}.pdf", b"%PDF")
    assert (data[0], json.loads(data[1])) == ("notify-2.json", {"inquiry": inquiry_id})


@DBOS.workflow(max_recovery_attempts=None)
async def count_inquiries() -> int:
    return len((await flows.call("list_inquiries", {}))["inquiries"])


async def test_a_question_at_a_terminal_holds_up_no_other_flow(
    sqlite_database: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "GLANCE", 0.05)
    person, program = os.openpty()
    terminal = os.fdopen(program, encoding="utf-8")
    console = flows.Ports({"console": ConsoleNotifier(terminal, io.StringIO())})
    settings = flows.Settings(wake_poll=0.02, concurrency=1)
    try:
        async with flows.Engine(sqlite_database, runner=sandbox.runner, ports=console, settings=settings) as running:
            asking = await started(ask_at_terminal, "one", None)
            asked = await question(running)
            counting = await started(count_inquiries, "two")
            assert await asyncio.wait_for(counting.get_result(polling_interval_sec=0.02), 10) == 0
            await running.client.answer("one", asked.question_id, "yes")
            assert await asyncio.wait_for(asking.get_result(polling_interval_sec=0.02), 10) == "yes"
    finally:
        os.close(person)
        await asyncio.sleep(0.2)  # the thread that reads the terminal sees that its question is over
        terminal.close()


class TooLate:
    """A notifier whose answer comes right after another one was taken."""

    def __init__(self) -> None:
        self.engine: flows.Engine | None = None

    async def send(self, target: str, message: flows.Message, dedupe_id: str) -> flows.Reply:
        assert self.engine is not None
        assert (target, len(dedupe_id)) == ("late:", 48)
        await self.engine.client.answer("one", str(message.question_id), "no")
        return flows.Reply("yes")


@DBOS.workflow(max_recovery_attempts=None)
async def ask_late() -> str:
    return (await flows.ask("late:", "Go on?", ["yes", "no"])).answer


async def test_the_first_of_two_answers_counts(sqlite_database: str, sandbox: Sandbox) -> None:
    late = TooLate()
    settings = flows.Settings(wake_poll=0.02)
    async with flows.Engine(
        sqlite_database, runner=sandbox.runner, ports=flows.Ports({"late": late}), settings=settings
    ) as made:
        late.engine = made
        assert await (await started(ask_late, "one")).get_result(polling_interval_sec=0.02) == "no"


@pytest.mark.parametrize(
    ("patience", "elsewhere", "typed", "answer"),
    [(None, None, b"yes\n", "yes"), (None, "no", b"", "no"), (0.1, None, b"", "nobody")],
    ids=["typed", "answered elsewhere", "out of time"],
)
async def test_a_question_at_a_terminal_ends_with_the_first_answer(
    sqlite_database: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    patience: float | None,
    elsewhere: str | None,
    typed: bytes,
    answer: str,
) -> None:
    monkeypatch.setattr(people, "GLANCE", 0.05)
    person, program = os.openpty()
    terminal = os.fdopen(program, encoding="utf-8")
    console = flows.Ports({"console": ConsoleNotifier(terminal, io.StringIO())})
    settings = flows.Settings(wake_poll=0.02)
    try:
        async with flows.Engine(sqlite_database, runner=sandbox.runner, ports=console, settings=settings) as running:
            handle = await started(ask_at_terminal, "one", patience)
            os.write(person, typed)
            if elsewhere:
                asked = await question(running)
                await running.client.answer("one", asked.question_id, elsewhere)
            assert await asyncio.wait_for(handle.get_result(polling_interval_sec=0.02), 20) == answer
    finally:
        os.close(person)
        await asyncio.sleep(0.2)  # the thread that reads the terminal sees that its question is over
        terminal.close()
