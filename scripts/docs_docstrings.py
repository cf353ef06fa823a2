"""The docstrings of this project as Markdown: an extension of Griffe, which reads them for the reference.

A docstring tells its arguments as `name: what it is`, one after the other in a paragraph, on lines of their own or on the same
line. Each becomes an entry of a list.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_ENTRY = re.compile(r"^(?P<names>[a-z]\w*(?:, [a-z]\w*)*): ")
_NEXT_ENTRY = re.compile(r"(?<=\.) (?P<names>[a-z_]+(?:, [a-z_]+)*): ")


class DocstringsAsMarkdown(Extension):
    """Rewrites each docstring as it is read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """Return a docstring whose arguments are entries of a list."""
    return "\n\n".join(_paragraph(each) for each in docstring.split("\n\n"))


def _paragraph(text: str) -> str:
    if not _ENTRY.match(text):
        return text
    entries: list[str] = []
    for line in _NEXT_ENTRY.sub(r"\n\g<names>: ", text).splitlines():
        if _ENTRY.match(line):
            entries.append(_ENTRY.sub(r"- **\g<names>**: ", line))
        else:
            entries[-1] += f" {line.strip()}"
    return "\n".join(entries)
