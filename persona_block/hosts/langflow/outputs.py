"""What a node gives: the output as it is, a sentence to post, rows of a table, and a file."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from ...spec.grammar import ToolSpec
from ..tool import object_output
from ..visible import told
from .running import Answer

SANDBOX_NOTE = "Simulated by the offline Persona: nobody was verified."
"""What every output says where the offline Persona answered."""
SANDBOX_KEY = "sandbox"
"""Where the outputs that are data say it."""
LISTED = 10
"""How many entries of a list the sentence names."""

Row = dict[str, Any]


def result(answer: Answer) -> dict[str, Any]:
    """Return the output of the operation."""
    return _marked(answer, answer.output)


def text(answer: Answer) -> str:
    """Return what a person would post: which object it is and how it stands, without any personal data."""
    sentence = _sentence(answer.spec, answer.output)
    return f"{sentence} {SANDBOX_NOTE}" if answer.is_simulated else sentence


def rows(answer: Answer) -> list[Row]:
    """Return each entry of a list as a row, and anything else as the only one; values that are no scalars are JSON text."""
    output = object_output(answer.spec)
    found = answer.output.get(output.name) if output else None
    if isinstance(found, list):
        entries = found
    else:
        beside = {name: value for name, value in answer.output.items() if not isinstance(value, dict)}
        objects = [value for value in answer.output.values() if isinstance(value, dict)]
        entries = [{**(objects[0] if objects else {}), **beside}]
    return [_marked(answer, {name: _cell(value) for name, value in entry.items()}) for entry in entries]


def file(answer: Answer) -> dict[str, Any] | None:
    """Return the stored file with its path, and its bytes in base64 under `content`; None where the operation gives none."""
    if answer.spec.file_source is None:
        return None
    (stored,) = answer.output.values()
    path = stored.get("path")
    content = base64.b64encode(Path(path).read_bytes()).decode() if path else None
    return _marked(answer, {**stored, "content": content})


def _marked(answer: Answer, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, SANDBOX_KEY: SANDBOX_NOTE} if answer.is_simulated else dict(data)


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _sentence(spec: ToolSpec, output: dict[str, Any]) -> str:
    if spec.file_source is not None:
        (stored,) = output.values()
        return f"{stored['name']} is stored ({stored['size']:,} bytes)."
    named = object_output(spec)
    found = output.get(named.name) if named else None
    if named and isinstance(found, list):
        return _list_sentence(_words(named.name), found, bool(spec.paginate and output.get(spec.paginate.next)))
    noun = _words(named.name) if named else spec.title
    one = found if isinstance(found, dict) else {}
    link = output.get("oneTimeLink")
    if link:
        return f"Verification link for {_called(one)}: {link}"
    return f"{noun.capitalize()} {_called(one)}: {_standing(one)}."


def _list_sentence(noun: str, entries: list[dict[str, Any]], has_more: bool) -> str:
    if not entries:
        return f"No {noun}."
    count = f"{len(entries)} {noun if len(entries) > 1 else _singular(noun)}{', and there are more' if has_more else ''}"
    listed = [f"{_called(entry)} ({_standing(entry)})" for entry in entries[:LISTED]]
    if len(entries) > LISTED:
        listed.append(f"and {len(entries) - LISTED} further ones")
    return f"{count}: {', '.join(listed)}."


def _called(one: dict[str, Any]) -> str:
    """Return the id of an object, and whose it is where the object says so."""
    reference = one.get("referenceId")
    return f"{one.get('id', '')} of {told(reference)}" if reference else str(one.get("id", ""))


def _standing(one: dict[str, Any]) -> str:
    """Return how an object stands: its status, whether a report matched, how many rows an import took."""
    status = re.sub("[-_]", " ", str(one.get("status") or "unknown"))
    details = ["personal data erased"] if one.get("redactedAt") else []
    if isinstance(one.get("hasMatch"), bool):
        details.append("a match" if one["hasMatch"] else "no match")
    counts = {"successfulCount": "imported", "duplicateCount": "duplicates", "errorCount": "failed"}
    if one.get("completedAt"):
        details += [f"{one[name]} {words}" for name, words in counts.items() if isinstance(one.get(name), int)]
    return f"{status}, {', '.join(details)}" if details else status


def _words(name: str) -> str:
    """Return the name of an output as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _singular(noun: str) -> str:
    return re.sub(r"ie$", "y", noun.removesuffix("s"))
