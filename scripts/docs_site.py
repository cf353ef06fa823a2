"""The documentation as a site, from files that read well where they stand: a hook of MkDocs.

Beside `docs/`, the site has the README as its first page, the changelog and its neighbours, and the examples. A link that
leads to one of these, from wherever it stands in the project, leads to its page; a link to a file that the site does not show
becomes plain text.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from pymdownx.superfences import fence_code_format

from persona_block.spec import catalog

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md")
FILES = ("icons/persona.svg", "LICENSE")
EXAMPLES = ("examples/*.py", "examples/*.csv", "examples/agents/**/*.py", "examples/langflow/*.json")
NOTEBOOKS = "examples/*.ipynb"
MERMAID = ROOT / ".venv/mermaid.min.js"
"""What draws the pictures of the architecture, where `make docs` could get it; without it they stay text."""
MERMAID_URL = "assets/javascripts/mermaid.min.js"

_LINK = re.compile(r"(?<=\]\()(?P<target>[^\s()#]+)(?P<anchor>#[^\s()]*)?(?=\))")
_IMAGE = re.compile(r'(?<=<img src=")(?P<target>[^"#:]+)(?P<anchor>)(?=")')
_LOADED = re.compile(r"""<(?:script|img|iframe|source|link|use)\b[^>]*?\s(?:src|href)=["']?((?:https?:)?//[^\s"'>]+)""")
_WHOLE_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^\s()#]+)(?:#[^\s()]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the page of each operation behind their index in the navigation, and have pictures in Mermaid drawn where it is."""
    sections = {name: pages for section in config.nav or [] if isinstance(section, dict) for name, pages in section.items()}
    sections["Operations"] += [f"operations/{spec.name}.md" for spec in catalog.in_order_of_use()]
    if MERMAID.exists():
        fence = {"name": "mermaid", "class": "mermaid", "format": fence_code_format}
        config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the site shows from outside of `docs/`."""
    for path in [*PAGES, *FILES, *_found(*EXAMPLES)]:
        files.append(File(path, str(ROOT), config.site_dir, config.use_directory_urls, inclusion=InclusionLevel.INCLUDED))
    for path in _found(NOTEBOOKS):
        document = json.loads((ROOT / path).read_text("utf-8"))
        files.append(File.generated(config, _page_of(path), content="\n".join(notebook_page(document))))
    if MERMAID.exists():
        files.append(File.generated(config, MERMAID_URL, abs_src_path=str(MERMAID)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Return a page with its links led to the pages of the site."""
    source = page.file.src_uri
    folder = posixpath.dirname(source if (ROOT / source).is_file() else DOCS + source)
    text = relinked(markdown, folder, posixpath.dirname(source), lambda path: files.get_file_from_path(path) is not None)
    if "\n```mermaid\n" in text and MERMAID.exists():
        # The theme would fetch it from another host where a page does not bring it along.
        text += f'\n\n<script src="{get_relative_url(MERMAID_URL, page.url)}"></script>\n'
    return text


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Return a page as it is; raises PluginError for one that would load something from elsewhere."""
    if loaded := loads_from_elsewhere(output):
        raise PluginError(f"{page.file.src_uri} loads {', '.join(loaded)}; a page loads nothing from other hosts")
    return output


def loads_from_elsewhere(page: str) -> list[str]:
    """Return the URLs of other hosts that a page loads by itself; links are none."""
    return _LOADED.findall(page)


def relinked(markdown: str, folder: str, site_folder: str, is_shown: Callable[[str], bool]) -> str:
    """Return a text with its links led to what the site shows.

    folder: where the text stands in the project. site_folder: where its page stands in the site. is_shown: whether the site
    has a path.
    """

    def site_path(target: str) -> str | None:
        """Return the path in the site of what a link names; None where the project has no such file."""
        path = posixpath.normpath(posixpath.join(folder, target))
        return _page_of(path).removeprefix(DOCS) if (ROOT / path).exists() else None

    def plain(link: re.Match[str]) -> str:
        path = site_path(link["target"])
        return link["text"] if path is not None and not is_shown(path) else link[0]

    def led(link: re.Match[str]) -> str:
        path = site_path(link["target"])
        return link[0] if path is None else posixpath.relpath(path, site_folder or ".") + (link["anchor"] or "")

    return _IMAGE.sub(led, _LINK.sub(led, _WHOLE_LINK.sub(plain, markdown)))


def notebook_page(document: dict[str, Any]) -> Iterator[str]:
    """Yield a notebook as Markdown: its texts, its code, and what that gave."""
    for cell in document["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield f"{source}\n"
            continue
        yield f"```python\n{source}\n```\n"
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "text/html" in data:
                yield f"<div>{''.join(data['text/html'])}</div>\n"
            else:
                text = "".join(output.get("text") or data.get("text/plain", ""))
                yield f"```text\n{text.rstrip()}\n```\n"


def _found(*patterns: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for pattern in patterns for path in ROOT.glob(pattern))


def _page_of(path: str) -> str:
    """Return the path of the page that stands for a file."""
    return path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path
