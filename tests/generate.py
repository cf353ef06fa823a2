"""Write the files that are derived from others: `make generate`."""

from __future__ import annotations

import json
from pathlib import Path

from persona_block import catalog, resources


def main() -> None:
    """Write each derived file anew."""
    grammar = json.dumps(catalog.grammar_schema(), indent=2) + "\n"
    Path(resources.specs() / "shared/spec.schema.json").write_text(grammar, "utf-8")


if __name__ == "__main__":
    main()
