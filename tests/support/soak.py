"""A seeded soak: many operations at a time against a sandbox that goes wrong, compared with its own records afterwards."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from persona_block import Runner, Sandbox, ToolResult
from persona_block.sandbox.serving.faults import Faults
from persona_block.sandbox.state.records import Effect
from persona_block.spec import catalog
from persona_block.typed import CreateInquiryParams

AT_ONCE = 20
"""How many operations are under way at a time."""

TIMEOUT = 0.75
DEADLINE = 5.0
"""Seconds for one attempt and for one operation."""

EVENTS = {
    "create_account": "account.created",
    "create_inquiry": "inquiry.created",
    "create_report": "report.created",
    "approve_inquiry": "inquiry.approved",
    "redact_inquiry": "inquiry.redacted",
    "update_inquiry": "inquiry.updated",
    "get_inquiry": None,
}
"""The operations that are played, and the event that each leaves in the sandbox's records."""


@dataclass
class Report:
    """What a soak counted, and every sentence in which a caller was told what is not so."""

    operations: int = 0
    succeeded: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)
    untrue: list[str] = field(default_factory=list)


@dataclass
class _Finished:
    """One operation that has ended: what it was done to, and what its caller was told."""

    operation: str
    subject: str
    result: ToolResult

    @property
    def took_effect(self) -> str | None:
        """What the caller of a failed operation was told of its effect: `no`, `unknown`, or nothing."""
        return (self.result.error_details or {}).get("tookEffect")


async def soak(operations: int, seed: int = 1, rate: float = 0.2) -> Report:
    """Run so many operations, with a fault in `rate` of all requests, and compare the results with the records."""
    sandbox = Sandbox(seed=seed)
    generator = random.Random(seed)
    inquiry_ids = await _create_inquiries(sandbox, operations)
    limit = asyncio.Semaphore(AT_ONCE)
    finished: list[_Finished] = []

    async def one(runner: Runner, number: int) -> None:
        async with limit:
            operation = generator.choice(list(EVENTS))
            finished.append(await _operate(runner, sandbox, operation, number, inquiry_ids[number]))

    sandbox.faults = faults = Faults(rate, seed=seed)
    async with sandbox.serve() as base_url:
        async with Runner(api_key=sandbox.api_key, base_url=base_url, timeout=TIMEOUT, deadline=DEADLINE) as runner:
            await asyncio.gather(*(one(runner, number) for number in range(operations)))
    report = _compare(finished, sandbox.effects, _marks(sandbox))
    report.injected = faults.injected
    sandbox.close()
    return report


async def _create_inquiries(sandbox: Sandbox, count: int) -> list[str]:
    """Create an inquiry for each operation that may need one, without faults, and return the ids."""
    params: CreateInquiryParams = {"inquiryTemplateId": sandbox.templates.inquiry}
    async with Runner(api_key=sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport) as runner:
        return [(await runner.call("create_inquiry", params))["inquiry"]["id"] for _ in range(count)]


async def _operate(runner: Runner, sandbox: Sandbox, operation: str, number: int, inquiry_id: str) -> _Finished:
    """Run one operation; what it creates carries a mark by which it is recognised."""
    mark = f"soak-{number}"
    params: dict[str, Any] = {
        "create_account": {"referenceId": mark},
        "create_inquiry": {"inquiryTemplateId": sandbox.templates.inquiry, "note": mark},
        "create_report": {"reportType": "watchlist", "reportTemplateId": sandbox.templates.watchlist, "term": mark},
        "update_inquiry": {"inquiryId": inquiry_id, "note": mark},
    }.get(operation, {"inquiryId": inquiry_id})
    result = await runner.run(catalog.operation(operation), params)
    return _Finished(operation, mark if operation.startswith("create") else inquiry_id, result)


def _marks(sandbox: Sandbox) -> dict[str, str]:
    """Return the mark of everything that was created, by its id."""
    store = sandbox.organization.store
    marks = {}
    for effect in sandbox.effects:
        resource = store.get(effect.resource_id)
        if resource is not None:
            attributes = resource.attributes
            marks[resource.id] = attributes.get("reference-id") or attributes.get("note") or attributes.get("term") or ""
    return marks


def _compare(finished: list[_Finished], effects: list[Effect], marks: dict[str, str]) -> Report:
    """Compare what every caller was told with what the sandbox recorded."""
    effect_counts: Counter[tuple[str, str]] = Counter()
    for effect in effects:
        is_creation = effect.name.endswith(".created")
        subject = marks.get(effect.resource_id, "") if is_creation else effect.resource_id
        event = "report.created" if effect.name.startswith("report") and is_creation else effect.name
        effect_counts[event, subject] += 1
    report = Report(operations=len(finished))
    for operation in finished:
        event_name = EVENTS[operation.operation]
        problem = _untrue_read(operation)
        if event_name is not None:
            problem = _untrue_change(operation, effect_counts[event_name, operation.subject])
        report.succeeded += operation.result.success
        if not operation.result.success:
            report.failed[str(operation.took_effect)] += 1
        if problem:
            result = operation.result
            report.untrue.append(f"{operation.operation} {operation.subject}: {problem}; {result.error} {result.retries}")
    return report


def _untrue_read(operation: _Finished) -> str:
    """Return what is untrue of a read, or an empty text."""
    if operation.result.success or operation.took_effect is None:
        return ""
    return f"a read that tells {operation.took_effect}"


def _untrue_change(operation: _Finished, count: int) -> str:
    """Return what is untrue of an operation that took effect so many times, or an empty text."""
    success, took_effect = operation.result.success, operation.took_effect
    if count > 1 and operation.operation != "update_inquiry":
        return f"happened {count} times"
    if success and count == 0:
        return "was reported successful and never happened"
    if not success and took_effect == "no" and count:
        return "was reported without effect and happened"
    if not success and took_effect not in ("no", "unknown"):
        return f"failed and told {took_effect}"
    return ""
