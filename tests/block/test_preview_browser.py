"""The preview page in a real browser, over every operation: fields, marks, sentence, outputs, keyboard, phone and dark."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from persona_block.block.build import manifest
from persona_block.block.preview import preview_page
from persona_block.spec import catalog
from persona_block.spec.grammar import PLACEHOLDER, ToolSpec
from persona_block.spec.sentence import filled_sentence, without_clauses
from tests.support.browser import CHROMIUM, OPTIONS, PHONE, needs_chromium
from tests.support.budget import budget

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), needs_chromium]

MANIFEST = manifest()
SUB_BLOCKS: list[dict[str, Any]] = MANIFEST["subBlocks"]
DEFINITIONS: dict[str, dict[str, Any]] = {each["name"]: each for each in MANIFEST["tools"]["definitions"]}
DESKTOP: Any = {"width": 1280, "height": 800}
HOSTILE = '<img src=x onerror="alert(1)">{term}[x]'
each = pytest.mark.parametrize("spec", catalog.in_order_of_use(), ids=lambda spec: spec.name)

STATE = """() => {
  const shows = (element) => element.checkVisibility();
  const text = (selector) => document.querySelector(selector).innerText.replace(/\\s+/g, " ").trim();
  const boxes = [...document.querySelectorAll("[data-field]")].filter((box) => !box.hidden);
  const marked = (test) => boxes.filter(test).map((box) => box.dataset.field);
  const outputs = (list) => [...list.children].map((item) => [
    item.dataset.output, item.querySelector(".type").textContent, item.querySelector(".prose").textContent,
    item.querySelector("ul") ? outputs(item.querySelector("ul")) : [],
  ]);
  return {
    fields: marked(() => true),
    visible: marked(shows),
    required: marked((box) => box.querySelector("input, select, textarea").required),
    starred: marked((box) => box.querySelector(".mark").textContent === "*"),
    any: marked((box) => box.querySelector(".mark").textContent.startsWith("one of ")),
    met: marked((box) => box.querySelector(".mark.met")),
    help: Object.fromEntries(boxes.map((box) => [box.dataset.field, box.querySelector(".help").textContent])),
    advanced: shows(document.getElementById("advanced")) ? text("#advanced-count") : null,
    sentence: document.getElementById("sentence").textContent,
    blanks: [...document.querySelectorAll("#sentence .blank")].map((chip) => chip.dataset.param),
    status: text("#status"),
    title: text("#operation-title"),
    description: text("#description"),
    effect: [document.getElementById("effect").textContent, text("#effect-text")],
    consent: document.getElementById("consent").hidden ? null : text("#consent"),
    outputs: outputs(document.querySelector("#outputs > ul")),
    current: [...document.querySelectorAll("#operations [aria-current=true]")].map((link) => link.hash),
    tab: document.title,
  };
}"""

CONTRASTS = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((each) => each / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = (element) => getComputedStyle(element);
  const grounds = (element) => (element ? [...grounds(element.parentElement), style(element).backgroundColor] : ["white"]);
  const holdsText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const isText = holdsText(element) || element.matches("input:not([type=checkbox]), select, textarea");
    if (!isText || !element.checkVisibility()) continue;
    const ground = grounds(element);
    const pair = [luminance(over(ground)), luminance(over([...ground, style(element).color]))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) low.push(`${element.outerHTML.slice(0, 60)} ${ratio.toFixed(2)}`);
  }
  return low;
}"""


class Preview:
    """The page in a browser: what it shows, and everything that it logged or asked the network for."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.messages: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.messages.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.messages.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))

    async def open(self, operation: str = "") -> None:
        """Load the page anew, at an operation."""
        await self.page.goto("about:blank")
        await self.page.goto(f"{self.url}#{operation}")

    async def state(self) -> dict[str, Any]:
        """Return what the page shows."""
        state: dict[str, Any] = await self.page.evaluate(STATE)
        return state

    async def unfold(self) -> None:
        """Show the fields that are folded away."""
        await self.page.evaluate("document.getElementById('advanced').open = true")

    async def fill(self, sub_block: dict[str, Any], value: Any) -> None:
        """Fill a field in; folded ones are unfolded first."""
        if sub_block["mode"] == "advanced":
            await self.unfold()
        control = self.page.locator(f"#field-{sub_block['id']}")
        if sub_block["type"] == "dropdown":
            await control.select_option(value)
        elif sub_block["type"] == "file-upload":
            await control.set_input_files({"name": value, "mimeType": "text/csv", "buffer": b"reference_id\n"})
        elif sub_block["type"] == "switch":
            await control.set_checked(value)
        else:
            await control.fill(value)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the page as a file."""
    path = tmp_path_factory.mktemp("preview") / "block.html"
    path.write_text(preview_page(MANIFEST), "utf-8")
    return path.as_uri()


