"""A result as HTML tables, for whoever looks at one in a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

LONGEST_TEXT = 200
"""Characters of a value that are shown."""
MOST_ROWS = 50
"""Entries of a list that are shown."""

_SECRET_PART = re.compile(r"(https?://[^\s?#\"]+)[?#][^\s\"]+")
"""What a URL holds behind its path: the access token of a file, or the code of a one-time link."""


def result_table(facts: Iterable[tuple[str, Any]], output: Mapping[str, Any]) -> str:
    """Return the facts of a run and its output as HTML; every text is escaped, and URLs are shown without their secrets."""
    return "".join([_pairs(facts), *_outputs(output)])


def _outputs(output: Mapping[str, Any]) -> Iterator[str]:
    scalars: dict[str, Any] = {}
    for name, value in output.items():
        if isinstance(value, Mapping):
            yield f"<h4>{escape(name)}</h4>{_pairs(value.items())}"
        elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
            yield f"<h4>{escape(name)}</h4>{_entries(value)}"
        else:
            scalars[name] = value
    if scalars:
        yield _pairs(scalars.items())


def _pairs(pairs: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{_cell(value)}</td></tr>" for name, value in pairs if not _is_empty(value)
    )
    return f"<table>{rows}</table>"


def _entries(entries: list[Mapping[str, Any]]) -> str:
    """Return objects as one table, with a column for each property that some entry has a value of."""
    shown = entries[:MOST_ROWS]
    columns = list(dict.fromkeys(name for entry in shown for name, value in entry.items() if not _is_empty(value)))
    head = "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    rows = ["".join(f"<td>{_cell(entry.get(name))}</td>" for name in columns) for entry in shown]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    more = f"<p>{len(entries) - MOST_ROWS} more</p>" if len(entries) > MOST_ROWS else ""
    return f"<table><tr>{head}</tr>{body}</table>{more}"


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or value == {}


def _cell(value: Any) -> str:
    if _is_empty(value):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = _SECRET_PART.sub(r"\1?…", text)
    return escape(text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…")
