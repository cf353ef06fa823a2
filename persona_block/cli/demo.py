"""The command `persona-block demo`: one onboarding from first link to archive, as a durable flow on an offline Persona."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..block import manifest
from ..errors import InputError, Problem
from ..files.store import FileStore
from ..runner import Runner
from ..sandbox import TEMPLATES, Sandbox
from ..sandbox import Settings as SandboxSettings
from .terminal import print_lines

if TYPE_CHECKING:
    from ..flows import Engine, Message, Reply

WORKFLOW = "onboard-customer"
CUSTOMER = "customer-1042"
CONTACT = "jane@example.com"
REVIEWERS = "#onboarding-reviews"
COMMENT = "Checks passed, screening clear"
CSV = """reference_id,name_first,name_middle,name_last,birthdate,social_security_number,tags
customer-2001,Ada,,Byron,1990-12-10,,imported
customer-2002,Grace,,Hopper,1986-12-09,,imported
customer-1042,Jane,,Doe,1994-04-12,,imported
customer-2003,ImportError,,Berg,1990-01-02,,imported
"""
POLL = 0.25
"""Seconds between two reads of a report or an import."""
QUICK = 0.5
"""Seconds that a report or an import stays pending here."""

Show = Callable[[str], None]
"""Called with each line of text to show."""


class _ShownRunner(Runner):
    """A runner that shows the calls of a flow as they happen, with the part of the applicant played after the link."""

    demo: Demo

    async def call(self, operation: Any, params: Any = None, **options: Any) -> Any:
        output = await super().call(operation, params, **options)
        self.demo.called(operation, output)
        return output


class Demo:
    """One play of the demo: its steps in order, each shown as it happens."""

    def __init__(self, sandbox: Sandbox, files: FileStore, show: Show) -> None:
        self._sandbox = sandbox
        self._files = files
        self._show = show
        self._number = 0

    def runner(self) -> Runner:
        """Return a runner of the sandbox that shows its calls."""
        sandbox = self._sandbox
        runner = _ShownRunner(
            api_key=sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport, files=self._files
        )
        runner.demo = self
        return runner

    async def play(self, engine: Engine, archive: Path) -> None:
        """Onboard one customer with the flow of the template, then import a few more."""
        from ..flows import template

        document = next(each for each in manifest()["templates"] if each["name"] == WORKFLOW)
        inputs = {
            "referenceId": CUSTOMER,
            "contact": CONTACT,
            "fullName": "Jane Q Doe",
            "birthdate": "1994-04-12",
            "inquiryTemplateId": TEMPLATES.inquiry,
            "reportTemplateId": TEMPLATES.watchlist,
            "reviewers": REVIEWERS,
            "archive": str(archive),
        }
        results = await template(document, inputs, workflow_id=CUSTOMER)
        self._step("store", results["keep"]["url"].rpartition("/")[2])
        await self._import(engine.runner)

    async def send(self, target: str, message: Message, dedupe_id: str) -> Reply | None:
        """Take a message of the flow in the place of its people; the reviewer looks and approves."""
        del dedupe_id
        from ..flows import Reply

        if not message.options:
            self._step("notify, SIMULATED", f"the link, to {target}")
            return None
        self._step("ask, SIMULATED", f"{target}: {' or '.join(message.options)}?")
        async with self.runner() as runner:
            await self._look(runner)
        return Reply("approve", COMMENT)

    def called(self, operation: str, output: Mapping[str, Any]) -> None:
        """Show a call, unless it is a look at what is still waited for."""
        if operation == "create_inquiry":
            inquiry = output["inquiry"]
            self._inquiry_id = inquiry["id"]
            self._step(operation, f"{inquiry['id']} for {CUSTOMER}: {inquiry['status']}")
        elif operation == "generate_inquiry_link":
            self._step(operation, f"{output['oneTimeLink']}, good for one use")
            self._sandbox.complete(self._inquiry_id)
            self._step("the applicant, SIMULATED", "opens the link, shows a government id, takes a selfie")
        elif operation == "get_inquiry" and output["inquiry"]["completedAt"]:
            self._inquiry = output["inquiry"]
            self._step(operation, f"{self._inquiry['status']} at {self._inquiry['completedAt']}")
        elif operation == "create_report":
            self._step(operation, f"{output['report']['id']}: {output['report']['status']}")
        elif operation == "get_report" and output["report"]["status"] == "ready":
            report = output["report"]
            self._step(operation, f"{report['status']}, {'a match' if report['hasMatch'] else 'no match'}")
        elif operation == "approve_inquiry":
            self._step(operation, f"{output['inquiry']['status']}: {output['inquiry']['reviewerComment']}")
        elif operation == "print_inquiry_pdf":
            self._step(operation, f"{output['file']['name']}, {output['file']['size']} bytes")
        elif operation == "get_verification":
            verification = output["verification"]
            checks = verification["checks"]
            passed = sum(check["status"] == "passed" for check in checks)
            self._step(operation, f"{verification['type']}: {verification['status']}, {passed} of {len(checks)} checks passed")
        elif operation == "get_document":
            document = output["document"]
            self._step(operation, f"{document['type']}: {document['status']}, {len(document['files'])} files")

    async def _look(self, runner: Runner) -> None:
        for verification_id in self._inquiry["verificationIds"]:
            await runner.call("get_verification", {"verificationId": verification_id})
        for document_id in self._inquiry["documentIds"]:
            await runner.call("get_document", {"documentId": document_id})

    async def _import(self, runner: Runner) -> None:
        with self._files.writer("customers.csv", "text/csv") as writer:
            writer.write(CSV.encode())
            customers = writer.commit()
        importer = (await runner.call("import_accounts", {"file": customers}))["importer"]
        self._step("import_accounts", f"{customers.name} as {importer['id']}: {importer['status']}")
        done = (await runner.wait("get_importer", {"importerId": importer["id"]}, delay=POLL))["importer"]
        counts = f"{done['successfulCount']} new, {done['duplicateCount']} known, {done['errorCount']} unreadable"
        self._step("get_importer", f"{done['status']}: {counts}")

    def _step(self, name: str, result: str) -> None:
        self._number += 1
        self._show(f"{self._number:>3}  {name:<25} {result}")


async def run_demo(folder: Path, show: Show = print_lines, sandbox: Sandbox | None = None) -> None:
    """Play the demo in a sandbox, by default a new one, with its files in `folder`; raises PersonaError where a step fails."""
    from cryptography.fernet import Fernet

    from ..flows import Engine, Ports, Settings
    from ..flows.targets.storage import check_folder

    try:
        check_folder(str(folder))
    except InputError as error:
        raise InputError("demo", [Problem("--output-dir", each.message) for each in error.problems]) from None
    started = time.monotonic()
    show("A simulation: an offline Persona in this process. Nobody is verified and nothing leaves this machine.")
    show(f"The workflow {WORKFLOW} runs as a durable flow, in a database that is deleted at the end.")
    show("")
    sandbox = sandbox or Sandbox(settings=SandboxSettings(report_delay=QUICK, import_delay=QUICK))
    demo = Demo(sandbox, FileStore(folder), show)
    with tempfile.TemporaryDirectory() as work:
        settings = Settings(
            encryption_keys=[Fernet.generate_key().decode()], files=work, first_poll=POLL, wake_poll=0.05, log_level="CRITICAL"
        )
        ports = Ports({"mail": demo, "slack": demo})
        try:
            async with Engine(f"{work}/flows.sqlite", runner=demo.runner, ports=ports, settings=settings) as engine:
                await demo.play(engine, folder)
        finally:
            sandbox.close()
    show("")
    show(f"Done in {time.monotonic() - started:.1f} s. The files are in {folder}")
