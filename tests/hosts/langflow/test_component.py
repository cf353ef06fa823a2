"""The component as Langflow runs it: its inputs and outputs, one request a run, what is wired to it, and old nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lfx", reason="lfx is not installed here: make langflow runs these")

from lfx.components.input_output import ChatOutput
from lfx.components.processing.combine_text import CombineTextComponent
from lfx.components.processing.parser import ParserComponent
from lfx.graph import Graph
from lfx.load import aload_flow_from_json
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from persona_block.hosts.langflow import running
from persona_block.hosts.langflow.canvas.persona.persona import PersonaComponent
from persona_block.hosts.langflow.fields import node_fields
from persona_block.hosts.langflow.inputs import TOOL_MODE
from persona_block.hosts.langflow.running import NodeError
from persona_block.sandbox import Sandbox, Settings
from persona_block.spec.grammar import ToolSpec
from tests.hosts.langflow.nodes import ALL, CSV, TEMPLATE, filled_in

FOLDER = Path(running.__file__).parent
each = pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A fresh offline Persona in the place of the server's."""
    with Sandbox(populate=True, settings=Settings(import_delay=0)) as fresh:
        monkeypatch.setattr(running, "embedded_sandbox", lambda: fresh)
        yield fresh


async def results(**values: Any) -> dict[str, Any]:
    """Return what the four outputs of a node give."""
    given, _ = await PersonaComponent(**values).build_results()
    return {name: given[name] for name in ("result", "text", "table", "file")}


def test_a_new_node_has_the_fields_that_are_derived() -> None:
    template = PersonaComponent().to_frontend_node()["data"]["node"]["template"]
    assert set(template) - {"_type", "code"} == {*(field.name for field in node_fields()), TOOL_MODE}
    for field in node_fields():
        entry, look = template[field.name], field.look(ALL[0].name)
        assert (entry["show"], entry["required"], entry["info"]) == (look.is_shown, look.is_required, look.description)
        assert entry["advanced"] == field.is_advanced
        assert bool(entry.get("input_types")) == field.takes_wire
    assert template["operation"]["options"] == [spec.title for spec in ALL]
    assert template["api_key"]["value"] == "PERSONA_API_KEY" and template["api_key"]["load_from_db"]
    assert template["p_file_upload"]["fileTypes"] == ["csv"]
    assert template["p_case_status"]["combobox"] and not template["p_report_type"]["combobox"]


def test_all_outputs_show_at_once() -> None:
    outputs = PersonaComponent().to_frontend_node()["data"]["node"]["outputs"]
    shown = [(output["display_name"], output["types"], output["group_outputs"]) for output in outputs]
    kinds = {"Result": "JSON", "Text": "Message", "Table": "Table", "File": "JSON"}
    assert shown == [(name, [kind], True) for name, kind in kinds.items()]


@each
async def test_an_operation_gives_all_outputs_from_one_request(sandbox: Sandbox, spec: ToolSpec) -> None:
    values = await filled_in(sandbox, spec)
    before = len(sandbox.requests)
    given = await results(**values)
    assert len(sandbox.requests) - before == 1
    assert set(given["result"].data) == {*spec.output, "sandbox"}
    assert isinstance(given["text"], Message) and given["text"].text.endswith("nobody was verified.")
    assert isinstance(given["table"], DataFrame) and "sandbox" in given["table"].columns
    assert ("content" in given["file"].data) == (spec.file_source is not None)


async def test_a_run_makes_its_request_anew(sandbox: Sandbox) -> None:
    node = PersonaComponent(sandbox=True, operation="List Cases")
    for runs in (1, 2):
        node.reset_all_output_values()
        await node.build_results()
        assert len(sandbox.requests) == runs


async def test_an_error_is_said_once_and_nothing_is_sent(sandbox: Sandbox) -> None:
    node = PersonaComponent(sandbox=True, operation="Get Inquiry")
    with pytest.raises(NodeError, match=r'Get Inquiry: nothing was sent. Please put right: fill in "Inquiry ID"'):
        await node.build_results()
    assert sandbox.requests == []


async def test_a_file_that_is_waited_for_and_does_not_come_is_an_error(sandbox: Sandbox) -> None:
    node = PersonaComponent(sandbox=True, operation="List Cases", _id="node")
    shown = ChatOutput(_id="shown")
    shown.set(input_value=node.give_file)
    with pytest.raises(Exception, match="List Cases: it was done, but it gives no file"):
        async for _ in Graph(node, shown).async_start():
            pass
    assert len(sandbox.requests) == 1


async def test_two_outputs_that_are_wired_make_one_request(sandbox: Sandbox) -> None:
    node = PersonaComponent(sandbox=True, operation="List Cases", p_case_status="Open", _id="node")
    ids, both, shown = ParserComponent(_id="ids"), CombineTextComponent(_id="both"), ChatOutput(_id="shown")
    ids.set(input_data=node.give_table, pattern="{id}")
    both.set(text1=node.give_text, text2=ids.parse_combined_text, delimiter="\n")
    shown.set(input_value=both.combine_texts)
    graph = Graph(node, shown)
    async for _ in graph.async_start():
        pass
    assert len(sandbox.requests) == 1
    text = graph.get_vertex("shown").results["message"].text
    assert text.count("case_") > 1


