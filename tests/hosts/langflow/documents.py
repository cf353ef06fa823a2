"""Flows of the examples, as tests change them before they run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[3] / "examples/langflow"
NAMES = ("bulk-import", "decision-router", "morning-digest", "onboarding", "screening-agent")
MODEL_ID = "ScriptedModel-1"
AGENT_ID = "Agent-screening"
TOOLS_ID = "Persona-tools"

Flow = dict[str, Any]

_MODEL_CODE = """from tests.hosts.langflow.scripted_model import ScriptedModelComponent as LangflowComponent


class ScriptedModelComponent(LangflowComponent):
    pass
"""


def example(name: str) -> Flow:
    """Return one of the example flows."""
    flow: Flow = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return flow


def template(flow: Flow, node_id: str) -> dict[str, Any]:
    """Return the fields of a node, to read and to change."""
    found: dict[str, Any] = node(flow, node_id)["data"]["node"]["template"]
    return found


def node(flow: Flow, node_id: str) -> dict[str, Any]:
    """Return a node of a flow."""
    return next(each for each in flow["data"]["nodes"] if each["id"] == node_id)


def agent_flow(script: list[dict[str, Any]], *, approvals: dict[str, list[str]]) -> Flow:
    """Return the screening agent with a scripted model; `approvals` switches tools on, with what a person may answer."""
    flow = copy.deepcopy(example("screening-agent"))
    for row in template(flow, TOOLS_ID)["tools_metadata"]["value"]:
        if row["name"] in approvals:
            row.update(status=True, approval_actions=approvals[row["name"]])
    template(flow, AGENT_ID)["model"].update(value="connect_other_models", input_types=["LanguageModel"])
    handles = {
        "sourceHandle": {
            "dataType": "ScriptedModelComponent",
            "id": MODEL_ID,
            "name": "model_output",
            "output_types": ["LanguageModel"],
        },
        "targetHandle": {"fieldName": "model", "id": AGENT_ID, "inputTypes": ["LanguageModel"], "type": "model"},
    }
    source, target = (json.dumps(handles[end]).replace('"', "œ") for end in ("sourceHandle", "targetHandle"))
    flow["data"]["nodes"].append(_model_node(script))
    flow["data"]["edges"].append(
        {
            "id": f"xy-edge__{MODEL_ID}",
            "source": MODEL_ID,
            "target": AGENT_ID,
            "sourceHandle": source,
            "targetHandle": target,
            "data": handles,
        }
    )
    return flow


def _model_node(script: list[dict[str, Any]]) -> dict[str, Any]:
    fields = {
        "_type": "Component",
        "code": {"type": "code", "name": "code", "value": _MODEL_CODE, "show": True, "advanced": True},
        "script": {
            "type": "str",
            "name": "script",
            "display_name": "Script",
            "value": json.dumps(script),
            "multiline": True,
            "show": True,
        },
    }
    output = {
        "name": "model_output",
        "display_name": "Language Model",
        "method": "build_llm",
        "types": ["LanguageModel"],
        "selected": "LanguageModel",
    }
    shown = {
        "template": fields,
        "outputs": [output],
        "display_name": "Scripted Model",
        "base_classes": ["LanguageModel"],
        "field_order": ["script"],
        "custom_fields": {},
    }
    data = {"id": MODEL_ID, "type": "ScriptedModelComponent", "node": shown}
    return {"id": MODEL_ID, "type": "genericNode", "position": {"x": 0, "y": -500}, "data": data}
