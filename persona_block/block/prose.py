"""A workflow template in words, for agents that carry out its steps themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

INTRODUCTION = (
    "Carry out these steps in order. `{input.name}` stands for an input, `{step.path}` for what a step of that name gave, and"
    " `{item.path}` for the entry at hand; `*` is every entry of a list. Skip a step whose condition does not hold, or that"
    " reads something that is not there."
)
"""What an agent has to know to read the steps."""

_TESTS: Mapping[str, str] = {
    "in": "{value} is {of}",
    "notIn": "{value} is not {of}",
    "allIn": "{value} has entries and each is {of}",
    "anyIn": "an entry of {value} is {of}",
}


def steps_text(template: Mapping[str, Any], tool_name: Callable[[str], str]) -> str:
    """Return the steps of a manifest's template as a numbered list in Markdown.

    tool_name: gives the name by which the agent calls an operation.
    """
    lines = [f"{number}. {_step(step, tool_name)}" for number, step in enumerate(template["steps"], 1)]
    return "\n".join(lines)


def operations_of(template: Mapping[str, Any]) -> list[str]:
    """Return the names of the operations that a template's steps call, each once, in the order of their first use."""
    return list(dict.fromkeys(step["operation"] for step in template["steps"] if "operation" in step))


def _step(step: Mapping[str, Any], tool_name: Callable[[str], str]) -> str:
    words = [f"**{step['id']}**:"]
    if (for_each := step.get("forEach")) is not None:
        words.append(f"for each entry of {_value(for_each)},")
    if conditions := [_condition(each) for each in step.get("when") or ()]:
        words.append(f"if {' and '.join(conditions)},")
    words.append(_call(step, tool_name) if "operation" in step else _errand(step))
    return " ".join(words)


def _call(step: Mapping[str, Any], tool_name: Callable[[str], str]) -> str:
    params = ", ".join(f"{name} {_value(value)}" for name, value in step.get("params", {}).items())
    ends = [" Read every page."] if step.get("all") else []
    if step.get("wait"):
        ends.append(" Go on once it has come to an outcome; until then read it again later.")
    return f"call `{tool_name(step['operation'])}`{f' with {params}' if params else ''}.{''.join(ends)}"


def _errand(step: Mapping[str, Any]) -> str:
    """Return what a step asks of the agent outside Persona."""
    if step["host"] == "notify":
        return f"tell {_value(step['to'])}: {_value(step['text'])}"
    if step["host"] == "store":
        return f"keep {_value(step['content'])} at {_value(step['to'])}, as {_value(step['text'])}; it gives `url`."
    return (
        f"ask {_value(step['to'])}: {_value(step['text'])} The answers to choose from are {_value(step['options'])}; it gives"
        " `answer`, and `comment` where something was written with it. Only a person answers."
    )


def _condition(condition: Mapping[str, Any]) -> str:
    value = f"`{condition['value']}`"
    if (empty := condition.get("empty")) is not None:
        return f"{value} is {'empty' if empty else 'not empty'}"
    test, sentence = next((name, text) for name, text in _TESTS.items() if condition.get(name) is not None)
    choices = [_value(each) for each in condition[test]]
    return sentence.format(value=value, of=choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}")


def _value(value: Any) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"