async def opened(context: BrowserContext, url: str) -> Preview:
    """Open the page in a context."""
    page = await context.new_page()
    page.set_default_timeout(10_000)
    return Preview(page, url)


@pytest_asyncio.fixture(loop_scope="module")
async def preview(browser: Browser, url: str) -> AsyncIterator[Preview]:
    """The page on a desk; it logs nothing and asks the network for nothing."""
    context = await browser.new_context(viewport=DESKTOP)
    page = await opened(context, url)
    yield page
    await context.close()
    assert page.messages == []
    assert {request for request in page.requests if not request.startswith("data:image/svg+xml,")} == {url}


def shown(name: str) -> list[dict[str, Any]]:
    """Return the fields of an operation, in the manifest's order."""
    return [field for field in SUB_BLOCKS if "condition" not in field or name in field["condition"]["value"]]


def of_mode(name: str, mode: str) -> list[str]:
    """Return the ids of an operation's fields of a mode."""
    return [field["id"] for field in shown(name) if field["mode"] == mode]


def is_required(field: dict[str, Any], name: str) -> bool:
    """Tell whether a field is required for an operation."""
    required = field["required"]
    return name in required["value"] if isinstance(required, dict) else required


def field_of(name: str, param: str) -> dict[str, Any]:
    """Return the field at which an operation's param is filled in, for a file the upload."""
    return next(field for field in shown(name) if field["canonicalParamId"] == param)


def example(field: dict[str, Any], number: int) -> tuple[str, str]:
    """Return a value for a field, and how a sentence shows it."""
    if field.get("options"):
        option = field["options"][-1]
        return option["id"], option["label"]
    value = {
        "date": "1994-04-12",
        "date-time": "2026-01-01T09:30",
        "number": str(field.get("min", 0) + number),
        "code": field.get("placeholder", ""),
        "file-upload": "people.csv",
    }.get(field["type"], f"value-{number}")
    return value, value


# --- every operation -------------------------------------------------------------------------------------------------------


@each
async def test_an_operation(preview: Preview, spec: ToolSpec) -> None:
    """It begins with nothing filled in and what is advanced folded away; then everything is filled in."""
    await preview.open(spec.name)
    await assert_begins(preview, spec)
    await assert_filled_in(preview, spec)


async def assert_begins(preview: Preview, spec: ToolSpec) -> None:
    """Check what the page shows before anything is filled in."""
    name = spec.name
    state = await preview.state()
    assert sorted(state["fields"]) == sorted(field["id"] for field in shown(name))
    assert sorted(state["visible"]) == sorted(of_mode(name, "basic")), "what is advanced is folded away"
    advanced = of_mode(name, "advanced")
    count = f"{len(advanced)} field{'s' if len(advanced) > 1 else ''}"
    assert state["advanced"] == (count if advanced else None)
    required = [field["id"] for field in shown(name) if is_required(field, name)]
    assert sorted(state["required"]) == sorted(state["starred"]) == sorted(required)
    assert sorted(state["any"]) == sorted(spec.params[param].field for param in spec.require_any)
    assert state["met"] == []
    for field in shown(name):
        assert state["help"][field["id"]] == field.get("descriptions", {}).get(name, field["description"])
    blanks = PLACEHOLDER.findall(without_clauses(spec.sentence))
    titles = {param: field_of(name, param)["title"] for param in blanks}
    assert state["sentence"] == filled_sentence(spec.sentence, titles)
    assert state["blanks"] == blanks
    needed = dict.fromkeys(
        field_of(name, field["canonicalParamId"])["title"] for field in shown(name) if field["id"] in required
    )
    assert state["status"].startswith("Still needed: ")
    assert [title for title in needed if title != "Operation" and title not in state["status"]] == []
    assert ("one of" in state["status"]) == bool(spec.require_any)
    assert (state["title"], state["description"]) == (spec.title, spec.description)
    assert state["effect"] == [spec.effect, MANIFEST["grammar"]["effects"][spec.effect]]
    assert state["outputs"] == outputs(DEFINITIONS[name])
    assert state["current"] == [f"#{name}"]
    assert state["tab"] == f"{spec.title} · {MANIFEST['name']}"


