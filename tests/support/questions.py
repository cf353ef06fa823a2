"""Questions read backwards: what a person was shown, turned into what would be sent."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:(?P<letter>[nrt\\])|u\{(?P<point>[0-9a-f]+)\})")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
_VALUE = re.compile(r"^(?P<title>[^:\n]+): “(?P<shown>[^”\n]*)”$", re.MULTILINE)


def decoded(shown: str) -> str:
    """Return the text that is shown so."""
    return _ESCAPE.sub(lambda match: _LETTERS.get(match["letter"] or "") or chr(int(match["point"], 16)), shown)


def shown_values(question: str) -> dict[str, str]:
    """Return the texts that a question shows, decoded, by the title of their param."""
    return {match["title"]: decoded(match["shown"]) for match in _VALUE.finditer(question)}