@pytest.mark.parametrize(
    "value",
    [
        '{"name": {"first": "Jane"}}',
        {"name": {"first": "Jane"}},
        Data(data={"name": {"first": "Jane"}}),
        Message(text='{"name": {"first": "Jane"}}'),
    ],
    ids=["text", "object", "data", "message"],
)
@pytest.mark.usefixtures("sandbox")
async def test_a_json_field_takes_json_and_wired_data(value: Any) -> None:
    given = await results(sandbox=True, operation="Create Account", p_account_fields=value)
    assert given["result"].data["account"]["fields"]["name"]["first"] == "Jane"


@pytest.mark.parametrize(
    "value",
    [CSV, Message(text=CSV), Data(data={"text": CSV}), DataFrame([{"reference_id": "customer-9001", "name_first": "Jane"}])],
    ids=["text", "message", "data", "table"],
)
@pytest.mark.usefixtures("sandbox")
async def test_a_csv_file_comes_from_an_earlier_block(value: Any) -> None:
    given = await results(sandbox=True, operation="Import Accounts", p_file_reference=value, wait_until_done=True)
    assert "ready, 1 imported" in given["text"].text


@pytest.mark.usefixtures("sandbox")
async def test_a_path_is_read_only_where_langflow_lets_the_flow_read() -> None:
    with pytest.raises(NodeError, match="no file that this flow may read"):
        await results(sandbox=True, operation="Import Accounts", p_file_reference="/etc/hostname")


def test_choosing_an_operation_changes_the_fields() -> None:
    node = PersonaComponent()
    template = node.to_frontend_node()["data"]["node"]["template"]
    changed = node.update_build_config(template, "Create Report", "operation")
    shown = {name for name, entry in changed.items() if isinstance(entry, dict) and entry.get("show")}
    assert {"p_report_type", "p_term", "wait_until_done"} <= shown
    assert not shown.intersection({"p_inquiry_template_id", "all_pages", "p_inquiry_fields", "agreed"})
    assert changed["p_report_type"]["options"] == ["watchlist", "adverse-media", "politically-exposed-person"]


async def test_a_node_that_was_saved_long_ago_runs(sandbox: Sandbox) -> None:
    saved = json.loads(Path(__file__).with_name("saved_node.json").read_text("utf-8"))
    graph = await aload_flow_from_json({"data": {"nodes": [saved], "edges": []}})
    graph.prepare()
    async for _ in graph.async_start():
        pass
    report = graph.vertices[0].results["result"].data["report"]
    assert report["type"] == "report/watchlist"
    assert [effect.name for effect in sandbox.effects][-1] == "report/watchlist.created"
    assert len(sandbox.requests) == 1


def test_a_node_that_was_saved_long_ago_learns_what_is_new() -> None:
    template = json.loads(Path(__file__).with_name("saved_node.json").read_text("utf-8"))["data"]["node"]["template"]
    changed = PersonaComponent().update_build_config(template, "Redact Account", "operation")
    assert "Redact Account" in changed["operation"]["options"]
    assert changed["typed"]["show"] and changed["typed"]["_input_type"] == "MessageTextInput"
    assert changed["p_term"]["value"] == "Jane Q Doe"


async def test_a_key_is_in_no_output_and_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "persona_sandbox_a_key_of_somebody"
    monkeypatch.delenv("PERSONA_API_KEY", raising=False)
    node = PersonaComponent(api_key=secret, operation="Get Case", base_url="http://127.0.0.1:9/api/v1", p_case_id="case_1")
    with pytest.raises(NodeError) as caught:
        await node.build_results()
    assert secret not in str(caught.value) + repr(node)


@pytest.mark.process
def test_the_extension_is_valid() -> None:
    command = [str(Path(sys.executable).with_name("lfx")), "extension"]
    done = subprocess.run(
        [*command, "validate", "--execute-imports", str(FOLDER)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "validate: ok" in done.stdout + done.stderr
    listed = subprocess.run([*command, "list"], capture_output=True, text=True, check=True)
    assert "persona-block" in listed.stdout + listed.stderr, "Langflow finds it by itself"


def test_a_template_of_the_examples_is_one_of_the_sandbox() -> None:
    assert TEMPLATE in (FOLDER.parents[2] / "examples/langflow/onboarding.json").read_text("utf-8")


@pytest.mark.parametrize("name", ["operation", "typed", "agreed"])
async def test_an_agreement_that_is_wired_is_none(sandbox: Sandbox, name: str) -> None:
    async with sandbox.runner() as runner:
        inquiry_id = (await runner.call("list_inquiries", {"status": "completed"}))["inquiries"][0]["id"]
    component = PersonaComponent(operation="Redact Inquiry", sandbox=True, p_inquiry_id=inquiry_id)
    component.set_attributes({"p_inquiry_id": Message(text=inquiry_id)})
    before = len(sandbox.effects)
    with pytest.raises(NodeError, match="takes no wire"):
        component.set_attributes({name: Message(text=inquiry_id)})
    with pytest.raises(NodeError, match="typed"):
        await component.give_text()
    assert len(sandbox.effects) == before