async def assert_filled_in(preview: Preview, spec: ToolSpec) -> None:
    """Fill everything in, and check what follows it."""
    name = spec.name
    await preview.unfold()
    values: dict[str, str] = {}
    fields = [field for field in shown(name) if field["id"] != "operation" and field["type"] != "switch"]
    for number, field in enumerate(fields, 1):
        param = field["canonicalParamId"]
        if param in values:
            continue  # the twin of an upload
        value, values[param] = example(field, number)
        await preview.fill(field, value)
    state = await preview.state()
    assert state["sentence"] == filled_sentence(spec.sentence, values)
    assert state["blanks"] == []
    assert state["status"] == "Ready to run"
    assert sorted(state["met"]) == sorted(state["any"])
    folded = [field for field in fields if field["mode"] == "advanced" and field["id"] != "fileReference"]
    assert state["advanced"] is None or state["advanced"].endswith(f"{len(folded)} filled in" if folded else "field")
    assert sorted(state["visible"]) == sorted(state["fields"])
    consent = DEFINITIONS[name].get("consent")
    if consent is None:
        assert state["consent"] is None
        return
    in_title = PLACEHOLDER.findall(consent["title"])
    others = [f"{spec.params[param].title} “{values[param]}”" for param in spec.params if param not in in_title]
    agreed = f"types {values[consent['typed']]}" if "typed" in consent else "says a clear yes"
    question = filled_sentence(consent["title"], values)
    parts = ["Asks a person first", question, consent["text"], *others, f"To agree, the person {agreed}."]
    assert state["consent"] == " ".join(parts)
    assert state["sentence"] + "?" == question


def outputs(definition: dict[str, Any]) -> list[Any]:
    """Return the tree of an operation's outputs: name, type, description and what is inside."""

    def type_of(schema: dict[str, Any]) -> str:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        inner = f" of {type_of(schema['items'])}" if "type" in schema.get("items", {}) else ""
        return " or ".join(each + inner if each == "array" else each for each in types)

    def tree(properties: dict[str, Any]) -> list[Any]:
        return [
            [name, type_of(schema), schema.get("description", ""), tree(schema.get("properties") or inner_of(schema))]
            for name, schema in properties.items()
        ]

    def inner_of(schema: dict[str, Any]) -> dict[str, Any]:
        inner: dict[str, Any] = schema.get("items", {}).get("properties", {})
        return inner

    whole = tree(definition["output"]["properties"])
    files = [name for name, source in definition["response"].items() if "file" in source]
    return [[name, "file" if name in files else kind, prose, inner] for name, kind, prose, inner in whole]


# --- what a person does ----------------------------------------------------------------------------------------------------


async def test_the_dropdown_a_link_and_the_address_choose(preview: Preview) -> None:
    first, second, third = list(DEFINITIONS)[:3]
    await preview.open()
    assert (await preview.state())["current"] == [f"#{first}"], "the default of the field"
    await preview.page.locator("#field-operation").select_option(second)
    await preview.page.get_by_role("heading", level=2, name=DEFINITIONS[second]["title"], exact=True).first.wait_for()
    await preview.page.get_by_role("navigation", name="Operations").get_by_role("link").nth(2).click()
    await preview.page.wait_for_function("name => document.getElementById('field-operation').value === name", arg=third)
    assert (await preview.state())["title"] == DEFINITIONS[third]["title"]
    await preview.page.go_back()
    await preview.page.wait_for_function("name => document.getElementById('field-operation').value === name", arg=second)
    await preview.open("no_such_operation")
    assert (await preview.state())["current"] == [f"#{first}"]


