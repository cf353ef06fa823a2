"""The summary of an inquiry as a PDF, marked as a simulation on every page.

fpdf2 belongs to the sandbox extra and takes long to import, so it is loaded when the first inquiry is printed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from ..state.clock import SECOND, iso
from ..state.environment import Environment
from ..state.records import Resource
from .fields import plain

_NAME_WIDTH = 62  # of the column of names, in mm


def print_inquiry(env: Environment, inquiry: Resource) -> bytes:
    """Return a PDF of an inquiry: its course, its fields, its verifications with their checks, its documents."""
    from datetime import UTC, datetime

    from fpdf import FPDF

    class Summary(FPDF):
        def header(self) -> None:
            self.set_font("Helvetica", "B", 10)
            self.set_text_color(176, 0, 32)
            self.cell(0, 6, "SIMULATION - not a verification of anybody", align="C", new_x="LMARGIN", new_y="NEXT")
            self.set_text_color(0, 0, 0)
            self.ln(4)

        def footer(self) -> None:
            self.set_y(-14)
            self.set_font("Helvetica", "", 8)
            self.cell(0, 6, f"Made by the offline Persona sandbox. Page {self.page_no()}", align="C")

    page = Summary()
    page.set_title("Inquiry summary (simulation)")
    page.set_creation_date(datetime.fromtimestamp(env.now // SECOND, UTC))
    page.add_page()
    page.set_font("Helvetica", "B", 16)
    page.cell(0, 9, "Inquiry summary", new_x="LMARGIN", new_y="NEXT")
    for heading, rows in _sections(env, inquiry):
        page.ln(3)
        page.set_font("Helvetica", "B", 12)
        page.cell(0, 8, heading, new_x="LMARGIN", new_y="NEXT")
        for name, value in rows:
            page.set_font("Helvetica", "B", 9)
            page.cell(_NAME_WIDTH, 5.5, _cut(_latin(name), page.get_string_width))
            page.set_font("Helvetica", "", 9)
            page.multi_cell(0, 5.5, _latin(value), new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _sections(env: Environment, inquiry: Resource) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    attributes = inquiry.attributes
    course = ["status", "reference-id", "note", "reviewer-comment", "creator"]
    course += [name for name in attributes if name.endswith("-at")]
    yield (
        "Inquiry",
        [("id", inquiry.id), *((name, str(attributes[name])) for name in course if attributes[name])],
    )
    fields = {name: plain(field) for name, field in attributes["fields"].items()}
    yield "Fields", [(name, str(value)) for name, value in fields.items() if value is not None]
    for verification in env.children(inquiry, "verifications"):
        checks = [(check["name"], check["status"]) for check in verification.attributes["checks"]]
        yield verification.type, [("id", verification.id), ("status", verification.attributes["status"]), *checks]
    for document in env.children(inquiry, "documents"):
        yield document.type, [("id", document.id), ("status", document.attributes["status"])]
    yield "Printed", [("at", iso(env.now))]


# Letters that no Unicode decomposition turns into Latin-1
_REPLACEMENTS = str.maketrans(
    {
        "Ł": "L",
        "ł": "l",
        "Đ": "D",
        "đ": "d",
        "\u0131": "i",
        "Œ": "OE",
        "œ": "oe",
        "ẞ": "SS",
        "€": "EUR",
        "\u2013": "-",
        "\u2014": "-",
        "…": "...",
    }
    | dict.fromkeys("\u2018\u2019\u201a", "'")
    | dict.fromkeys("\u201c\u201d\u201e", '"')
)


def _latin(text: str) -> str:
    """Return text in the letters of a PDF's built-in fonts; others lose their marks or become code points: [U+738B]."""
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text).translate(_REPLACEMENTS))


def _letter(letter: str) -> str:
    if unicodedata.category(letter) == "Cc" and letter != "\n":
        return ""
    base = letter if ord(letter) < 256 else unicodedata.normalize("NFKD", letter)[0]
    return base if ord(base) < 256 else f"[U+{ord(letter):04X}]"


def _cut(name: str, width: Callable[[str], float]) -> str:
    """Return a name, shortened if it is wider than its column."""
    name = name.replace("\n", " ")
    if width(name) < _NAME_WIDTH - 2:
        return name
    while width(name) > _NAME_WIDTH - 6:
        name = name[:-1]
    return f"{name}..."
