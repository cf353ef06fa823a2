"""Wheel, sdist, editable install and bare checkout all find the operations and the icon."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from benchmarks.import_time import ratio
from persona_block.spec import catalog
from persona_block.version import __version__

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.process

ASK = f"""
import sys
import persona_block
assert len(persona_block.manifest()["tools"]["definitions"]) == {len(catalog.names())}
assert "pydantic" not in sys.modules, "the manifest was derived"
from persona_block.spec import catalog, resources
assert [spec.name for spec in catalog.load_all()] == {list(catalog.names())!r}
assert resources.icon().startswith("<svg")
print(persona_block.__file__)
"""


def ask(*, cwd: Path, path: Path | None = None) -> str:
    """Where a fresh interpreter finds a package that has everything."""
    environment = {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built here without a network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_wheel(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        names = archive.namelist()
    assert ask(cwd=tmp_path, path=tmp_path).startswith(str(tmp_path))
    assert not [name for name in names if name.startswith(("tests/", "tool_specs/", "benchmarks/"))]
    assert {f"persona_block/typed/{name}" for name in ("blocking.pyi", "params.py", "runner.pyi")} <= set(names)
    assert {"persona_block/py.typed", "persona_block/sandbox/pages/base.html"} <= set(names)
    assert {"persona_block/runtimes/javascript/src/persona.mjs", "persona_block/export/n8n/template/README.md"} <= set(names)


def test_sdist_is_a_bare_checkout(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (checkout,) = tmp_path.iterdir()
    assert ask(cwd=tmp_path, path=checkout).startswith(str(checkout))
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()]
    kept = {path.name for path in ROOT.iterdir() if not any(path.match(pattern) for pattern in (*ignored, ".git*"))}
    assert kept <= {path.name for path in checkout.iterdir()}, "the sdist's `include` in pyproject.toml lacks some"


def test_editable_install_and_checkout(tmp_path: Path) -> None:
    assert ask(cwd=tmp_path) == str(ROOT / "persona_block" / "__init__.py"), "run `make test`, which installs it editable"
    assert ask(cwd=ROOT) == str(ROOT / "persona_block" / "__init__.py")


def test_a_package_without_its_data_says_so(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.endswith(".py")])
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert "installed without its tool_specs" in done.stderr


def test_versions_agree() -> None:
    assert metadata.version("persona-block") == __version__


def test_importing_costs_little() -> None:
    assert ratio(rounds=5) <= 1.2


def test_a_runner_imports_no_judge_of_schemas() -> None:
    call = "import persona_block, sys; result = persona_block.run_sync('get_case', {'caseId': 'case_1'}, api_key='two words')"
    ask_modules = f"{call}; print(result.success, 'jsonschema' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", ask_modules], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_importing_loads_no_library() -> None:
    ask_modules = "import persona_block, sys; print([m for m in sys.modules if m.split('.')[0] in "
    ask_modules += "{'httpx', 'pydantic', 'jsonschema', 'starlette', 'uvicorn'}])"
    done = subprocess.run([sys.executable, "-c", ask_modules], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
