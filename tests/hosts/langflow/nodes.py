"""Values of nodes for every operation, about objects of an offline Persona."""

from __future__ import annotations

from typing import Any

from persona_block.hosts.langflow.fields import AGREED, OPERATION, SANDBOX, TYPED, fields_of
from persona_block.sandbox import Sandbox
from persona_block.spec import catalog
from persona_block.spec.grammar import ToolSpec

CSV = "reference_id,name_first,name_last\ncustomer-9001,Jane,Doe\n"
TEMPLATE = "itmpl_GovernmentIdAndSelfie"
VALUES = {
    "inquiryTemplateId": TEMPLATE,
    "reportType": "watchlist",
    "reportTemplateId": "rptp_Watchlist",
    "term": "Jane Doe",
    "note": "Signed up",
    "referenceId": "customer-9777",
    "file": CSV,
}
"""What is filled in for a param where it is needed."""


async def object_ids(sandbox: Sandbox) -> dict[str, str]:
    """Return the id of one object of each kind, by the param that takes it: an inquiry that has been completed, and others."""
    async with sandbox.runner() as runner:
        started = (await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATE, "referenceId": "customer-9000"}))[
            "inquiry"
        ]
        sandbox.complete(started["id"], "review")
        inquiry = (await runner.call("get_inquiry", {"inquiryId": started["id"]}))["inquiry"]
        report = (await runner.call("list_reports", {}))["reports"][0]
        case = (await runner.call("list_cases", {}))["cases"][0]
        importer = await runner.call("import_accounts", {"file": {"name": "a.csv", "content": CSV}})
    found: dict[str, Any] = {
        "inquiryId": inquiry["id"],
        "accountId": inquiry["accountId"],
        "verificationId": inquiry["verificationIds"][0],
        "documentId": inquiry["documentIds"][0],
        "reportId": report["id"],
        "caseId": case["id"],
        "importerId": importer["importer"]["id"],
    }
    return found


async def filled_in(sandbox: Sandbox, spec: ToolSpec) -> dict[str, Any]:
    """Return the values of a node with all that an operation needs, and nothing else."""
    ids: dict[str, str] = await object_ids(sandbox)
    if spec.name in ("resume_inquiry", "generate_inquiry_link", "expire_inquiry"):
        async with sandbox.runner() as runner:
            ids["inquiryId"] = (await runner.call("create_inquiry", {"inquiryTemplateId": TEMPLATE}))["inquiry"]["id"]
    needed = {*spec.required, *spec.require_any[:1]}
    values: dict[str, Any] = {OPERATION: spec.title, SANDBOX: True, AGREED: True}
    for field in fields_of(spec.name):
        if field.param in needed and field.kind != "file":
            values[field.name] = (VALUES | ids)[field.param]
    if spec.effect == "erase":
        values[TYPED] = next(value for name, value in values.items() if name.endswith("_id"))
    return values


ALL = catalog.in_order_of_use()
"""Every operation."""
