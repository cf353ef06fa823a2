"""How the site of the documentation is made of files that stand elsewhere too; `make docs` builds it and checks its links."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.docs_docstrings import as_markdown
from scripts.docs_site import ROOT, loads_from_elsewhere, notebook_page, relinked
from scripts.notebooks import notebooks

SHOWN = {"python.md", "CHANGELOG.md", "examples/onboarding.py", "examples/README.md", "operations/index.md", "demo.svg"}


@pytest.mark.parametrize(
    ("folder", "site_folder", "text", "led"),
    [
        ("", "", "[Python](docs/python.md#pages)", "[Python](python.md#pages)"),
        ("docs", "", "[changes](../CHANGELOG.md)", "[changes](CHANGELOG.md)"),
        ("docs", "", "[a program](../examples/onboarding.py)", "[a program](examples/onboarding.py)"),
        ("docs/operations", "operations", "[Python](../python.md)", "[Python](../python.md)"),
        ("examples", "examples", "[Python](../docs/python.md)", "[Python](../python.md)"),
        ("", "", "![the demo](docs/demo.svg)", "![the demo](demo.svg)"),
        ("", "", '<img src="docs/demo.svg" width="9">', '<img src="demo.svg" width="9">'),
        ("docs", "", "see [the code](../persona_block/runner.py) and `x`", "see the code and `x`"),
        ("docs", "", "[elsewhere](https://example.com) [here](#pages)", "[elsewhere](https://example.com) [here](#pages)"),
        ("docs", "", "[nowhere](nowhere.md)", "[nowhere](nowhere.md)"),
        ("examples", "examples", "[notebook](review_queue.ipynb)", "notebook"),
    ],
)
def test_a_link_leads_to_the_page_of_the_site(folder: str, site_folder: str, text: str, led: str) -> None:
    assert relinked(text, folder, site_folder, SHOWN.__contains__) == led


def test_a_link_to_a_notebook_leads_to_its_page() -> None:
    shown = {"examples/review_queue.md"}
    assert relinked("[it](review_queue.ipynb)", "examples", "examples", shown.__contains__) == "[it](review_queue.md)"


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_the_page_of_a_notebook_holds_all_of_it(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    page = "\n".join(notebook_page(document))
    for cell in document["cells"]:
        assert "".join(cell["source"]) in page
        for output in cell.get("outputs", []):
            data: dict[str, Any] = output.get("data", {})
            shown = data.get("text/html") or output.get("text") or data["text/plain"]
            assert "".join(shown).strip() in page
    assert page.count("```python") == sum(cell["cell_type"] == "code" for cell in document["cells"])


def test_the_arguments_of_a_docstring_become_a_list() -> None:
    docstring = (
        "Return what waits.\n\n"
        "until: the statuses, or a function\n    of the output. The default is: every ending.\n"
        "store, overwrite: where a file goes. pause: seconds between two looks.\n\n"
        "Raises WaitFailed: it ended."
    )
    assert as_markdown(docstring) == (
        "Return what waits.\n\n"
        "- **until**: the statuses, or a function of the output. The default is: every ending.\n"
        "- **store, overwrite**: where a file goes.\n- **pause**: seconds between two looks.\n\n"
        "Raises WaitFailed: it ended."
    )


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://unpkg.com/mermaid"></script>',
        '<link rel="preconnect" href="https://fonts.gstatic.com" crossorigin>',
        "<img alt='x' src='//example.com/x.png'>",
    ],
)
def test_a_page_that_loads_from_elsewhere_is_found(page: str) -> None:
    assert len(loads_from_elsewhere(page)) == 1


def test_links_to_elsewhere_are_no_loading() -> None:
    page = '<a href="https://example.com">x</a> <img src="demo.svg"> <script src="../assets/x.js"></script>'
    assert loads_from_elsewhere(page) == []


def test_the_theme_is_told_to_load_no_font_and_asks_no_host_about_a_repository() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    assert settings["theme"]["font"] is False
    assert not settings.keys() & {"repo_url", "extra_javascript", "extra"}
    assert settings["extra_css"] == ["site.css"]
    links = settings["validation"]["links"]
    assert set(links.values()) == set(settings["validation"]["nav"].values()) == {"warn"}
