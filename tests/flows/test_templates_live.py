"""The manifest's workflow templates, executed by the real runner against the offline Persona."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from persona_block import FileStore, Runner, Sandbox, manifest
from persona_block.flows.document import Actions, Place, run_document
from persona_block.sandbox import Settings
from persona_block.spec import catalog
from persona_block.typed import CreateInquiryParams, Inquiry

WORKFLOWS: dict[str, dict[str, Any]] = {template["name"]: template for template in manifest()["templates"]}


def _inputs(template: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the examples of a template's inputs, ids replaced by ones that exist."""
    return {name: known.get(name, shape["examples"][0]) for name, shape in template["inputs"].items()}


async def _prepare(runner: Runner, sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """Make what the templates work on: a customer with a finished inquiry, one in review, and a file to import."""
    ids = sandbox.templates
    inquiries: dict[str, Inquiry] = {}
    for name, outcome in (("Finished", "pass"), ("Waiting", "review")):
        params: CreateInquiryParams = {
            "inquiryTemplateId": ids.inquiry,
            "referenceId": f"customer-{name}",
            "fields": {"name-first": "Jane"},
        }
        inquiries[name] = (await runner.call("create_inquiry", params))["inquiry"]
        sandbox.complete(inquiries[name]["id"], outcome)
    (case,) = (await runner.call("list_cases", {"inquiryId": inquiries["Waiting"]["id"]}))["cases"]
    csv = tmp_path / "customers.csv"
    csv.write_text("reference_id,name_first\ncustomer-1,Ada\n")
    return {
        "inquiryTemplateId": ids.inquiry,
        "reportTemplateId": ids.watchlist,
        "watchlistTemplateId": ids.watchlist,
        "mediaTemplateId": ids.adverse_media,
        "officeTemplateId": ids.politically_exposed_person,
        "inquiryId": inquiries["Finished"]["id"],
        "caseId": case["id"],
        "accountId": inquiries["Finished"]["accountId"],
        "referenceId": "customer-Finished",
        "file": str(csv),
    }


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
async def test_template_runs(name: str, tmp_path: Path) -> None:
    template = WORKFLOWS[name]
    sandbox = Sandbox(settings=Settings(report_delay=0, import_delay=0))

    async def host(_: str, step: dict[str, Any], _place: Place) -> dict[str, Any]:
        return {"answer": (step.get("options") or ["yes"])[0], "comment": "Looks right", "url": "memory://stored"}

    async with Runner(
        api_key=sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport, files=FileStore(tmp_path)
    ) as runner:
        known = await _prepare(runner, sandbox, tmp_path)

        async def call(operation: str, params: dict[str, Any], _place: Place) -> dict[str, Any]:
            return await runner.call(catalog.operation(operation), params)

        async def wait(operation: str, params: dict[str, Any], _place: Place, _timeout: Any) -> dict[str, Any]:
            if operation == "get_inquiry":
                inquiry = (await runner.call(catalog.operation(operation), params))["inquiry"]
                if inquiry["status"] in ("created", "pending"):
                    sandbox.complete(params["inquiryId"], "pass")
            return await runner.wait(catalog.operation(operation), params, delay=0.01, deadline=2)

        results = await run_document(template, _inputs(template, known), Actions(call, wait, host))
    sandbox.close()
    assert results, f"{name} did nothing"
    for step in template["steps"]:
        if "operation" in step and step["id"] in results:
            result = results[step["id"]]
            for output in result if isinstance(result, list) else [result]:
                assert set(output) - {"item"} == set(_outputs(step)), step["id"]


def _outputs(step: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs of a step's operation, or of the one that waits for what it starts."""
    spec = catalog.load(step["operation"])
    return catalog.load(spec.then.operation).output if step.get("wait") and spec.then else spec.output
