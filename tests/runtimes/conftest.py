"""The manifest and the vectors as files, as a runtime in another language gets them."""

from __future__ import annotations

import json

import pytest

from persona_block.block import conformance_vectors, manifest
from tests.runtimes.node import lacking


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the manifest and the vectors; return their paths by the environment variables that the runtime's tests read.

    Skips where the runtime cannot be run.
    """
    if reason := lacking():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("documents")
    paths = {"PERSONA_MANIFEST": folder / "manifest.json", "PERSONA_VECTORS": folder / "vectors.json"}
    for path, document in zip(paths.values(), (manifest(), conformance_vectors()), strict=True):
        path.write_text(json.dumps(document), "ascii")
    return {name: str(path) for name, path in paths.items()}
