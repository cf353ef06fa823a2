"""A seeded soak: many operations at a time against a sandbox that goes wrong, and then its own records of what happened."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from persona_block import Runner, Sandbox, ToolResult
from persona_block.sandbox.serving.faults import Faults
from persona_block.sandbox.state.records import Effect

AT_ONCE = 20


@dataclass
class Report:
    """What a soak found."""

    operations: int = 0
    succeeded: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    untrue: list[str] = field(default_factory=list)


@dataclass
class _Done:
    """One operation, how its effect is recognised in the sandbox's records, and what its caller was told."""

    operation: str
    event: str
    subject: str
    result: ToolResult


async def soak(operations: int, seed: int = 1, rate: float = 0.2) -> Report:
    """Run so many operations, one in `1 / rate` requests hit by a fault, and hold the results against the records."""
    sandbox = Sandbox(seed=seed)
    faults = Faults(rate, seed=seed)
    chance = random.Random(seed)
    ready = await _prepare(sandbox, operations)
    gate = asyncio.Semaphore(AT_ONCE)
    done: list[_Done] = []

    async def one(runner: Runner, number: int) -> None:
        async with gate:
            done.append(await _operate(runner, sandbox, chance.choice(_KINDS), number, ready))

    sandbox.faults = faults
    async with sandbox.serve() as base_url:
        async with Runner(api_key=sandbox.api_key, base_url=base_url, timeout=0.75, deadline=5) as runner:
            await asyncio.gather(*(one(runner, number) for number in range(operations)))
    report = _judge(done, sandbox.effects, _subjects(sandbox))
    report.injected = faults.injected
    sandbox.close()
    return report


_KINDS = (
    "create_account",
    "create_inquiry",
    "create_report",
    "approve_inquiry",
    "redact_inquiry",
    "update_inquiry",
    "get_inquiry",
)
_EVENTS = {
    "create_account": "account.created",
    "create_inquiry": "inquiry.created",
    "create_report": "report.created",
    "approve_inquiry": "inquiry.approved",
    "redact_inquiry": "inquiry.redacted",
    "update_inquiry": "inquiry.updated",
    "get_inquiry": "",
}


async def _prepare(sandbox: Sandbox, count: int) -> list[str]:
    """An inquiry for each operation that needs one, made without faults."""
    params = {"inquiryTemplateId": sandbox.templates.inquiry}
    async with Runner(api_key=sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport) as runner:
        return [(await runner.call("create_inquiry", params))["inquiry"]["id"] for _ in range(count)]


async def _operate(runner: Runner, sandbox: Sandbox, operation: str, number: int, ready: list[str]) -> _Done:
    mark = f"soak-{number}"
    params: dict[str, Any] = {
        "create_account": {"referenceId": mark},
        "create_inquiry": {"inquiryTemplateId": sandbox.templates.inquiry, "note": mark},
        "create_report": {"reportType": "watchlist", "reportTemplateId": sandbox.templates.watchlist, "term": mark},
        "update_inquiry": {"inquiryId": ready[number], "note": mark},
    }.get(operation, {"inquiryId": ready[number]})
    result = await runner.run(operation, params)
    subject = mark if operation.startswith("create") else ready[number]
    return _Done(operation, _EVENTS[operation], subject, result)


def _subjects(sandbox: Sandbox) -> dict[str, str]:
    """The mark of everything that was created, by its id."""
    store = sandbox.organization.store
    marks = {}
    for effect in sandbox.effects:
        resource = store.get(effect.resource_id)
        if resource is not None:
            attributes = resource.attributes
            marks[resource.id] = attributes.get("reference-id") or attributes.get("note") or attributes.get("term") or ""
    return marks


def _judge(done: list[_Done], effects: list[Effect], marks: dict[str, str]) -> Report:
    """Hold what every caller was told against what the sandbox recorded."""
    happened: Counter[tuple[str, str]] = Counter()
    for effect in effects:
        created = effect.name.endswith(".created")
        subject = marks.get(effect.resource_id, "") if created else effect.resource_id
        event = "report.created" if effect.name.startswith("report") and created else effect.name
        happened[event, subject] += 1
    report = Report(operations=len(done))
    for each in done:
        count = happened[each.event, each.subject]
        told = (each.result.error_details or {}).get("tookEffect")
        report.succeeded += each.result.success
        if not each.result.success:
            report.failed[str(told)] += 1
        problem = _untrue(each, count, told)
        if problem:
            report.untrue.append(f"{each.operation} {each.subject}: {problem}; {each.result.error} {each.result.retries}")
    return report


def _untrue(each: _Done, count: int, told: str | None) -> str:
    if not each.event:
        return "" if each.result.success or told is None else f"a read that tells {told}"
    repeatable = each.operation == "update_inquiry"
    if count > 1 and not repeatable:
        return f"happened {count} times"
    if each.result.success and count == 0:
        return "was reported successful and never happened"
    if not each.result.success and told == "no" and count:
        return "was reported without effect and happened"
    if not each.result.success and told not in ("no", "unknown"):
        return f"failed and told {told}"
    return ""


if __name__ == "__main__":
    found = asyncio.run(soak(5_000))
    print(f"{found.operations} operations, {found.succeeded} succeeded, failed {dict(found.failed)}")
    print(f"faults: {dict(found.injected)}")
    print(f"untrue: {len(found.untrue)}", *found.untrue[:10], sep="\n")
