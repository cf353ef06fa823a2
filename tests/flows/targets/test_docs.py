"""What docs/flow-targets.md says of settings, requests and adapters is so."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from persona_block.flows import ports
from persona_block.flows.ports import Message
from persona_block.flows.targets import https
from persona_block.flows.targets.delivery import check_dedupe_id

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs/flow-targets.md").read_text("utf-8")
VARIABLES = r"PERSONA_FLOWS_[A-Z_]+"


def test_every_setting_is_told_and_none_that_is_not_there() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "persona_block/flows/targets").glob("*.py")]
    read = {name for source in sources for name in re.findall(rf'^[A-Z_]+ = "({VARIABLES})"', source, re.MULTILINE)}
    told = set(re.findall(rf"`({VARIABLES})`", DOCUMENT))
    starts = {name for name in read if name.endswith("_")}
    assert read - starts <= told
    assert all(name in read or name.startswith((*starts, f"{https.SIGNING_VARIABLE}_")) for name in told)
    assert all(any(name.startswith(start) for name in told) for start in starts)


def test_the_request_that_it_shows_is_the_one_that_is_sent() -> None:
    shown = json.loads(re.findall(r"```json\n(\{\n.*?)```", DOCUMENT, re.DOTALL)[0])
    content = ports.Content("a.pdf", "application/pdf", b"x")
    sent = json.loads(https.body_of(Message("Text", (content,), ("clear",), "flow", "question"), check_dedupe_id("d1")))
    assert (list(shown), list(shown["question"])) == (list(sent), list(sent["question"]))
    assert list(shown["attachments"][0]) == list(sent["attachments"][0])


def test_its_programs_can_be_read_and_its_entry_point_is_the_group() -> None:
    for program in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL):
        ast.parse(program)
    assert f'[project.entry-points."{ports.ENTRY_POINTS}"]' in DOCUMENT
