"""The command `persona-block demo`: one onboarding from first link to archive, played against an offline Persona."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.store import FileStore
from ..runner import Runner
from ..sandbox import TEMPLATES, Sandbox
from .terminal import print_lines

if TYPE_CHECKING:
    from ..typed.params import CreateReportParams
    from ..typed.resources import Inquiry

CUSTOMER = "customer-1042"
PERSON = {"name-first": "Jane", "name-last": "Doe", "birthdate": "1994-04-12"}
CSV = """reference_id,name_first,name_middle,name_last,birthdate,social_security_number,tags
customer-2001,Ada,,Byron,1990-12-10,,imported
customer-2002,Grace,,Hopper,1986-12-09,,imported
customer-1042,Jane,,Doe,1994-04-12,,imported
customer-2003,ImportError,,Berg,1990-01-02,,imported
"""
POLL = 0.25
"""Seconds between two reads of a report or an import."""

Show = Callable[[str], None]
"""Called with each line of text to show."""


class Demo:
    """One play of the demo: its steps in order, each shown as it happens."""

    def __init__(self, runner: Runner, sandbox: Sandbox, files: FileStore, show: Show) -> None:
        self._runner = runner
        self._sandbox = sandbox
        self._files = files
        self._show = show
        self._number = 0

    async def play(self) -> None:
        """Onboard one customer, then import a few more."""
        inquiry = await self._invite()
        self._applicant(inquiry["id"])
        await self._read(inquiry["id"])
        assert inquiry["accountId"] is not None, "an account is made for the reference id"
        await self._screen(inquiry["accountId"])
        await self._decide(inquiry["id"])
        await self._import()

    async def _invite(self) -> Inquiry:
        output = await self._runner.call(
            "create_inquiry", {"inquiryTemplateId": TEMPLATES.inquiry, "referenceId": CUSTOMER, "fields": PERSON}
        )
        inquiry = output["inquiry"]
        self._step("create_inquiry", f"{inquiry['id']} for {CUSTOMER}: {inquiry['status']}")
        link = await self._runner.call("generate_inquiry_link", {"inquiryId": inquiry["id"], "expiresInSeconds": 3600})
        self._step("generate_inquiry_link", f"{link['oneTimeLink']}, good for one hour")
        return inquiry

    def _applicant(self, inquiry_id: str) -> None:
        self._sandbox.complete(inquiry_id)
        self._step("the applicant, SIMULATED", "opens the link, shows a government id, takes a selfie")

    async def _read(self, inquiry_id: str) -> None:
        inquiry = (await self._runner.wait("get_inquiry", {"inquiryId": inquiry_id}, delay=POLL))["inquiry"]
        self._step("get_inquiry", f"{inquiry['status']} at {inquiry['completedAt']}")
        for verification_id in inquiry["verificationIds"]:
            verification = (await self._runner.call("get_verification", {"verificationId": verification_id}))["verification"]
            checks = verification["checks"]
            passed = sum(check["status"] == "passed" for check in checks)
            self._step(
                "get_verification",
                f"{verification['type']}: {verification['status']}, {passed} of {len(checks)} checks passed",
            )
        for document_id in inquiry["documentIds"]:
            document = (await self._runner.call("get_document", {"documentId": document_id}))["document"]
            self._step("get_document", f"{document['type']}: {document['status']}, {len(document['files'])} files")

    async def _screen(self, account_id: str) -> None:
        params: CreateReportParams = {
            "reportType": "watchlist",
            "reportTemplateId": TEMPLATES.watchlist,
            "nameFirst": PERSON["name-first"],
            "nameLast": PERSON["name-last"],
            "birthdate": PERSON["birthdate"],
            "accountId": account_id,
        }
        report = (await self._runner.call("create_report", params))["report"]
        self._step("create_report", f"{report['id']}: {report['status']}")
        report = (await self._runner.wait("get_report", {"reportId": report["id"]}, delay=POLL))["report"]
        self._step("get_report", f"{report['status']}, {'a match' if report['hasMatch'] else 'no match'}")

    async def _decide(self, inquiry_id: str) -> None:
        output = await self._runner.call(
            "approve_inquiry", {"inquiryId": inquiry_id, "comment": "Checks passed, screening clear"}
        )
        inquiry = output["inquiry"]
        self._step("approve_inquiry", f"{inquiry['status']}: {inquiry['reviewerComment']}")
        file = (await self._runner.call("print_inquiry_pdf", {"inquiryId": inquiry_id}))["file"]
        self._step("print_inquiry_pdf", f"{file['name']}, {file['size']} bytes")

    async def _import(self) -> None:
        with self._files.writer("customers.csv", "text/csv") as writer:
            writer.write(CSV.encode())
            customers = writer.commit()
        importer = (await self._runner.call("import_accounts", {"file": customers}))["importer"]
        self._step("import_accounts", f"{customers.name} as {importer['id']}: {importer['status']}")
        done = (await self._runner.wait("get_importer", {"importerId": importer["id"]}, delay=POLL))["importer"]
        counts = f"{done['successfulCount']} new, {done['duplicateCount']} known, {done['errorCount']} unreadable"
        self._step("get_importer", f"{done['status']}: {counts}")

    def _step(self, name: str, result: str) -> None:
        self._number += 1
        self._show(f"{self._number:>3}  {name:<25} {result}")


async def run_demo(folder: Path, show: Show = print_lines, sandbox: Sandbox | None = None) -> None:
    """Play the demo in a sandbox, by default a new one, with its files in `folder`; raises PersonaError where a step fails."""
    started = time.monotonic()
    show("A simulation: an offline Persona in this process. Nobody is verified and nothing leaves this machine.")
    show("")
    sandbox = sandbox or Sandbox()
    files = FileStore(folder)
    try:
        async with Runner(
            api_key=sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport, files=files
        ) as runner:
            await Demo(runner, sandbox, files, show).play()
    finally:
        sandbox.close()
    show("")
    show(f"Done in {time.monotonic() - started:.1f} s. The files are in {folder}")
