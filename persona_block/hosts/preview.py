"""The object that a person is asked about, read before they are asked: how it stands, failed checks, reports with matches."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ..call.parse import first
from ..errors import PersonaError, Unavailable
from ..runner import Runner
from ..spec import catalog
from ..spec.grammar import API_KEY_PARAM, Confirm, ToolSpec
from .tool import lister_of, object_output, reader_of
from .visible import visible, visible_text

PREVIEW_SECONDS = 15.0
"""Seconds for reading the object; without it nobody is asked."""
EVIDENCE_SECONDS = 15.0
"""Seconds for reading the verifications and reports beside it; without them the question says so."""
EVIDENCE_LIMIT = 10
"""How many verifications, and how many reports, are read for one question."""

_VERIFICATION, _REPORT = "verification", "report"
"""The types of the objects that speak for or against a person."""
_FAILED = ("failed", "errored", "requires_retry")
"""The statuses of checks and verifications that speak against a person."""
_SUBMITTED_AT = "completedAt"
_DECIDED_ABOUT = ("id", "status", "redactedAt", "referenceId", "accountId", "inquiryTemplateId", "fields", "verificationIds")
"""The fields of an object that a decision hangs on: how it stands, and whom it is about."""
_SHOWN_IDS_LIMIT = 5
"""How many failed checks, or reports with matches, are named in a question; the number says how many more there are."""
_TEXT_LIMIT = 200
"""Characters of one text of the object that a question shows."""


@dataclass(frozen=True)
class Evidence:
    """What was read beside the object; None where it could not be read."""

    failed_checks: tuple[str, ...] | None
    checks: int
    matched_reports: tuple[str, ...] | None
    reports: int
    open_reports: int
    """How many reports have no result yet."""
    unread: int = 0
    """How many verifications and reports there are beyond EVIDENCE_LIMIT."""
    has_older_reports: bool = False
    """Whether the account has more reports than its latest EVIDENCE_LIMIT."""


@dataclass(frozen=True)
class Preview:
    """An object as it is now.

    held: whether the object is already as the operation would make it.
    """

    object: Mapping[str, Any] = field(repr=False)
    evidence: Evidence | None
    held: bool

    @property
    def state(self) -> str:
        """What stands for all that a decision hangs on, so that a change of it is noticed; it tells nothing of it."""
        evidence = self.evidence
        found = [evidence.failed_checks, evidence.matched_reports] if evidence else []
        state = [*map(self.object.get, _DECIDED_ABOUT), found]
        return sha256(json.dumps(state, default=str).encode()).hexdigest()

    @property
    def is_settled(self) -> bool:
        """Whether somebody has decided about the object, or erased it."""
        return any(self.object.get(name) is not None for name in ("decisionedAt", "redactedAt"))


async def read_preview(runner: Runner, spec: ToolSpec, params: Mapping[str, Any]) -> Preview | None:
    """Return the object that an operation decides about or erases; None where the operation names none that can be read.

    params: the checked params, and the API key.

    Raises PersonaError where the object cannot be read, as where its id leads nowhere; nothing was changed then.
    """
    if spec.confirm is None:
        return None
    reader = catalog.load(spec.confirm.operation)
    output = object_output(reader)
    if output is None:
        return None
    try:
        async with asyncio.timeout(PREVIEW_SECONDS):
            read = await runner.call(reader.name, _params_of(reader, params))
    except TimeoutError:
        text = f"{reader.name} took longer than {PREVIEW_SECONDS:.0f} seconds, and a person has to see the object first."
        raise Unavailable(text, status=408, took_effect="no") from None
    except PersonaError as error:
        raise error.revised(took_effect="no") from None
    described: Mapping[str, Any] = read[output.name]
    evidence = await _evidence(runner, described, params[API_KEY_PARAM]) if spec.effect == "decide" else None
    return Preview(described, evidence, _holds(read, spec.confirm))


def preview_lines(preview: Preview, template_names: Mapping[str, str]) -> list[str]:
    """Return what a question says of the object: no name, no birthdate, nothing that the decision does not hang on."""
    described, evidence = preview.object, preview.evidence
    template = str(described.get("inquiryTemplateId") or "")
    template_name = f" {visible(template_names[template])}" if template in template_names else ""
    facts = [
        ("status", _text(described.get("status"))),
        ("reference id", _text(described.get("referenceId"), quoted=True)),
        ("template", f"{_text(template)}{template_name}" if template else None),
        ("submitted", _text(described.get(_SUBMITTED_AT))),
        ("decided", _text(described.get("decisionedAt"))),
        ("erased", _text(described.get("redactedAt"))),
    ]
    lines = ["Now: " + ", ".join(f"{name} {shown}" for name, shown in facts if shown is not None)]
    if evidence is None:
        return [*lines, *_holdings(described)]
    lines.append("Failed checks: " + _found(evidence.failed_checks, evidence.checks))
    still_open = f"; {evidence.open_reports} without a result yet" if evidence.open_reports else ""
    lines.append("Reports with matches: " + _found(evidence.matched_reports, evidence.reports) + still_open)
    if evidence.unread:
        lines.append(f"Not read: {evidence.unread} more verifications and reports")
    if evidence.has_older_reports:
        lines.append(f"Not read: the account's reports before its latest {EVIDENCE_LIMIT}")
    return lines


def _found(found: Sequence[str] | None, total: int) -> str:
    if found is None:
        return "could not be read"
    if not found:
        return f"none of {total}" if total else "there are none"
    more = f" and {len(found) - _SHOWN_IDS_LIMIT} more" if len(found) > _SHOWN_IDS_LIMIT else ""
    return f"{len(found)} of {total}: " + "; ".join(found[:_SHOWN_IDS_LIMIT]) + more


def _holdings(described: Mapping[str, Any]) -> list[str]:
    """Return what an erasure takes away with the object, in numbers."""
    names = (("verificationIds", "verification"), ("documentIds", "document"), ("reportIds", "report"))
    held = [(len(described[name]), noun) for name, noun in names if described.get(name)]
    counts = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in held]
    return ["With it go: " + ", ".join(counts)] if counts else []


def _text(value: Any, *, quoted: bool = False) -> str | None:
    """Return a value of the object as a person is shown it; what is the customer's own text goes into quotes."""
    if value is None:
        return None
    text = str(value)
    shown = text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 1] + "…"
    return visible(shown) if quoted else visible_text(shown)


