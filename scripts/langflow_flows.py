"""Write the example flows for Langflow: `.venv-langflow/bin/python -m scripts.langflow_flows`, after `make langflow`.

Langflow keeps the code of a component in each node. For its own components these flows import that code from Langflow instead.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lfx.components.flow_controls.conditional_router import ConditionalRouterComponent
from lfx.components.input_output import ChatInput, ChatOutput, TextInputComponent
from lfx.components.models_and_agents.agent import AgentComponent
from lfx.components.processing.combine_text import CombineTextComponent
from lfx.components.processing.parser import ParserComponent
from lfx.graph import Graph
from lfx_slack.components.slack.slack_post_as_app import SlackPostAsAppComponent

from persona_block.hosts.langflow.canvas.persona.persona import PersonaComponent
from persona_block.hosts.langflow.fields import operation_named

FOLDER = Path(__file__).resolve().parents[1] / "examples/langflow"
TOOLS_ID = "Persona-tools"
"""The node that is tools of an agent."""
COMPONENT_TYPE = "ext:persona:PersonaComponent@official"
SLACK_TYPE = "ext:slack:SlackPostAsAppComponent@official"

Components = list[Any]

_COLUMN, _ROW = 420, 620
"""Pixels from a node to the next on the canvas."""


def persona(node_id: str, operation: str, **values: Any) -> PersonaComponent:
    """Return a node of an operation, which the offline Persona answers."""
    component = PersonaComponent(_id=f"Persona-{node_id}")
    component.set(operation=operation_named(operation).title, sandbox=True, **values)
    return component


def made(component: Any, **values: Any) -> Any:
    """Return a node with what is filled in or wired."""
    component.set(**values)
    return component


def onboarding() -> Components:
    """Start an inquiry, post its link to Slack, and keep its record as a PDF in the files of Langflow."""
    who = made(TextInputComponent(_id="TextInput-who"), input_value="customer-1042")
    start = persona(
        "start",
        "create_inquiry",
        p_inquiry_template_id="itmpl_GovernmentIdAndSelfie",
        p_reference_id=who.text_response,
    )
    inquiry_id = made(ParserComponent(_id="Parser-id"), input_data=start.give_result, pattern="{inquiry[id]}")
    link = persona("link", "generate_inquiry_link", p_inquiry_id=inquiry_id.parse_combined_text)
    slack = made(
        SlackPostAsAppComponent(_id="Slack-post"), connection="slack/onboarding", channel="#onboarding", text=link.give_text
    )
    record = persona("record", "print_inquiry_pdf", p_inquiry_id=inquiry_id.parse_combined_text)
    both = made(CombineTextComponent(_id="CombineText-both"), text1=link.give_text, text2=record.give_text, delimiter="\n")
    shown = made(ChatOutput(_id="ChatOutput-link"), input_value=both.combine_texts)
    return [who, start, inquiry_id, link, slack, record, both, shown]


def decision_router() -> Components:
    """Take the newest completed inquiry, and put it up for review where it is still waiting."""
    newest = persona("newest", "list_inquiries", p_inquiry_status="completed", p_page_size="1")
    inquiry_id = made(ParserComponent(_id="Parser-id"), input_data=newest.give_table, pattern="{id}")
    inquiry = persona("inquiry", "get_inquiry", p_inquiry_id=inquiry_id.parse_combined_text)
    status = made(ParserComponent(_id="Parser-status"), input_data=inquiry.give_result, pattern="{inquiry[status]}")
    route = made(
        ConditionalRouterComponent(_id="ConditionalRouter-status"),
        input_text=status.parse_combined_text,
        operator="equals",
        match_text="completed",
        true_case_message=inquiry_id.parse_combined_text,
    )
    review = persona("review", "mark_inquiry_for_review", p_inquiry_id=route.true_response, agreed=True)
    marked = made(ChatOutput(_id="ChatOutput-review"), input_value=review.give_text)
    other = made(ChatOutput(_id="ChatOutput-other"), input_value=route.false_response)
    return [newest, inquiry_id, inquiry, status, route, review, marked, other]


def screening_agent() -> Components:
    """Let an agent read and screen; what decides or erases needs a person's approval."""
    asked = made(ChatInput(_id="ChatInput-task"), input_value="Which inquiries need a review?")
    tools = persona("tools", "list_inquiries")
    agent = made(
        AgentComponent(_id="Agent-screening"),
        input_value=asked.message_response,
        system_prompt="You help with identity reviews. Read with the tools and say what you found. Decide nothing yourself.",
    )
    shown = made(ChatOutput(_id="ChatOutput-answer"), input_value=agent.message_response)
    return [asked, tools, agent, shown]


def morning_digest() -> Components:
    """Say which inquiries need a review and which cases are open."""
    reviews = persona("reviews", "list_inquiries", p_inquiry_status="needs_review", all_pages=True)
    cases = persona("cases", "list_cases", p_case_status="Open", all_pages=True)
    digest = made(
        CombineTextComponent(_id="CombineText-digest"), text1=reviews.give_text, text2=cases.give_text, delimiter="\n"
    )
    shown = made(ChatOutput(_id="ChatOutput-digest"), input_value=digest.combine_texts)
    return [reviews, cases, digest, shown]


