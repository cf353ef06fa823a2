"""The preview page carries the manifest and nothing else: no name of an operation in its script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from persona_block.block import build, preview
from persona_block.block.preview import preview_page
from persona_block.spec import catalog

MANIFEST = build.manifest()
PARTS = sorted((Path(preview.__file__).parent / "page").iterdir())


class Elements(HTMLParser):
    """The elements of a page: every tag with its attributes, and the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style", "title"):
            self._open = tag
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    def policy(self) -> dict[str, str]:
        """Return the page's own content security policy, by directive."""
        (policy,) = (meta["content"] for meta in self.named("meta") if meta.get("http-equiv") == "Content-Security-Policy")
        assert policy
        return {name: rest.strip() for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}


def source(text: str) -> str:
    """Return the policy's expression for an inline element of this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def carried(page: str) -> Any:
    """Return the manifest that a page carries, read as a browser would."""
    match = re.search(r'<script id="manifest" type="application/json">(.*?)</script', page, re.DOTALL | re.IGNORECASE)
    assert match
    return json.loads(match[1])


def test_the_page_carries_the_manifest() -> None:
    assert carried(preview_page(MANIFEST)) == MANIFEST


HOSTILE = "</script><script>alert(1)</script><!-- <script \u2028 & ]]> $style ${title} {title} \" ' é 漢"


def test_no_text_of_the_manifest_becomes_markup() -> None:
    plain = Elements(preview_page(MANIFEST))
    manifest = build.manifest()
    manifest["name"] = manifest["description"] = manifest["tools"]["definitions"][0]["title"] = HOSTILE
    manifest["icon"] = '<svg "onload=alert(1)><script>alert(1)</script></svg>'
    page = preview_page(manifest)
    assert carried(page) == manifest
    hostile = Elements(page)
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert [sorted(attributes) for _, attributes in hostile.tags] == [sorted(attributes) for _, attributes in plain.tags]
    assert hostile.texts["title"] == [HOSTILE]
    assert hostile.texts["style"] == plain.texts["style"]


def test_the_policy_allows_the_one_script_and_the_one_style() -> None:
    page = Elements(preview_page(MANIFEST))
    policy = page.policy()
    (style,) = page.texts["style"]
    data, script = page.texts["script"]
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["style-src"] == source(style)
    assert policy["script-src"] == source(script)
    assert policy["img-src"] == "data:"
    assert set(policy) == {"default-src", "img-src", "style-src", "script-src", "base-uri", "form-action"}
    assert [attributes.get("type") for attributes in page.named("script")] == ["application/json", "module"]
    assert json.loads(data)
    (first, *_) = (tag for tag, attributes in page.tags if "http-equiv" in attributes or tag in ("script", "style", "link"))
    assert first == "meta", "the policy comes before what it governs"


def test_nothing_comes_from_elsewhere() -> None:
    page = Elements(preview_page(MANIFEST))
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name in ("src", "href", "srcset", "action", "data"):
            target = attributes.get(name)
            assert target is None or target.startswith(("data:image/svg+xml,", "#")), tag
    for text in (*page.texts["style"], page.texts["script"][1]):
        assert not re.search(r"https?:|url\(|@import|\bfetch\b|XMLHttpRequest|WebSocket|\bimport\b|localStorage", text)


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_no_part_of_the_page_names_an_operation_or_a_field(path: Path) -> None:
    text = path.read_text("utf-8")
    specs = catalog.load_all()
    operations = {name for spec in specs for name in (spec.name, spec.title)}
    names = {name for spec in specs for name in (*spec.params, *spec.output, *(param.field for param in spec.params.values()))}
    # A single lower-case word, such as `status`, also means something to a page.
    named = operations | {name for name in names if not name.islower()}
    assert [name for name in sorted(named) if re.search(rf"\b{re.escape(name)}\b", text)] == []
    assert MANIFEST["name"] not in text


@pytest.mark.process
def test_needs_no_http_no_validator_and_no_template_engine() -> None:
    script = (
        "import sys; from persona_block.block.build import manifest; from persona_block.block.preview import preview_page;"
        "preview_page(manifest());"
        "print([name for name in ('httpx', 'jsonschema', 'jinja2', 'starlette') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert ran.stdout.strip() == "[]"