async def test_the_dropdown_holds_every_operation_by_group(preview: Preview) -> None:
    await preview.open()
    groups = await preview.page.evaluate(
        "[...document.querySelectorAll('#field-operation optgroup')]"
        ".map(group => [group.label, [...group.children].map(each => each.value)])"
    )
    assert groups == [
        [title, [name for name, definition in DEFINITIONS.items() if definition["group"] == group]]
        for group, title in MANIFEST["groups"].items()
    ]
    links = await preview.page.evaluate("[...document.querySelectorAll('#operations a')].map(link => link.hash.slice(1))")
    assert links == list(DEFINITIONS)


async def test_a_field_keeps_its_value_from_one_operation_to_the_next(preview: Preview) -> None:
    await preview.open("get_inquiry")
    await preview.page.locator("#field-inquiryId").fill("inq_1")
    await preview.page.locator("#field-operation").select_option("approve_inquiry")
    await preview.page.wait_for_function("document.getElementById('sentence').textContent === 'Approve inquiry inq_1'")


async def test_values_are_text_and_nothing_else(preview: Preview) -> None:
    await preview.open("create_report")
    await preview.page.locator("#field-term").fill(HOSTILE)
    assert (await preview.state())["sentence"] == f"Run a report on {HOSTILE}"
    await preview.open("decline_inquiry")
    await preview.page.locator("#field-inquiryId").fill(HOSTILE)
    await preview.page.locator("#field-comment").fill(HOSTILE)
    state = await preview.state()
    assert state["consent"].count(HOSTILE) == 2
    assert await preview.page.locator("main img").count() == 1, "the icon of the block"


async def test_one_of_several_is_enough(preview: Preview) -> None:
    await preview.open("create_report")
    names = ["First name", "Full name", "Last name", "Middle name"]
    told = (await preview.state())["status"].partition("one of ")[2]
    assert sorted(told.split(", ")) == names
    await preview.page.locator("#field-nameLast").fill("Doe")
    state = await preview.state()
    assert sorted(state["met"]) == sorted(state["any"]) != []
    assert "one of" not in state["status"]
    assert state["sentence"] == "Run a report", "a clause for two names wants both"
    await preview.page.locator("#field-nameLast").fill("  ")
    assert (await preview.state())["met"] == []


async def test_either_field_of_a_file_is_enough(preview: Preview) -> None:
    await preview.open("import_accounts")
    assert "CSV file" in (await preview.state())["status"]
    await preview.page.locator("#advanced > summary").click()
    reference = preview.page.locator("#field-fileReference")
    await reference.fill("s3://bucket/people.csv")
    state = await preview.state()
    assert state["sentence"] == "Import accounts from s3://bucket/people.csv"
    assert "CSV file" not in state["status"]
    assert "fileUpload" not in state["required"]
    await reference.fill("")
    await preview.page.locator("#field-fileUpload").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b""})
    state = await preview.state()
    assert state["sentence"] == "Import accounts from a.csv"
    assert "fileReference" not in state["required"]


async def test_suggestions_fill_the_field_and_take_back(preview: Preview) -> None:
    await preview.open("list_inquiries")
    group = preview.page.get_by_role("group", name="Suggestions for Status")
    offered = [button["label"] for button in field_of("list_inquiries", "status")["options"]]
    assert await group.get_by_role("button").all_inner_texts() == offered
    await group.get_by_role("button", name="Needs review").click()
    await group.get_by_role("button", name="Completed").click()
    field = preview.page.locator("#field-inquiryStatus")
    assert await field.input_value() == "needs_review, completed"
    assert (await preview.state())["sentence"] == "List inquiries with status Needs review, Completed"
    await group.get_by_role("button", name="Needs review").click()
    assert await group.get_by_role("button", pressed=True).all_inner_texts() == ["Completed"]
    await field.fill("completed, a status of our own")
    assert (await preview.state())["sentence"] == "List inquiries with status Completed, a status of our own"
    await preview.open("list_cases")
    group = preview.page.get_by_role("group", name="Suggestions for Status")
    await group.get_by_role("button", name="Open").click()
    await group.get_by_role("button", name="Approved").click()
    assert await preview.page.locator("#field-caseStatus").input_value() == "Approved", "a case filter takes one status"


