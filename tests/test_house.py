"""The house: rooms stand on floors, a room imports only rooms below it, and no import goes round in a circle."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "persona_block"
LONGEST = 320
"""Lines of a module, so that it can be read from top to bottom in one sitting."""
GENERATED = f"{PACKAGE}.typed"
"""The package whose modules are made from the specs, and may be longer."""

FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    PACKAGE: (
        ("credentials", "errors", "version"),
        ("spec",),
        ("block", "files"),
        ("call",),
        ("typed",),
        ("runner", "webhooks"),
        ("blocking",),
        ("sandbox",),
        ("__init__",),
        ("export", "flows", "hosts"),
        ("cli",),
    ),
    f"{PACKAGE}.sandbox": (
        ("messages",),
        ("state",),
        ("objects",),
        ("simulation",),
        ("api",),
        ("pages", "webhook"),
        ("serving",),
        ("simulator",),
        ("__init__", "__main__", "pytest_plugin"),
    ),
}
"""The rooms of a package, lowest floor first. What stands on one floor may not import each other."""


class Import(NamedTuple):
    """One name that one module takes from another."""

    importer: str
    imported: str
    name: str


def modules(root: Path) -> dict[str, Path]:
    """Return the modules below a folder by their dotted names; a stub is one too."""
    found = {}
    for path in sorted(path for ending in ("py", "pyi") for path in (root / PACKAGE).rglob(f"*.{ending}")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> list[Import]:
    """Return every import of the package by the package, those in functions and for type checkers too."""
    known = modules(root)
    return [
        found
        for importer, path in known.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for found in _imported(node, importer, path.name == "__init__.py", known)
        if found.imported != importer
    ]


def _imported(node: ast.AST, importer: str, is_package: bool, known: Mapping[str, Path]) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(importer, each.name, "") for each in node.names if each.name in known)
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = importer.split(".") if is_package else importer.split(".")[:-1]
            package = package[: len(package) - node.level + 1]
            base = ".".join([*package, base] if base else package)
        for each in node.names:
            module = f"{base}.{each.name}" if f"{base}.{each.name}" in known else base
            if module in known:
                yield Import(importer, module, "" if module != base else each.name)


def room(module: str, package: str) -> str:
    """Return the room of a package that a module is in."""
    return module.removeprefix(package).lstrip(".").partition(".")[0] or "__init__"


def problems(root: Path) -> list[str]:
    """Return what is wrong with the house, a line for each fault."""
    taken = imports(root)
    return [*_circles(taken), *_climbs(taken), *_private(taken), *_long(root), *_unknown(root)]


def _circles(taken: list[Import]) -> Iterator[str]:
    needs: dict[str, set[str]] = {}
    for each in taken:
        needs.setdefault(each.importer, set()).add(each.imported)
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        yield f"imports go round in a circle: {' → '.join(reversed(error.args[1]))}"


def _climbs(taken: list[Import]) -> Iterator[str]:
    for package, floors in FLOORS.items():
        height = {each: floor for floor, rooms in enumerate(floors) for each in rooms}
        inside = [
            each for each in taken if all((name + ".").startswith(f"{package}.") for name in (each.importer, each.imported))
        ]
        for each in inside:
            upper, lower = room(each.importer, package), room(each.imported, package)
            known = upper in height and lower in height
            if known and upper != lower and height[lower] >= height[upper]:
                yield f"{each.importer} imports {each.imported}, which does not stand below it"


def _private(taken: list[Import]) -> Iterator[str]:
    for each in taken:
        leaf = each.name or each.imported.rpartition(".")[2]
        if leaf.startswith("_") and not leaf.startswith("__"):
            yield f"{each.importer} takes the private {leaf} from {each.imported}"


def _long(root: Path) -> Iterator[str]:
    for name, path in modules(root).items():
        count = len(path.read_text("utf-8").splitlines())
        if count > LONGEST and not f"{name}.".startswith(f"{GENERATED}."):
            yield f"{name} has {count} lines, more than {LONGEST}"


def _unknown(root: Path) -> Iterator[str]:
    for package, floors in FLOORS.items():
        rooms = {each for floor in floors for each in floor}
        found = {room(name, package) for name in modules(root) if (name + ".").startswith(f"{package}.")}
        yield from (f"{package}.{each} is in no list of floors" for each in sorted(found - rooms))


def test_the_house_is_in_order() -> None:
    assert problems(ROOT) == []


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house in order: the runner stands on the call, the call on the errors."""
    for name in ("__init__", "errors", "version", "runner", "call/__init__", "call/client"):
        path = tmp_path / PACKAGE / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""A room."""\n')
    (tmp_path / PACKAGE / "runner.py").write_text("from .call.client import send\nfrom .errors import PersonaError\n")
    assert problems(tmp_path) == []
    return tmp_path


@pytest.mark.parametrize(
    ("module", "text", "problem"),
    [
        (
            "errors",
            "from . import version\n",
            "persona_block.errors imports persona_block.version, which does not stand below",
        ),
        ("errors", "from .call import client\n", "persona_block.errors imports persona_block.call.client, which does not"),
        (
            "call/client",
            "def send():\n    from ..runner import Runner\n",
            "persona_block.call.client imports persona_block.runner, which does not",
        ),
        (
            "call/client",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import persona_block.runner\n",
            "imports go round in a circle: persona_block.",
        ),
        ("runner", "from .call.client import _send\n", "persona_block.runner takes the private _send from persona_block.call"),
        ("runner", "from .call import _wire\n", "persona_block.runner takes the private _wire from persona_block.call"),
        ("errors", "x = 1\n" * 321, "persona_block.errors has 321 lines, more than 320"),
        ("helpers", "", "persona_block.helpers is in no list of floors"),
    ],
)
def test_a_fault_of_the_house_is_found(house: Path, module: str, text: str, problem: str) -> None:
    (house / PACKAGE / f"{module}.py").write_text(text)
    assert any(each.startswith(problem) for each in problems(house)), problems(house)
