"""The types made from the specs: checkers refuse what is wrong and nothing else, and they say what outputs really hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from persona_block import FileRef, typed
from persona_block.spec import catalog
from scripts.typed_calls import TYPED, typed_files
from scripts.typed_dicts import output_name, params_name
from tests.support.case_files import Case, cases

ROOT = Path(__file__).resolve().parents[2]
USES = Path(__file__).parent / "uses.py"
TYPES = ROOT / "persona_block/typed"

each_operation = pytest.mark.parametrize("name", catalog.names())


def lines_refused_by_mypy(_folder: Path) -> set[int]:
    """Return the lines of `uses.py` that mypy refuses with the settings of this project."""
    done = subprocess.run([sys.executable, "-m", "mypy", str(USES)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    return {int(line) for line in re.findall(rf"^{re.escape(str(USES.relative_to(ROOT)))}:(\d+): error", done.stdout, re.M)}


def lines_refused_by_pyright(folder: Path) -> set[int]:
    """Return the lines of `uses.py` that pyright refuses in its strict mode."""
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"include": [str(USES)], "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}))
    options = ["--outputjson", "--project", str(settings), "--pythonpath", sys.executable]
    done = subprocess.run([sys.executable, "-m", "basedpyright", *options], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 1
    return {each["range"]["start"]["line"] + 1 for each in found["generalDiagnostics"]}


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize("lines_refused", [lines_refused_by_mypy, lines_refused_by_pyright])
def test_what_is_wrong_is_refused_on_its_line_and_nothing_else(
    lines_refused: Callable[[Path], set[int]], tmp_path: Path
) -> None:
    lines = USES.read_text("utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert len(wrong) > 40
    refused = lines_refused(tmp_path)
    assert [lines[number - 1].strip() for number in sorted(wrong - refused)] == [], "these were not refused"
    assert [lines[number - 1].strip() for number in sorted(refused - wrong)] == [], "these are right"


@pytest.mark.process
def test_nothing_of_it_is_imported_at_run_time() -> None:
    code = (
        "import sys, persona_block, persona_block.cli.demo, persona_block.hosts.toolbox\n"
        "assert all(getattr(persona_block, name) for name in [*persona_block.__all__, 'Sandbox'])\n"
        "print([name for name in sys.modules if name.startswith('persona_block.typed')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_modules_are_those_that_are_made() -> None:
    made = typed_files(TYPES)
    assert {path: path.read_text("utf-8") for path in TYPES.glob("*.py*")} == made, "run `make generate`"
    assert set(typed.__all__) == {name for name in vars(typed) if name[0].isupper()}


@each_operation
def test_params_are_those_of_the_spec(name: str) -> None:
    spec = catalog.load(name)
    params = getattr(typed, params_name(spec))
    assert params.__required_keys__ == set(spec.required)
    assert params.__optional_keys__ == set(spec.params) - set(spec.required) | {"apiKey"}


@pytest.mark.parametrize("case", [case for case in cases() if not case.spec.file_source], ids=str)
def test_an_output_holds_what_its_type_says(case: Case) -> None:
    fits(case.output, getattr(typed, output_name(case.spec)), "")


@pytest.mark.parametrize("path", ["/tmp/inq_1.pdf", None])
def test_a_stored_file_holds_what_its_type_says(path: str | None) -> None:
    stored = FileRef(name="inq_1.pdf", mime_type="application/pdf", size=5, url="memory://inq_1.pdf", path=path)
    fits({"file": stored.to_dict()}, typed.PrintInquiryPdfOutput, "")


def fits(value: Any, annotation: Any, place: str) -> None:
    """Fail where a value is not of a type, or a TypedDict lacks a key or has another."""
    if annotation is Any:
        return
    options = get_args(annotation) if type(None) in get_args(annotation) else (annotation,)
    if value is None:
        assert type(None) in options, place
        return
    (annotation,) = (option for option in options if option is not type(None))
    if is_typeddict(annotation):
        types = get_type_hints(annotation)
        assert set(value) == set(types), place
        for key, each in value.items():
            fits(each, types[key], f"{place}/{key}")
    elif get_origin(annotation) is list:
        for each in value:
            fits(each, get_args(annotation)[0], f"{place}/*")
    else:
        assert type(value) is (get_origin(annotation) or annotation), place


def test_what_is_started_is_of_the_type_of_what_is_waited_for() -> None:
    """`run` with `wait` gives the latter, and is typed as the former."""
    started = [spec for spec in catalog.load_all() if spec.then]
    for spec in started:
        assert spec.then
        outputs = [getattr(typed, output_name(each)) for each in (spec, catalog.load(spec.then.operation))]
        assert get_type_hints(outputs[0]) == get_type_hints(outputs[1])
    assert started


def test_each_call_has_an_overload_for_each_operation_that_it_is_for() -> None:
    counts = {"all": len(catalog.names()), "lists": 0, "waits": 0}
    for spec in catalog.load_all():
        counts["lists"] += spec.paginate is not None
        counts["waits"] += spec.wait is not None or spec.then is not None
    for name, entries in TYPED.items():
        stub = (TYPES / f"{name}.pyi").read_text("utf-8")
        for entry in entries:
            protocol = stub.partition(f"class {entry.name}(")[2].partition("\nclass ")[0]
            assert protocol.count("@overload") == counts[entry.reach] + 1
            assert protocol.count("operation: OperationName,") == 1