async def test_waiting_shows_what_comes_of_it(preview: Preview) -> None:
    await preview.open("import_accounts")
    await preview.page.get_by_role("switch", name="Wait until done").check()
    note = preview.page.locator("#outputs-note")
    assert DEFINITIONS["get_importer"]["title"] in await note.inner_text()
    assert (await preview.state())["outputs"] == outputs(DEFINITIONS["get_importer"])
    await preview.page.get_by_role("switch", name="Wait until done").uncheck()
    assert (await preview.state())["outputs"] == outputs(DEFINITIONS["import_accounts"])
    await preview.open("list_cases")
    await preview.page.get_by_role("switch", name="All pages").check()
    assert "all pages" in await note.inner_text()


@pytest.mark.parametrize(
    ("name", "field", "value", "problem"),
    [
        ("create_account", "accountFields", "{", "not JSON yet"),
        ("create_account", "accountFields", "[1]", "JSON object"),
        ("create_account", "accountFields", "null", "JSON object"),
        ("create_account", "accountFields", '{"a": [1]}', ""),
        ("create_account", "tags", '{"a": 1}', "JSON array"),
        ("create_account", "tags", "vip, new", ""),
        ("create_account", "tags", '["vip"]', ""),
        ("list_cases", "pageSize", "101", "whole number from 1 to 100"),
        ("list_cases", "pageSize", "0", "whole number from 1 to 100"),
        ("list_cases", "pageSize", "2.5", "whole number from 1 to 100"),
        ("list_cases", "pageSize", "100", ""),
        ("generate_inquiry_link", "expiresInSeconds", "0", "whole number from 1"),
    ],
)
async def test_what_cannot_be_sent_is_told_at_the_field(
    preview: Preview, name: str, field: str, value: str, problem: str
) -> None:
    await preview.open(name)
    (sub_block,) = (each for each in SUB_BLOCKS if each["id"] == field)
    await preview.fill(sub_block, value)
    control = preview.page.locator(f"#field-{field}")
    assert await control.get_attribute("aria-invalid") == ("true" if problem else "false")
    error = preview.page.locator(f"#error-{field}")
    assert await error.is_visible() == bool(problem)
    assert problem in await error.inner_text()
    assert ("To correct: " in (await preview.state())["status"]) == bool(problem)


# --- keyboard, names, phone, dark ------------------------------------------------------------------------------------------


async def test_everything_by_keyboard(preview: Preview) -> None:
    """Choose each operation with the arrow keys, then fill in, unfold and switch with nothing but keys."""
    page = preview.page
    await preview.open()

    async def reach(identifier: str) -> None:
        for _ in range(80):
            await page.keyboard.press("Tab")
            focused, outline = await page.evaluate(
                "(active => [active.id || active.parentElement.id, getComputedStyle(active).outlineStyle])"
                "(document.activeElement)"
            )
            assert outline != "none", f"the focus is not visible on {focused}"
            if focused == identifier:
                return
        raise AssertionError(f"{identifier} cannot be reached")

    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the fields"
    await page.keyboard.press("Enter")
    await reach("field-operation")
    for name in list(DEFINITIONS)[1:]:
        await page.keyboard.press("ArrowDown")
        await page.wait_for_function(
            "title => document.getElementById('operation-title').textContent === title", arg=DEFINITIONS[name]["title"]
        )
    await page.keyboard.press("Home")
    await page.evaluate("name => { location.hash = name }", "create_report")
    await page.wait_for_function("document.getElementById('operation-title').textContent === 'Create Report'")
    await page.evaluate("document.getElementById('field-operation').focus()")
    await reach("field-reportType")
    await page.keyboard.press("ArrowDown")
    await reach("field-term")
    await page.keyboard.type("Jane Doe")
    await reach("field-waitUntilDone")
    await page.keyboard.press("Space")
    assert await page.get_by_role("switch", name="Wait until done").is_checked()
    await reach("advanced")
    await page.keyboard.press("Enter")
    await reach("field-nameMiddle")
    await page.keyboard.type("Q")
    await reach("field-apiKey")
    await page.keyboard.type("key")
    await page.keyboard.press("Enter")
    state = await preview.state()
    assert state["sentence"] == "Run a report of type Watchlist on Jane Doe"
    assert state["status"] == "Still needed: Report template ID"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    folded = "document.activeElement.closest('#outputs details').open"
    assert await page.evaluate(folded) is False