def bulk_import() -> Components:
    """Import accounts from the text of a CSV file, and say how many there were."""
    rows = "reference_id,name_first,name_last\ncustomer-2001,Jane,Doe\ncustomer-2002,Sam,Roe\n"
    csv = made(TextInputComponent(_id="TextInput-csv"), input_value=rows)
    imported = persona("import", "import_accounts", p_file_reference=csv.text_response, wait_until_done=True)
    shown = made(ChatOutput(_id="ChatOutput-import"), input_value=imported.give_text)
    return [csv, imported, shown]


FLOWS = {
    "onboarding": (onboarding, "Onboarding with Slack and storage"),
    "decision-router": (decision_router, "Decision router"),
    "screening-agent": (screening_agent, "Screening agent"),
    "morning-digest": (morning_digest, "Morning digest"),
    "bulk-import": (bulk_import, "Bulk import"),
}


def flow_document(name: str) -> dict[str, Any]:
    """Return a flow as Langflow imports it."""
    make, title = FLOWS[name]
    components = make()
    graph = Graph()
    for component in components:
        graph.add_component(component)
    dumped = graph.dump()["data"]
    dumped["edges"] = [edge for component in components for edge in component.get_edges()]
    dumped["edges"] += [_tools_edge(component) for component in components if isinstance(component, AgentComponent)]
    nodes = {node["id"]: node for node in dumped["nodes"]}
    for edge in dumped["edges"]:
        # Langflow draws no wire to a field that is folded away.
        nodes[edge["target"]]["data"]["node"]["template"][edge["data"]["targetHandle"]["fieldName"]]["advanced"] = False
    places = _places([component.get_id() for component in components], dumped["edges"])
    return {
        "name": title,
        "description": (make.__doc__ or "").strip(),
        "endpoint_name": None,
        "is_component": False,
        "data": {
            "nodes": [_node(nodes[component.get_id()], component, places) for component in components],
            "edges": list(_edges(dumped["edges"], nodes)),
            "viewport": {"x": 0, "y": 0, "zoom": 0.5},
        },
    }


def _tools_edge(agent: AgentComponent) -> dict[str, Any]:
    """Return the wire from the node that is tools to an agent."""
    handles = {
        "sourceHandle": {"dataType": "", "id": TOOLS_ID, "name": "component_as_tool", "output_types": ["Tool"]},
        "targetHandle": {"fieldName": "tools", "id": agent.get_id(), "inputTypes": ["Tool"], "type": "other"},
    }
    return {"source": TOOLS_ID, "target": agent.get_id(), "data": handles}


def _places(ids: list[str], edges: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return where each node stands: right of all that it is wired to."""
    columns = dict.fromkeys(ids, 0)
    for _ in ids:
        for edge in edges:
            columns[edge["target"]] = max(columns[edge["target"]], columns[edge["source"]] + 1)
    rows: dict[int, int] = {}
    places = {}
    for node_id in ids:
        column = columns[node_id]
        places[node_id] = {"x": column * _COLUMN, "y": rows.get(column, 0) * _ROW}
        rows[column] = rows.get(column, 0) + 1
    return places


def _node(dumped: dict[str, Any], component: Any, places: dict[str, dict[str, int]]) -> dict[str, Any]:
    data = dumped["data"]
    template = data["node"]["template"]
    data["type"] = _type(component)
    if isinstance(component, PersonaComponent):
        operation = template["operation"]["value"]
        component.update_build_config(template, operation, "operation")
        template["agreed"]["value"] = component.agreed
        component.update_build_config(template, True, "sandbox")
        data["node"]["display_name"] = f"Persona: {operation}"
        if component.get_id() == TOOLS_ID:
            data["node"]["display_name"] = "Persona"
            component.update_build_config(template, True, "tool_mode")
            asyncio.run(component.run_and_validate_update_outputs(data["node"], "tool_mode", True))
    else:
        base = type(component)
        template["code"]["value"] = _CODE.format(module=base.__module__, name=base.__name__)
    return {"id": dumped["id"], "type": "genericNode", "position": places[dumped["id"]], "data": data}


def _type(component: Any) -> str:
    if isinstance(component, PersonaComponent):
        return COMPONENT_TYPE
    return SLACK_TYPE if isinstance(component, SlackPostAsAppComponent) else str(component.name or type(component).__name__)


_CODE = """from {module} import {name} as LangflowComponent


class {name}(LangflowComponent):
    pass
"""
"""What stands in the node of a component of Langflow."""


def _edges(edges: list[dict[str, Any]], nodes: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for edge in edges:
        handles = edge["data"]
        handles["sourceHandle"]["dataType"] = nodes[edge["source"]]["data"]["type"]
        source, target = (json.dumps(handles[end]).replace('"', "œ") for end in ("sourceHandle", "targetHandle"))
        yield {
            "id": f"xy-edge__{edge['source']}{source}-{edge['target']}{target}",
            "source": edge["source"],
            "sourceHandle": source,
            "target": edge["target"],
            "targetHandle": target,
            "data": handles,
            "className": "",
            "animated": False,
        }


if __name__ == "__main__":
    for flow in FLOWS:
        path = FOLDER / f"{flow}.json"
        path.write_text(json.dumps(flow_document(flow), indent=1, ensure_ascii=False) + "\n", "utf-8")
