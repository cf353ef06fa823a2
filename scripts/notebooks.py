"""Run the notebooks of the examples, and keep what they give: `python -m scripts.notebooks`.

What they give holds times, so `make generate` leaves them alone; a test runs them and compares the rest.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
_KEPT = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}}}


def notebooks() -> list[Path]:
    """Return the notebooks of the examples."""
    return sorted((ROOT / "examples").glob("*.ipynb"))


def executed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook with what its cells give when they are run one after the other, in a folder of their own."""
    nbformat = importlib.import_module("nbformat")  # it has no types
    with tempfile.TemporaryDirectory() as folder:
        notebook = nbformat.reads(json.dumps(document), as_version=4)
        NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    cells = json.loads(nbformat.writes(notebook))["cells"]
    for cell in cells:
        cell["metadata"] = {}
    return {**_KEPT, "cells": cells}


def main() -> None:
    """Run each notebook and write it down."""
    for path in notebooks():
        document = executed(json.loads(path.read_text("utf-8")))
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
