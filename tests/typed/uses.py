"""Calls as programs write them: type checkers have to refuse each line that ends in `# wrong`, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, assert_type

from persona_block import BlockingRunner, Mapped, OperationName, Runner, ToolResult, operation, run_sync
from persona_block.typed import (
    CreateAccountParams,
    CreateReportParams,
    GetInquiryOutput,
    GetReportOutput,
    Inquiry,
    ListInquiriesOutput,
    VerificationFile,
)

SCREENING: CreateReportParams = {"reportType": "watchlist", "reportTemplateId": "rptp_1", "term": "Jane Doe"}


async def calls(runner: Runner, stream: IO[bytes]) -> None:
    output = await runner.call("get_inquiry", {"inquiryId": "inq_1"}, idempotency_key="one")
    assert_type(output, GetInquiryOutput)
    assert_type(output["inquiry"], Inquiry)
    assert_type(output["inquiry"]["status"], str | None)
    assert_type(output["inquiry"]["reportIds"], list[str])
    assert_type((await runner.call("list_accounts"))["nextCursor"], str | None)
    verification = (await runner.call("get_verification", {"verificationId": "ver_1"}))["verification"]
    assert_type(verification["files"], list[VerificationFile])
    await runner.call("create_inquiry", {"inquiryTemplateId": "itmpl_1", "fields": {"name-first": "Jane"}, "tags": ["vip"]})
    await runner.call("create_report", {"apiKey": "key", **SCREENING})
    for file in ("accounts.csv", Path("accounts.csv"), b"reference_id", {"url": "s3://bucket/accounts.csv"}, stream):
        await runner.call("import_accounts", {"file": file})
    stored = (await runner.call("print_inquiry_pdf", {"inquiryId": "inq_1"}, overwrite=True))["file"]
    assert_type(stored["path"], str | None)

    await runner.call("get_inquiri", {"inquiryId": "inq_1"})  # wrong
    await runner.call("get_inquiry")  # wrong
    await runner.call("get_inquiry", {})  # wrong
    await runner.call("get_inquiry", {"inquiryID": "inq_1"})  # wrong
    await runner.call("get_inquiry", {"inquiryId": 1})  # wrong
    await runner.call("get_inquiry", {"inquiryId": "inq_1", "note": "unasked"})  # wrong
    await runner.call("get_inquiry", {"inquiryId": "inq_1"}, all_pages=True)  # wrong
    await runner.call("list_inquiries", {"pageSize": "many"})  # wrong
    await runner.call("create_report", {"reportType": "watch-list", "reportTemplateId": "rptp_1", "term": "Jane"})  # wrong
    await runner.call("create_inquiry", {"inquiryTemplateId": "itmpl_1", "accountId": None})  # wrong
    await runner.call("create_inquiry", {"inquiryTemplateId": "itmpl_1", "fields": "name-first"})  # wrong
    await runner.call("create_inquiry", {"inquiryTemplateId": "itmpl_1", "tags": [1]})  # wrong
    await runner.call("import_accounts", {"file": 5})  # wrong
    print(output["inquiries"])  # wrong
    print(output["inquiry"]["state"])  # wrong
    print(stored["name"].path)  # wrong
    print(len(output["inquiry"]["status"]))  # wrong


async def envelopes(runner: Runner) -> None:
    result = await runner.run("get_inquiry", {"inquiryId": "inq_1"}, wait=True)
    assert_type(result, ToolResult[GetInquiryOutput])
    assert_type(result.output["inquiry"]["id"], str)
    anything: ToolResult = result
    print(anything.output["whatever"])
    assert_type(run_sync("get_inquiry", {"inquiryId": "inq_1"}, api_key="key").output, GetInquiryOutput)

    await runner.run("approve_inquiri", {"inquiryId": "inq_1"})  # wrong
    await runner.run("approve_inquiry", {"inquiryId": "inq_1", "coment": "Clear"})  # wrong
    await runner.run("approve_inquiry", {"inquiryId": "inq_1"}, idempotency_key=7)  # wrong
    print(result.output["inquiry"]["approved"])  # wrong
    run_sync("get_inquiry", {"accountId": "act_1"})  # wrong


async def lists_and_waits(runner: Runner) -> None:
    async for page in runner.paginate("list_inquiries", {"status": "needs_review"}, max_items=50):
        assert_type(page, ListInquiriesOutput)
        assert_type(page["inquiries"][0]["createdAt"], str | None)
    assert_type(await runner.wait("create_report", SCREENING, delay=1), GetReportOutput)
    await runner.wait("get_inquiry", {"inquiryId": "inq_1"}, until={"approved", "declined"})
    await runner.wait(
        "get_inquiry", {"inquiryId": "inq_1"}, until=lambda output: output["inquiry"]["decisionedAt"] is not None
    )

    runner.paginate("get_inquiry", {"inquiryId": "inq_1"})  # wrong
    runner.paginate("list_inquiries", {"state": "needs_review"})  # wrong
    runner.paginate("list_inquiries", max_item=5)  # wrong
    await runner.wait("list_inquiries")  # wrong
    await runner.wait("get_inquiry", {"inquiryId": "inq_1"}, until=5)  # wrong
    await runner.wait("get_inquiry", {"inquiryId": "inq_1"}, until=lambda output: output["report"] is not None)  # wrong


async def rows(runner: Runner, people: list[CreateAccountParams]) -> None:
    async for mapped in runner.map("get_inquiry", [{"inquiryId": "inq_1"}, {"inquiryId": "inq_2"}], key="inquiryId"):
        assert_type(mapped, Mapped[GetInquiryOutput])
        assert_type(mapped.result.output["inquiry"], Inquiry)
    runner.map("create_account", people, key=lambda row: row.get("referenceId"), concurrency=4)

    runner.map("get_inquiry", [{"inquiryId": "inq_1"}, {"inquiry": "inq_2"}])  # wrong
    runner.map("get_inquiry", people)  # wrong
    runner.map("create_account", people, key="reference")  # wrong
    runner.map("create_account", people, key=lambda row: row["reference"])  # wrong
    runner.map("create_accounts", people)  # wrong


def blocking(runner: BlockingRunner) -> None:
    assert_type(runner.call("get_inquiry", {"inquiryId": "inq_1"}), GetInquiryOutput)
    assert_type(runner.run("get_inquiry", {"inquiryId": "inq_1"}).output, GetInquiryOutput)
    assert_type(runner.wait("create_report", SCREENING)["report"]["hasMatch"], bool | None)
    assert_type([page["nextCursor"] for page in runner.paginate("list_cases")], list[str | None])
    for mapped in runner.map("get_inquiry", [{"inquiryId": "inq_1"}]):
        assert_type(mapped.result, ToolResult[GetInquiryOutput])

    runner.call("get_inquiry", {"caseId": "case_1"})  # wrong
    runner.run("get_inquiry", {"inquiryId": ["inq_1"]})  # wrong
    runner.wait("get_case", {"caseId": "case_1"})  # wrong
    runner.paginate("get_case", {"caseId": "case_1"})  # wrong
    runner.map("get_inquiry", {"inquiryId": "inq_1"})  # wrong


async def variables(runner: Runner, name: str, params: dict[str, Any]) -> None:
    checked = operation(name)
    assert_type(checked, OperationName)
    assert_type(await runner.call(checked, params), dict[str, Any])
    assert_type((await runner.run(checked)).output, dict[str, Any])
    assert_type(await runner.wait(checked, params, until=lambda output: bool(output["anything"])), dict[str, Any])
    assert_type(await runner.call(operation("persona_get_inquiry"), params), dict[str, Any])
    async for mapped in runner.map(checked, [params], key="whatever"):
        assert_type(mapped, Mapped[dict[str, Any]])

    await runner.call(name, params)  # wrong
    await runner.call("get_inquiry", params)  # wrong
    await runner.call("persona_get_inquiry", {"inquiryId": "inq_1"})  # wrong
    await runner.call(checked, "params")  # wrong
    operation(7)  # wrong
    runner.paginate(name)  # wrong
