"""What the documents say of the project's own parts is so: paths and names exist, and the pictures show the real rooms."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from persona_block import errors
from persona_block.call.result import Timing, ToolResult
from persona_block.cli import command
from persona_block.flows.ports import ENTRY_POINTS
from tests.test_house import FLOORS, PACKAGE, imports, modules, room

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples/README.md"]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")
STABILITY = (ROOT / "docs/stability.md").read_text("utf-8")
PICTURES = dict(zip(FLOORS, re.findall(r"```mermaid\n(.*?)```", ARCHITECTURE, re.DOTALL), strict=True))

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
each_picture = pytest.mark.parametrize("package", FLOORS)


# --- paths and names -------------------------------------------------------------------------------------------------------


def paths(text: str) -> set[str]:
    """Return the paths of this project in a text: quoted ones that begin with a folder of it, and the targets of links."""
    folders = "|".join(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    quoted = re.findall(rf"`((?:{folders})/[^\s`]*)`", text)
    return {*quoted, *re.findall(r"\]\((?!https?:)([^)#]+)\)", text)}


def exists(path: str, folder: Path) -> bool:
    """Tell whether a path names something, seen from the project's root or from a folder; `<name>` stands for any name."""
    pattern = re.sub(r"<\w+>", "*", path.removesuffix("/"))
    return any(base.joinpath(pattern).exists() or (base == ROOT and any(base.glob(pattern))) for base in (ROOT, folder))


@each_document
def test_every_path_that_is_named_exists(document: Path) -> None:
    named = paths(document.read_text("utf-8"))
    assert [path for path in sorted(named) if not exists(path, document.parent)] == []
    assert document.name != "architecture.md" or len(named) > 50


@pytest.mark.process  # a library of the engine asks the system for the machine's word size when it is imported
@each_document
def test_every_python_name_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(rf"\b{PACKAGE}(?:\.\w+)+", document.read_text("utf-8")))
    assert [name for name in sorted(named) if not is_python_name(name)] == []


def is_python_name(name: str) -> bool:
    """Tell whether a dotted name is a module, an attribute of one, or the group of entry points for targets of flows."""
    if name == ENTRY_POINTS:
        return True
    module, _, attribute = name.rpartition(".")
    return name in modules(ROOT) or (module in modules(ROOT) and hasattr(importlib.import_module(module), attribute))


def test_a_path_or_name_that_is_wrong_is_found() -> None:
    text = "`persona_block/nowhere.py`, `tests/<name>.toml` and [this](nowhere.md), but `/api/v1` and `an/other`"
    assert {path for path in paths(text) if not exists(path, ROOT / "docs")} == {
        "persona_block/nowhere.py",
        "tests/<name>.toml",
        "nowhere.md",
    }
    assert not is_python_name("persona_block.nowhere")
    assert is_python_name("persona_block.sandbox.CHOICES")


# --- the pictures ----------------------------------------------------------------------------------------------------------


def drawn_floors(picture: str) -> list[set[str]]:
    """Return the rooms of each floor that is drawn, lowest first."""
    floors = re.findall(r"^ {4}subgraph (.*?)^ {4}end$", picture, re.DOTALL | re.MULTILINE)
    return [set(re.findall(r"room_(\w+) ?\[", floor)) for floor in reversed(floors)]


@each_picture
def test_the_rooms_stand_on_their_floors(package: str) -> None:
    existing = {room(name, package) for name in modules(ROOT) if f"{name}.".startswith(f"{package}.")}
    floors = [existing.intersection(rooms) for rooms in FLOORS[package]]
    assert drawn_floors(PICTURES[package]) == [floor for floor in floors if floor]


@each_picture
def test_every_arrow_between_rooms_is_an_import(package: str) -> None:
    arrows = set(re.findall(r"room_(\w+) (?:-->|==>) room_(\w+)", PICTURES[package]))
    taken = {(room(each.importer, package), room(each.imported, package)) for each in imports(ROOT)}
    assert arrows - taken == set()
    assert len(arrows) > 10


def test_the_way_of_a_call_goes_through_modules_of_its_room() -> None:
    steps = re.findall(r'call_(\w+)\["(\w+)\.py"\]', PICTURES[PACKAGE])
    assert [step for step, _ in steps][:6] == ["caller", "inputs", "serialize", "client", "parse", "result"]
    assert all(step == module and f"{PACKAGE}.call.{module}" in modules(ROOT) for step, module in steps)


# --- what is stable --------------------------------------------------------------------------------------------------------


def first_column(heading: str) -> list[str]:
    """Return the quoted or plain words in the first column of the table below a line of `docs/stability.md`."""
    table = STABILITY.partition(heading)[2].partition("| --- | --- |\n")[2].partition("\n\n")[0]
    return [word for row in table.splitlines() for word in re.findall(r"\w+", row.split("|")[1])]


def test_the_envelope_is_the_one_described() -> None:
    fields = [field for field in ToolResult.model_fields.values() if not field.exclude]
    assert first_column("### Envelope") == [field.alias for field in fields]
    assert all(f"`{field.alias}`" in STABILITY for field in Timing.model_fields.values())
    assert first_column("And of `errorDetails`:") == list(errors.PersonaError("").details())


def test_the_kinds_of_errors_are_those_described() -> None:
    def classes(base: type[errors.PersonaError]) -> list[type[errors.PersonaError]]:
        return [base, *(each for child in base.__subclasses__() for each in classes(child))]

    ours = [each for each in classes(errors.PersonaError) if each.__module__ == errors.__name__]
    kinds = {re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower() for each in ours}
    described = STABILITY.partition("Kinds: ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", described)) == kinds


def test_the_exit_codes_are_those_described() -> None:
    codes = [command.SUCCESS, command.FAILURE, command.MISUSE, command.INTERRUPTED]
    assert first_column("### Command line") == [str(code) for code in codes]
