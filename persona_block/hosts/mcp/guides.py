"""The manifest's skills and workflow templates, told for the tools that a caller has: for prompts and resources."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from ...block.prebuilt import manifest
from ...block.prose import INTRODUCTION, operations_of, steps_text
from ...spec.grammar import TOOL_PREFIX
from ..selection import Selection
from ..tool import ITEMS_LIMIT, MAX_ITEMS, WAIT, load_tool
from ..wording import operation_names, operations_in

SKILL_SHARE = 0.75
"""A skill is told where more than this share of the operations that its steps name is offered."""

ABOUT = "about"
"""The argument of a skill: what it is to be done for."""

_MARKER = re.compile(r"(\d+\. |- )?(.*)")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!]) ")
_WITH_CONSENT = "## Only on a person's word"
_NO_CONSENT = "- Nothing that needs a person's word is offered here: say what should be done, and leave doing it to them."
_SHORTENED = "Steps whose tools are not offered here are left out."


@dataclass(frozen=True)
class Guide:
    """A skill or a workflow template, told for a selection.

    uri: where it is read as a resource. text: Markdown for a model. document: what the resource holds.
    inputs: what has to be given to it, by name, as the manifest describes it. steps: those of a template; none for a skill.
    """

    name: str
    title: str
    description: str
    uri: str
    mime_type: str
    text: str
    document: str
    inputs: Mapping[str, Mapping[str, Any]]
    steps: tuple[Mapping[str, Any], ...] = ()


@lru_cache(maxsize=64)
def guides(selection: Selection) -> Mapping[str, Guide]:
    """Return the skills and templates that a selection can carry out, by name; no text names a tool that is not offered."""
    offered = frozenset(selection.names)
    told = [guide for skill in manifest()["skills"] if (guide := _skill(skill, offered))]
    told += [_template(each) for each in manifest()["templates"] if offered.issuperset(operations_of(each))]
    return {guide.name: guide for guide in told}


def _skill(skill: Mapping[str, Any], offered: Collection[str]) -> Guide | None:
    steps, heading, rest = skill["instructions"].partition(_WITH_CONSENT)
    settling, next_heading, rest = rest.partition("\n## ")
    needed = operations_in(steps + rest)
    if len(needed & set(offered)) <= SKILL_SHARE * len(needed):
        return None
    text = _shortened(steps, offered)
    if heading:
        allowed = "\n".join(line for line in settling.split("\n") if operations_in(line) <= set(offered))
        text += f"{heading}{allowed if operations_in(allowed) else f'{chr(10)}{_NO_CONSENT}{chr(10)}'}{next_heading}"
    text += _shortened(rest, offered)
    if not needed <= set(offered):
        text += f"\n\n{_SHORTENED}"
    text = operation_names().sub(lambda match: TOOL_PREFIX + match[0], text)
    return Guide(
        skill["name"],
        skill["title"],
        skill["description"],
        f"persona://skills/{skill['name']}",
        "text/markdown",
        text,
        text,
        {ABOUT: {"type": "string", "description": "Whom or what it is for: ids, a reference id, or the wish in words."}},
    )


def _shortened(text: str, offered: Collection[str]) -> str:
    """Return Markdown without the clauses that name what is not offered, and with its steps numbered anew."""
    lines: list[str] = []
    number = 0
    for line in text.split("\n"):
        match = _MARKER.fullmatch(line)
        marker, words = (match[1] or "", match[2]) if match else ("", line)
        first, *others = (_sentence(each, offered) for each in _SENTENCE_ENDS.split(words))
        if words and not first:  # what the line is about is not offered
            continue
        kept = " ".join(filter(None, (first, *others)))
        if marker[:1].isdigit():
            number += 1
            marker = f"{number}. "
        lines.append(marker + kept)
    return "\n".join(lines)


def _sentence(sentence: str, offered: Collection[str]) -> str:
    """Return a sentence up to the first clause that names what is not offered; the clauses after it may refer to it."""
    clauses = sentence.split("; ")
    kept = list(takewhile(lambda clause: operations_in(clause) <= set(offered), clauses))
    if len(kept) == len(clauses):
        return sentence
    return f"{'; '.join(kept).rstrip('.;')}." if kept else ""


def _template(template: Mapping[str, Any]) -> Guide:
    told = {**template, "steps": [_as_tools_take(step) for step in template["steps"]]}
    steps = steps_text(told, lambda name: TOOL_PREFIX + name)
    return Guide(
        template["name"],
        template["title"],
        template["description"],
        f"persona://templates/{template['name']}",
        "application/json",
        f"# {template['title']}\n\n{template['description']}\n\n{INTRODUCTION}\n\n{steps}",
        json.dumps(template, ensure_ascii=False, indent=2),
        template["inputs"],
        tuple(template["steps"]),
    )


def _as_tools_take(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a step with the arguments that its tool has in the place of a page size, and of polling."""
    if "operation" not in step:
        return step
    tool = load_tool(step["operation"])
    params = dict(step.get("params", {}))
    if tool.spec.paginate and tool.spec.paginate.size:
        size = params.pop(tool.spec.paginate.size, None)
        if step.get("all") or size is not None:
            params[MAX_ITEMS] = ITEMS_LIMIT if step.get("all") else size
    if step.get("wait") and WAIT in tool.host_arguments:
        params[WAIT] = True
    return {**step, "params": params}
