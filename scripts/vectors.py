"""The test vectors of the manifest, made by the engine from the case files: what goes in, and what has to come out.

The case files are written by hand, so the engine is held by them first; what is made here beside them says how the engine
treats odd values, answers and failures, for runtimes in other languages.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona_block import webhooks
from persona_block.call.json_body import DEEPEST
from persona_block.spec import catalog
from persona_block.spec.grammar import Param, ToolSpec
from persona_block.spec.inflection import inflect
from scripts.playing import Vector, play
from scripts.whole_answers import whole_answers
from tests.support.case_files import Case, cases

ODD: Vector = json.loads((Path(__file__).parent / "odd_values.json").read_text("utf-8"))
"""Odd values by the type and the format of a param, and those that an answer may hold in the place of a promised one."""

STATUSES = (300, 302, 308, 400, 401, 402, 403, 404, 408, 409, 410, 422, 429, 451, 500, 501, 502, 503, 504, 599)


def vectors() -> Vector:
    """Return all vectors, the same at every run."""
    calls: list[Vector] = []
    refusals: list[Vector] = []
    for operation, params in _param_sets():
        vector = _played("calls", {"operation": operation, "params": params})
        (refusals if "problems" in vector else calls).append(vector)
    return {
        "manifestVersion": 1,
        "calls": _unique(calls),
        "refusals": _unique(refusals),
        "answers": _unique(list(_answers())),
        "errors": list(_errors()),
        "retries": list(_retries()),
        "webhooks": list(_webhooks()),
        "files": [_played("files", {"name": name}) for name in ODD["files"]],
    }


def _played(kind: str, vector: Vector) -> Vector:
    """Return a vector with what the engine makes of it."""
    return vector | play(kind, vector)


def _unique(entries: list[Vector]) -> list[Vector]:
    return list({json.dumps(entry, sort_keys=True): entry for entry in entries}.values())


# --- params to requests ----------------------------------------------------------------------------------------------------


def _param_sets() -> Iterator[tuple[str, Vector]]:
    """Yield params for every operation: its cases, each left out or blank in turn, and odd values for each kind of param."""
    seen: set[tuple[str, str | None]] = set()
    for case in cases():
        params = _plain_params(case)
        yield case.operation, params
        for name in params:
            yield case.operation, {other: value for other, value in params.items() if other != name}
            yield case.operation, params | {name: " "}
        yield case.operation, {name: params[name] for name in case.spec.required if name in params}
        yield case.operation, params | {"nonsense": "x", "nothing": None}
        for name, param in case.spec.params.items():
            if name in params:
                yield from ((case.operation, params | {name: value}) for value in _just_outside(param))
            kind = (param.type, "enum" if param.enum else param.format)
            if kind in seen or name not in params:
                continue
            seen.add(kind)
            for value in _odd_values(case.spec, name):
                yield case.operation, params | {name: value}
    yield from _choices()


def _plain_params(case: Case) -> Vector:
    """Return the params with a path in the place of a file, since files are the host's."""
    files = {name: "accounts.csv" for name in case.params if case.spec.params[name].format == "file"}
    return case.params | files


def _odd_values(spec: ToolSpec, name: str) -> list[Any]:
    param = spec.params[name]
    if param.format == "file":
        return ["", " accounts.csv ", None, 5, 5.5, True, ["accounts.csv"]]
    deep = [_nested(levels) for levels in (DEEPEST, DEEPEST + 1)] if param.type == "object" else []
    listed = (*param.enum, param.enum[0].upper(), f" {param.enum[0]} ") if param.enum else ()
    return [*ODD[param.type], *deep, *ODD["formats"].get(param.format, ()), *listed]


def _just_outside(param: Param) -> list[Any]:
    """Return values that a param would take if its type, its format or its limits were lost; a file's name is the host's."""
    if param.format == "file":
        return []
    if param.prefix is not None:
        other = next(prefix for prefix in catalog.id_kinds() if prefix != param.prefix)
        return [".", f"{other}1", f"{param.prefix}1,{other}1", f"x{other}1", f"{other.upper()}1", other]
    limits = [limit + step for limit, step in ((param.minimum, -1), (param.maximum, 1)) if limit is not None]
    return limits or [
        {"object": [], "array": "a,,b", "integer": True}.get(param.type, "." if param.format == "id" else "a,,:")
    ]


def _nested(levels: int) -> str:
    """Return JSON text of a number so many levels below its object."""
    return '{"a": ' * levels + "1" + "}" * levels


def _choices() -> Iterator[tuple[str, Vector]]:
    for spec in catalog.load_all():
        for choice in spec.choose.values():
            base = next(_plain_params(case) for case in cases() if case.operation == spec.name and choice.by in case.params)
            for prefix in choice.cases:
                for value in (prefix, f"{prefix}1", prefix.upper(), "zzz_1"):
                    yield spec.name, base | {choice.by: value}


# --- answers to outputs and errors -----------------------------------------------------------------------------------------


