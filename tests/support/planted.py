"""Values that no test may ever see printed or logged: keys, links, tokens and personal data, planted where they could leak."""

from __future__ import annotations

import re
from collections.abc import Iterable

KEY = "persona_production_planted-key"
PERSON = "Zebulon"
FILE_TOKEN = "secret-token"
COMMAND_LINE_KEY = "persona_production_commandline-secret"

_PLANTED = re.compile("|".join(map(re.escape, (KEY, PERSON, FILE_TOKEN, COMMAND_LINE_KEY))))


def leaks(texts: Iterable[str]) -> list[str]:
    """Every planted value that stands in the texts, with a little of what is around it."""
    return [text[max(0, found.start() - 60) : found.end() + 20] for text in texts for found in _PLANTED.finditer(text)]