async def _evidence(runner: Runner, described: Mapping[str, Any], api_key: Any) -> Evidence:
    """Return the failed checks and the reports of what an object names, and of its account."""
    verification_ids = list(described.get("verificationIds") or ())
    report_ids = list(described.get("reportIds") or ())
    verifications, listed = await asyncio.gather(
        _all_or_none(_read_one(runner, _VERIFICATION, each, api_key) for each in verification_ids[-EVIDENCE_LIMIT:]),
        _all_or_none([_reports(runner, described.get("accountId"), report_ids, api_key)]),
    )
    reports, has_older = listed[0] if listed is not None else (None, False)
    return Evidence(
        failed_checks=None if verifications is None else tuple(_failed_checks(verifications)),
        checks=sum(len(each.get("checks") or ()) for each in verifications or ()),
        matched_reports=None if reports is None else tuple(_matches(reports)),
        reports=len(reports or ()),
        open_reports=sum(each.get("status") != "ready" for each in reports or ()),
        unread=max(0, len(verification_ids) - EVIDENCE_LIMIT) + max(0, len(report_ids) - EVIDENCE_LIMIT),
        has_older_reports=has_older,
    )


async def _reports(
    runner: Runner, account_id: str | None, report_ids: Sequence[str], api_key: Any
) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the latest reports of an account with those of its inquiry, and whether the account has older ones."""
    reports: dict[str, Mapping[str, Any]] = {}
    has_older = False
    lister = lister_of(_REPORT)
    if account_id and lister and lister.paginate:
        params = {"accountId": account_id, lister.paginate.size: EVIDENCE_LIMIT, API_KEY_PARAM: api_key}
        page = await runner.call(lister.name, params)
        reports = {each["id"]: each for each in page[lister.paginate.items]}
        has_older = page[lister.paginate.next] is not None
    for report_id in report_ids[-EVIDENCE_LIMIT:]:
        if report_id not in reports:
            reports[report_id] = await _read_one(runner, _REPORT, report_id, api_key)
    return list(reports.values()), has_older


async def _read_one(runner: Runner, object_type: str, object_id: str, api_key: Any) -> Mapping[str, Any]:
    """Return an object of a type; an empty one where no operation reads it."""
    reader = reader_of(object_type)
    output = object_output(reader) if reader else None
    if reader is None or output is None:
        return {"id": object_id}
    read = await runner.call(reader.name, {reader.required[0]: object_id, API_KEY_PARAM: api_key})
    described: Mapping[str, Any] = read[output.name]
    return described


async def _all_or_none(reading: Iterable[Awaitable[Any]]) -> list[Any] | None:
    """Return everything that is read, or None where Persona gives not all of it."""
    try:
        async with asyncio.timeout(EVIDENCE_SECONDS):
            read = await asyncio.gather(*reading, return_exceptions=True)
    except TimeoutError:
        return None
    for each in read:
        if isinstance(each, BaseException) and not isinstance(each, PersonaError):
            raise each
    return None if any(isinstance(each, PersonaError) for each in read) else read


def _failed_checks(verifications: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the failed checks by name with their reasons, and the verifications that failed without any."""
    lines = []
    for verification in verifications:
        place = f"{_text(verification.get('type'))} {_text(verification['id'])}"
        failed = [check for check in verification.get("checks") or () if check.get("status") in _FAILED]
        for check in failed:
            reasons = ", ".join(filter(None, (_text(reason) for reason in check.get("reasons") or ())))
            lines.append(f"{_text(check.get('name'))} in {place}" + (f" ({reasons})" if reasons else ""))
        if not failed and verification.get("status") in _FAILED:
            lines.append(f"{place} {_text(verification['status'])}")
    return lines


def _matches(reports: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the reports with a match; before a report is ready it has found nothing."""
    matched = [each for each in reports if each.get("hasMatch") and each.get("status") == "ready"]
    return [f"{_text(each.get('type'))} {_text(each['id'])}" for each in matched]


def _params_of(reader: ToolSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in (API_KEY_PARAM, *reader.params) if name in params}


def _holds(read: Mapping[str, Any], confirm: Confirm) -> bool:
    """Return whether an object is as an operation would make it."""
    value = first(read, confirm.at)
    return value in confirm.values if confirm.values else value is not None
