"""Write the files that are derived from others: `make generate`."""

from __future__ import annotations

import asyncio
import html
import json
import re
import tempfile
from pathlib import Path

from persona_block.sandbox import OUTCOMES
from persona_block.spec import catalog, resources

ROOT = Path(__file__).resolve().parents[1]
_LINE_HEIGHT = 19


def operations_table() -> str:
    """The README's table of all operations, by group."""
    order = ("inquiries", "accounts", "cases", "reports", "evidence", "templates")
    specs = sorted(catalog.load_all(), key=lambda spec: order.index(spec.group))
    rows = [
        f"| `{spec.name}` | {spec.group} | {spec.effect} | {spec.description.partition('. ')[0].rstrip('.')} |"
        for spec in specs
    ]
    return "\n".join(["| operation | group | effect | what it does |", "| --- | --- | --- | --- |", *rows])


def outcomes_table() -> str:
    """The README's table of the names that steer the offline Persona."""
    rows = [f"| {outcome.name} | {outcome.means} |" for outcome in OUTCOMES]
    return "\n".join(["| name | what happens |", "| --- | --- |", *rows])


def readme(text: str) -> str:
    """The README with its tables made anew."""
    for name, table in (("operations", operations_table()), ("outcomes", outcomes_table())):
        head, _, rest = text.partition(f"<!-- {name} -->\n")
        _, _, tail = rest.partition(f"<!-- /{name} -->\n")
        text = f"{head}<!-- {name} -->\n{table}\n<!-- /{name} -->\n{tail}"
    return text


def demo_picture() -> str:
    """What the demo prints, as an SVG of a terminal."""
    from persona_block.cli.demo import run_demo

    lines: list[str] = ["$ make demo"]
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run_demo(Path(folder) / "persona-demo", lambda text: lines.extend(text.split("\n"))))
        lines = [line.replace(f"{folder}/", "") for line in lines]
    shown = [re.sub(r"([?]code=\S{6})\S+", r"\1…,", line) for line in lines]
    width = 8 * max(map(len, shown)) + 40
    height = _LINE_HEIGHT * len(shown) + 36
    text = "".join(
        f'<text x="20" y="{32 + index * _LINE_HEIGHT}">{html.escape(line) or " "}</text>\n' for index, line in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
        f' aria-label="The steps of one simulated onboarding, as the demo prints them">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#11151c"/>\n'
        '<g fill="#d7dde8" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" xml:space="preserve">\n'
        f"{text}</g>\n</svg>\n"
    )


def main() -> None:
    """Write each derived file anew."""
    grammar = json.dumps(catalog.grammar_schema(), indent=2) + "\n"
    (resources.specs() / "shared/spec.schema.json").write_text(grammar, "utf-8")
    (ROOT / "README.md").write_text(readme((ROOT / "README.md").read_text("utf-8")), "utf-8")
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs/demo.svg").write_text(demo_picture(), "utf-8")


if __name__ == "__main__":
    main()
