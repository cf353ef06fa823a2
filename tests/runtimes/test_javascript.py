"""The JavaScript runtime proves itself: by the vectors, by whole flows, and by failing where the manifest is spoilt."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from persona_block.block import conformance_vectors, manifest
from persona_block.spec import catalog
from tests.cli.test_sandbox import served
from tests.runtimes.node import RUNTIME, node, node_lines

pytestmark = [pytest.mark.process, pytest.mark.slow]

SOURCES = sorted((RUNTIME / "src").glob("*.mjs"))
SPEED = ("--speed", "1000")
"""A thousand simulated seconds in a real one, so that nothing has to be waited for."""


def test_every_vector_and_what_no_vector_shows(documents: dict[str, str]) -> None:
    done = node("--test", "test", **documents)
    assert done.returncode == 0, done.stdout
    for kind, entries in conformance_vectors().items():
        if isinstance(entries, list):
            assert re.search(rf"^ok \d+ - {len(entries)} vectors of {kind}$", done.stdout, re.MULTILINE), kind


def test_it_names_no_operation_and_no_param() -> None:
    text = "\n".join(path.read_text("utf-8") for path in SOURCES)
    for spec in catalog.load_all():
        for name in {spec.name, *spec.params, *spec.output}:
            # A word of one part, such as `file`, may stand for what anybody calls so.
            assert (name.islower() and "_" not in name) or not re.search(rf"\b{name}\b", text), name


def test_it_has_no_dependency() -> None:
    package = json.loads((RUNTIME / "package.json").read_text("utf-8"))
    assert not package.keys() & {"dependencies", "devDependencies", "peerDependencies", "optionalDependencies"}
    imported = {name for path in SOURCES for name in re.findall(r"from '([^']+)'", path.read_text("utf-8"))}
    assert {name for name in imported if not name.startswith(("node:", "./"))} == set()


def test_whole_flows(documents: dict[str, str]) -> None:
    with served(*SPEED) as sandbox:
        done = node("--test", "flows/flows.test.mjs", **documents, **_persona(sandbox.base_url, sandbox.api_key))
    assert done.returncode == 0, done.stdout


def test_nothing_doubles_while_calls_go_wrong(documents: dict[str, str]) -> None:
    with served(*SPEED, "--faults", "all:0.25") as sandbox:
        done = node("--test", "flows/faults.test.mjs", **documents, **_persona(sandbox.base_url, sandbox.api_key))
    assert done.returncode == 0, done.stdout


def _persona(base_url: str, api_key: str) -> dict[str, str]:
    return {"PERSONA_BASE_URL": base_url, "PERSONA_API_KEY": api_key}


def test_every_word_of_every_shape_is_tried_by_a_vector(documents: dict[str, str]) -> None:
    untried = [what for *_, what in node_lines("conformance/untried.mjs", [], **documents)]
    # The type of a resource is there whenever the resource is.
    assert set(untried) == {"null"} and len(untried) == 7, untried


# --- a spoilt manifest -----------------------------------------------------------------------------------------------------

Definitions = dict[str, Any]
Spoil = Callable[[dict[str, Any], Definitions], object]
"""Changes one thing in a manifest, or in its definitions by name."""


def _swapped(node: dict[str, Any], old: str, new: str) -> None:
    """Give a key another name, in its place."""
    entries = [(new if name == old else name, value) for name, value in node.items()]
    assert [name for name, _ in entries] != list(node)
    node.clear()
    node.update(entries)


def _shape(definitions: Definitions, operation: str, output: str) -> dict[str, Any]:
    shape: dict[str, Any] = definitions[operation]["response"][output]["shape"]
    return shape


VECTOR_SPOILS: dict[str, Spoil] = {
    "a wrong pointer": lambda _, d: _shape(d, "get_inquiry", "inquiry")["properties"]["status"].update({"x-from": "/status"}),
    "a lost question mark": lambda _, d: _swapped(d["approve_inquiry"]["request"]["body"], "meta?", "meta"),
    "another choice": lambda _, d: d["create_inquiry"]["choose"]["templateKey"]["cases"].update({"tmpl_": "template"}),
    "another method": lambda _, d: d["update_inquiry"]["request"].update(method="POST"),
    "a lost x-unwrap": lambda _, d: _shape(d, "get_account", "account")["properties"]["fields"].pop("x-unwrap"),
    "another x-type": lambda _, d: _shape(d, "get_report", "report").update({"x-type": "case"}),
    "a lost x-collect": lambda _, d: _shape(d, "get_document", "document")["properties"]["files"]["x-collect"].pop(),
    "a lost null": lambda _, d: _shape(d, "get_inquiry", "inquiry")["properties"]["note"].update(type="string"),
    "a lost format": lambda _, d: d["create_account"]["params"]["properties"]["countryCode"].pop("format"),
    "another query key": lambda _, d: _swapped(d["list_cases"]["request"]["query"], "page[size]", "page[limit]"),
    "a lost enum": lambda _, d: d["create_report"]["params"]["properties"]["reportType"].pop("enum"),
    "a lost maximum": lambda _, d: d["list_inquiries"]["params"]["properties"]["pageSize"].pop("maximum"),
    "a lost requireAny": lambda _, d: d["update_account"].pop("requireAny"),
    "a lost required": lambda _, d: d["get_case"]["params"]["required"].remove("caseId"),
    "another cursor in the link": lambda _, d: d["list_accounts"]["response"]["nextCursor"].update(queryParam="page[before]"),
    "another effect": lambda _, d: d["create_inquiry"].update(effect="read"),
    "another first delay": lambda m, _: m["retry"].update(firstDelaySeconds=1.0),
    "another deadline": lambda m, _: m["retry"].update(deadlineSeconds=30.0),
    "a 500 that is sent again": lambda m, _: m["retry"].update(again=[*m["retry"]["again"], 500]),
    "a longer tolerance": lambda m, _: m["webhooks"].update(toleranceSeconds=400.0),
    "more sets": lambda m, _: m["webhooks"].update(largestNumberOfSets=6),
}
FLOW_SPOILS: dict[str, Spoil] = {
    "another scheme": lambda m, _: m["wire"]["auth"].update(scheme="Basic"),
    "another cursor param": lambda _, d: d["list_accounts"]["paginate"].update(cursor="referenceId"),
    "another end of waiting": lambda _, d: d["get_report"]["wait"].update(success=["done"]),
    "another id to wait with": lambda _, d: d["import_accounts"]["then"]["params"].update(importerId="/importer/type"),
    "another file name": lambda _, d: d["print_inquiry_pdf"]["response"]["file"].update(filename="inquiry.pdf"),
}
FAULT_SPOILS: dict[str, Spoil] = {
    "another idempotency header": lambda m, _: m["wire"].update(idempotencyHeader="Idempotence-Key"),
}


def _spoilt(spoil: Spoil) -> dict[str, Any]:
    changed = copy.deepcopy(manifest())
    spoil(changed, {definition["name"]: definition for definition in changed["tools"]["definitions"]})
    assert changed != manifest()
    return changed


def test_a_vector_fails_wherever_the_manifest_is_spoilt(documents: dict[str, str]) -> None:
    manifests = [manifest(), *map(_spoilt, VECTOR_SPOILS.values())]
    failing = node_lines("conformance/failing.mjs", manifests, **documents)
    assert not any(failing[0].values())
    assert {
        name: sum(kinds.values()) for name, kinds in zip(VECTOR_SPOILS, failing[1:], strict=True) if not any(kinds.values())
    } == {}


@pytest.mark.usefixtures("documents")
@pytest.mark.parametrize(
    ("flow", "options", "spoils"),
    [("flows", (), FLOW_SPOILS), ("faults", ("--faults", "reset-after,cut-body:0.3"), FAULT_SPOILS)],
)
def test_a_flow_fails_wherever_the_manifest_is_spoilt(
    flow: str, options: tuple[str, ...], spoils: dict[str, Spoil], tmp_path: Path
) -> None:
    path = tmp_path / "manifest.json"
    with served(*SPEED, *options) as sandbox:
        persona = _persona(sandbox.base_url, sandbox.api_key)
        for name, spoil in spoils.items():
            path.write_text(json.dumps(_spoilt(spoil)), "utf-8")
            done = node("--test", f"flows/{flow}.test.mjs", PERSONA_MANIFEST=str(path), **persona)
            assert done.returncode != 0, name
            assert "Cannot find module" not in done.stdout
        path.write_text(json.dumps(manifest()), "utf-8")
        assert node("--test", f"flows/{flow}.test.mjs", PERSONA_MANIFEST=str(path), **persona).returncode == 0
