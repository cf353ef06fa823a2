"""Params, answers and headers that mean no good, made at random but alike at every run."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from persona_block import webhooks
from persona_block.spec import catalog
from persona_block.spec.grammar import Param
from scripts.vectors import ODD, STATUSES
from tests.support.case_files import cases

Entry = dict[str, Any]

_CHARACTERS = (
    *" \t\n\r\v\f\0\x1c\x1f\x7f\x85\xa0\u1680\u180e\u200b\u2003\u2028\u2029\u202f\u205f\u3000\ufeff",
    *"aZ019TtZz.,:;-+_/\\%&=?#{}[]()<>*!~'\"@$|^`",
    *"\xe9\u0663\u0130\xdf\ufb01\U0001f600\ud800\udfff",
)
_TEXTS = (
    "2026-01-31T10:00:00Z", "2024-02-29T23:59:59.123456789-05:30", "0001-01-01 00:00+00:00", "1994-04-12", "1900-02-29",
    "itmpl_Kyc1", "itmplv_", "tmpl_1", "https://example.com/a?b=c#d", "created, pending", "us", "100", "-7", "1e1",
    '{"a": {"b": [1, null, true, "x", 1.5e3]}}', '["vip", "a b"]', '{"a": 1, "a": 2}', '[[["a"]]]', '"a"', "null", "__proto__",
    '{"__proto__": {"a": 1}, "constructor": 2}', "constructor", "{inquiryId}", "$&", "$1", "..", ".",
)  # fmt: skip
_NUMBERS = (0, -0.0, 7, -7, 0.1, 1e-7, 5e-324, 123456789.125, 2**53 - 1, 2**53, -(2**53), 1e21, 1e300, 2**1023)
_TOO_LARGE = (2**1024 - 1, 10**400, -(10**4000))
"""Numbers that no double holds; in answers, what becomes of them is left to each reader of JSON."""
_NAMES = (
    "nonsense", "", " ", "__proto__", "constructor", "toString", "apiKey ", "INQUIRYID", "x" * 70, "\U0001f600" * 70, "\ud800",
    "a" * 63 + "\ud800b",
)  # fmt: skip
_NOW = 1_767_603_600
_EVENT = {
    "id": "evt_1",
    "attributes": {
        "name": "inquiry.approved",
        "createdAt": "2026-01-05T09:00:00Z",
        "payload": {"data": {"type": "inquiry", "id": "inq_1", "attributes": {"fields": {"myField": {"a_b": 1}}}}},
    },
}
_ERROR = {"errors": [{"title": "Conflict", "details": "Stale", "source": {"pointer": "/data"}}, {"title": "", "details": "x"}]}


class Hostile:
    """A source of hostile entries; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._cases = list(cases())

    # --- params ------------------------------------------------------------------------------------------------------------

    def calls(self, count: int) -> Iterator[Entry]:
        """Yield so many param sets, each that of a case of which some are replaced, left out or added."""
        for _ in range(count):
            case = self._random.choice(self._cases)
            files = {name: "accounts.csv" for name in case.params if case.spec.params[name].format == "file"}
            params = case.params | files
            for name, param in case.spec.params.items():
                if self._chance(0.35):
                    params[name] = self._value(param)
                elif self._chance(0.1):
                    params.pop(name, None)
            if self._chance(0.15):
                params[self._random.choice(_NAMES)] = self._random.choice(("x", None, " ", 5))
            # Once read again, two halves of a surrogate pair are one character.
            yield {"operation": case.operation, "params": json.loads(json.dumps(params))}

    def _value(self, param: Param) -> Any:
        typical = [*ODD[param.type], *ODD["formats"].get(param.format, ()), *(param.enum or ())]
        texts = [value for value in typical if isinstance(value, str)]
        if param.format == "file":
            # What else may be a file is each host's.
            return self._random.choice((*_TEXTS, self._text(), *_NUMBERS, None, True, [], ["x"]))
        match self._random.randrange(6):
            case 0:
                return self._random.choice(typical)
            case 1:
                return self._damaged(self._random.choice([*texts, *_TEXTS]))
            case 2:
                return self._random.choice(_TEXTS)
            case 3:
                return self._text()
            case 4:
                return self._json(self._random.randrange(4), (*_NUMBERS, *_TOO_LARGE))
            case _:
                ascii_only = self._chance(0.5)
                return self._damaged(json.dumps(self._json(3, (*_NUMBERS, *_TOO_LARGE)), ensure_ascii=ascii_only))

    # --- answers -----------------------------------------------------------------------------------------------------------

    def answers(self, count: int) -> Iterator[Entry]:
        """Yield so many 2xx answers, each that of a case with one to three changes, a few with a damaged text."""
        whole = [case for case in self._cases if "body" in case.response]
        for _ in range(count):
            case = self._random.choice(whole)
            text = self._changed_text(case.response["body"], self._random.randrange(1, 4))
            yield {"operation": case.operation, "status": case.response["status"], "text": text}

    def errors(self, count: int) -> Iterator[Entry]:
        """Yield so many answers that are errors, their bodies changed in the same way."""
        for _ in range(count):
            status = self._random.choice((*STATUSES, self._random.randrange(300, 600)))
            text = self._changed_text(_ERROR, self._random.randrange(4))
            yield {"operation": self._random.choice(catalog.names()), "status": status, "text": text}

    def _changed_text(self, body: Any, changes: int) -> str:
        for _ in range(changes):
            body = self._changed(body)
        text = json.dumps(body)
        return self._damaged(text).encode("utf-8", "replace").decode() if self._chance(0.05) else text

    def _changed(self, node: Any) -> Any:
        """Return a copy of a JSON value in which one value somewhere is another, is gone, or stands elsewhere."""
        if not isinstance(node, dict | list) or not node or self._chance(0.02):
            return self._another(node)
        if isinstance(node, dict):
            name = self._random.choice(list(node))
            if self._chance(0.12):
                return {other: value for other, value in node.items() if other != name}
            return node | {name: self._changed(node[name])}
        index = self._random.randrange(len(node))
        if self._chance(0.12):
            return [*node[:index], *node[index + 1 :], *node[:index]]
        return [*node[:index], self._changed(node[index]), *node[index + 1 :]]

    def _another(self, node: Any) -> Any:
        """Return another JSON value, as often as not one that may stand in its place."""
        if self._chance(0.5):
            return self._random.choice((None, self._text() if isinstance(node, str) else node))
        wrapped = ([node], {"value": node, "type": "string"}, {"value": node, "type": 5})
        return self._random.choice((self._random.choice(ODD["answers"]), self._json(2, _NUMBERS), *wrapped))

    # --- ends of attempts, and webhooks ------------------------------------------------------------------------------------

    def retries(self, count: int) -> Iterator[Entry]:
        """Yield so many ends of an attempt."""
        for _ in range(count):
            status = self._random.choice((None, 429, *STATUSES, self._random.randrange(300, 600)))
            entry: Entry = {"operation": self._random.choice(catalog.names()), "status": status}
            entry |= {"attempt": self._random.randrange(1, 12), "elapsed": round(self._random.uniform(0, 61), 3)}
            if status is None:
                entry["sent"] = self._chance(0.5)
            if status == 429:
                entry["remaining"] = self._random.choice((None, 0, 1, 299))
                entry["reset"] = self._random.choice((None, 0, round(self._random.uniform(0, 60), 3)))
            yield entry

    def webhooks(self, count: int) -> Iterator[Entry]:
        """Yield so many signed bodies, many of their headers damaged, or signed at another time or with another secret."""
        for _ in range(count):
            body = json.dumps({"data": _EVENT if self._chance(0.5) else _EVENT | {"more": self._json(2, _NUMBERS)}})
            header = " ".join(self._signature(body) for _ in range(self._random.randrange(1, 7)))
            if self._chance(0.3):
                header = json.loads(json.dumps(self._damaged(header)))
            secrets = self._random.choice((["new"], ["new", "old"]))
            yield {"body": body, "header": header, "secrets": secrets, "now": _NOW}

    def _signature(self, body: str) -> str:
        age = self._random.choice((0, 0, 0, 299, 300, 301, -300, -301))
        return webhooks.sign(body.encode(), self._random.choice(("new", "old", "other")), now=_NOW - age)

    # --- values ------------------------------------------------------------------------------------------------------------

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _text(self) -> str:
        return "".join(self._random.choices(_CHARACTERS, k=self._random.randrange(12)))

    def _damaged(self, text: str) -> str:
        for _ in range(self._random.randrange(3)):
            at = self._random.randrange(len(text) + 1)
            text = text[:at] + self._random.choice(("", *_CHARACTERS)) + text[at + self._random.randrange(2) :]
        return text

    def _json(self, depth: int, numbers: tuple[float, ...]) -> Any:
        """Return a JSON value of any type, nested so many levels at most, or now and then about as deep as is allowed."""
        match self._random.randrange(8 if depth else 5):
            case 0:
                return self._random.choice((None, True, False))
            case 1:
                return self._random.choice(numbers)
            case 2:
                return self._random.uniform(-1, 1) * 10.0 ** self._random.randrange(-20, 25)
            case 3 | 4:
                return self._text()
            case 5 if self._chance(0.1):
                return self._deep()
            case 5:
                return [self._json(depth - 1, numbers) for _ in range(self._random.randrange(4))]
            case _:
                return {self._text(): self._json(depth - 1, numbers) for _ in range(self._random.randrange(4))}

    def _deep(self) -> Any:
        value: Any = self._random.choice(("x", 1, [], {}))
        for _ in range(self._random.choice((97, 98, 99, 100, 101, 102, 260))):
            value = [value] if self._chance(0.5) else {"a": value}
        return value