async def test_every_field_has_a_name_and_a_description(preview: Preview) -> None:
    await preview.open()
    await preview.unfold()
    for field in SUB_BLOCKS:
        name = next(iter(field.get("condition", {"value": ["create_inquiry"]})["value"]))
        await preview.page.evaluate("name => { location.hash = name }", name)
        await preview.page.wait_for_function("name => document.getElementById('field-operation').value === name", arg=name)
        control = preview.page.locator(f"#field-{field['id']}")
        label = await control.evaluate("control => control.labels[0].textContent.trim()")
        assert label.startswith(field["title"])
        ids = (await control.get_attribute("aria-describedby") or "").split()
        described = [await preview.page.locator(f"#{each}").text_content() for each in ids]
        assert described[0] == field.get("descriptions", {}).get(name, field["description"])
    key = preview.page.locator("#field-apiKey")
    assert await key.get_attribute("type") == "password"


@pytest.mark.soak
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_operation_fits_a_phone_and_can_be_read(browser: Browser, url: str, scheme: Any) -> None:
    context = await browser.new_context(viewport=PHONE, color_scheme=scheme)
    preview = await opened(context, url)
    await preview.open()
    ground = await preview.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 246, 248)", "dark": "rgb(13, 18, 24)"}[scheme]
    await preview.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    for name in list(DEFINITIONS)[:: budget(small=4, full=1)]:
        await preview.page.locator("#field-operation").select_option(name)
        await preview.page.wait_for_function("name => location.hash === `#${name}`", arg=name)
        await preview.page.wait_for_function(
            "title => document.getElementById('operation-title').textContent === title", arg=DEFINITIONS[name]["title"]
        )
        for field in shown(name):
            if field["type"] in ("short-input", "long-input", "combobox"):
                await preview.fill(field, "x" * 120)
        edges = await preview.page.evaluate(
            "[...document.querySelectorAll('main *')].map(each => each.getBoundingClientRect().right)"
        )
        edges.append(await preview.page.evaluate("document.documentElement.scrollWidth"))
        assert max(edges) <= PHONE["width"], name
        assert await preview.page.evaluate(CONTRASTS) == [], name
    assert preview.messages == []
    await context.close()


async def test_the_canvas_on_a_desk_keeps_the_block_in_sight(preview: Preview) -> None:
    await preview.open("create_report")
    await preview.page.locator("#field-apiKey").fill("key")
    assert await preview.page.locator("#sentence").evaluate("each => each.getBoundingClientRect().top") > 0
    width, window = await preview.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window


async def test_it_draws_a_block_that_it_has_never_seen(browser: Browser, tmp_path: Path) -> None:
    """The page takes everything from the manifest, operations and words alike."""
    other = copy.deepcopy(MANIFEST)
    (definition,) = (each for each in other["tools"]["definitions"] if each["name"] == "get_case")
    definition |= {
        "name": "water_plant",
        "title": "Water Plant",
        "effect": "decide",
        "consent": {"title": "Water {plant}?", "text": "It grows."},
    }
    definition["params"]["properties"] = {"plant": {"type": "string"}}
    chooser, key = (
        SUB_BLOCKS[0] | {"options": [{"id": "water_plant", "label": "Water"}], "defaultValue": "water_plant"},
        SUB_BLOCKS[-1],
    )
    plant = {
        "id": "plant",
        "canonicalParamId": "plant",
        "title": "Plant",
        "type": "short-input",
        "mode": "basic",
        "description": "Which.",
        "visibility": "user-only",
        "required": True,
    }
    other |= {
        "name": "Garden",
        "groups": {"cases": "Garden"},
        "sentences": {"water_plant": "Water {plant}[ in {plant}]"},
        "subBlocks": [chooser, plant, key],
    }
    other["tools"] = {"access": [], "definitions": [definition]}
    path = tmp_path / "garden.html"
    path.write_text(preview_page(json.loads(json.dumps(other))), "utf-8")
    context = await browser.new_context(viewport=DESKTOP)
    preview = await opened(context, path.as_uri())
    await preview.open()
    await preview.page.locator("#field-plant").fill("fern")
    state = await preview.state()
    assert state["fields"] == ["operation", "plant", "apiKey"]
    assert state["sentence"] == "Water fern in fern"
    assert state["consent"] == "Asks a person first Water fern? It grows. To agree, the person says a clear yes."
    assert await preview.page.get_by_role("heading", level=1).inner_text() == "Garden"
    assert preview.messages == []
    await context.close()