def _answers() -> Iterator[Vector]:
    """Yield the cases' answers and some of what they become when one value is of another kind."""
    chance = random.Random(11)  # noqa: S311 - repeatable, guards nothing
    for case in cases():
        if "body" not in case.response:
            continue
        yield _answered(case, case.response["body"])
        changed = list(_mutated(case.response["body"]))
        for body in chance.sample(changed, min(12, len(changed))):
            yield _answered(case, body)
        for body in ([], "x", None, 5):
            yield _answered(case, body)
    for spec in catalog.load_all():
        for body in whole_answers(spec) if spec.file_source is None else ():
            yield _played("answers", {"operation": spec.name, "status": 200, "body": body})
    for operation, *path in (("list_accounts", "links", "next"), ("get_account", "data", "attributes", "fields")):
        case = next(case for case in cases() if case.operation == operation)
        deep = [json.loads(_nested(levels)) for levels in (DEEPEST, DEEPEST + 1)]
        for value in ODD["links"] if path[0] == "links" else [*ODD["fields"], *deep]:
            yield _answered(case, _with(case.response["body"], path, value))


def _with(node: Any, path: list[str], value: Any) -> Any:
    """Return a copy of a JSON value that holds another one at a path of keys."""
    return {**node, path[0]: _with(node[path[0]], path[1:], value)} if path else value


def _mutated(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield {other: kept for other, kept in node.items() if other != name}
            yield from ({**node, name: changed} for changed in (*ODD["answers"], *_mutated(value)))
    if isinstance(node, list):
        for index, value in enumerate(node):
            yield from ([*node[:index], changed, *node[index + 1 :]] for changed in (*ODD["answers"], *_mutated(value)))


def _answered(case: Case, body: Any) -> Vector:
    return _played("answers", {"operation": case.operation, "status": case.response["status"], "body": body})


def _errors() -> Iterator[Vector]:
    """Yield what an error status becomes, for a read, a POST and another write, without a key of theirs."""
    bodies: tuple[Any, ...] = (
        {"errors": [{"title": "Conflict", "details": "Stale"}]},
        {"errors": [{"details": "only details"}, {"title": "second", "details": 5}, "text"]},
        {"errors": "text"},
        [],
    )
    for operation in ("get_inquiry", "create_inquiry", "update_inquiry", "redact_inquiry"):
        for status in STATUSES:
            for body in bodies if status in (400, 409) else bodies[:1]:
                yield _played("errors", {"operation": operation, "status": status, "body": body})


# --- retries and webhooks --------------------------------------------------------------------------------------------------


def _retries() -> Iterator[Vector]:
    outcomes: list[Vector] = [{"status": status} for status in STATUSES] + [
        {"status": None, "sent": sent} for sent in (True, False)
    ]
    outcomes += [{"status": 429, "remaining": left, "reset": reset} for left in (None, 0, 5) for reset in (None, 0, 2.5, 40)]
    for operation in ("get_inquiry", "create_inquiry", "update_inquiry", "redact_inquiry"):
        for outcome in outcomes:
            for attempt, elapsed in ((1, 0.0), (3, 10.0), (9, 30.0), (1, 59.9)):
                yield _played("retries", {"operation": operation, "attempt": attempt, "elapsed": elapsed, **outcome})


def _webhooks() -> Iterator[Vector]:
    now, secret = 1_767_603_600, "wbhsec_new"
    payload = {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"status": "approved"}}}
    attributes = {"name": "inquiry.approved", "created-at": "2026-01-05T09:00:00.000Z", "payload": payload}
    body = json.dumps({"data": {"type": "event", "id": "evt_1", "attributes": attributes}}, ensure_ascii=False)
    good = webhooks.sign(body.encode(), secret, now=now)
    old = webhooks.sign(body.encode(), "wbhsec_old", now=now)
    late = webhooks.sign(body.encode(), secret, now=now - 301)
    for spelling in ("kebab", "camel", "snake"):
        spelled = json.dumps(inflect({"data": {"type": "event", "id": "evt_2", "attributes": _account_event()}}, spelling))
        yield _delivered(spelled, webhooks.sign(spelled.encode(), secret, now=now), [secret], now)
    for header in (
        good, f"{good} {old}", f"{old} {good}", old, late, f"{late} {old}", "", "nonsense", good.upper(), f" {good}",
        f"{good}  {old}", good.replace("t=", "t=0"),
        good[:-1], f"{good},v1=00", " ".join([old] * 5 + [good]), " ".join([old] * 4 + [good]),
    ):  # fmt: skip
        yield _delivered(body, header, [secret], now)
    yield _delivered(body + " ", good, [secret], now)
    yield _delivered(body, old, [secret, "wbhsec_old"], now)


def _account_event() -> Vector:
    """Return the attributes of an event of the account that a case reads."""
    account = next(case for case in cases() if case.operation == "get_account").response["body"]["data"]
    return {"name": "account.created", "created-at": "2026-01-05T09:00:00.000Z", "payload": {"data": account}}


def _delivered(body: str, header: str, secrets: list[str], now: int) -> Vector:
    return _played("webhooks", {"body": body, "header": header, "secrets": secrets, "now": now})
