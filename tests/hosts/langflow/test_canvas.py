"""The block in a real Langflow and a real browser: dragged, filled in, run, wired, and as tools of an agent that asks."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.hosts.langflow.documents import NAMES, agent_flow, example
from tests.hosts.langflow.nodes import CSV
from tests.hosts.langflow.server import ROOT, Langflow, running_langflow
from tests.support.browser import CHROMIUM, OPTIONS, needs_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.process,
    needs_chromium,
]
if not os.environ.get("LANGFLOW_CANVAS"):
    pytest.skip("make canvas runs these, with a Langflow server", allow_module_level=True)

PICTURE = ROOT / "docs/langflow.webp"
PICTURE_LIMIT = 200_000
NOTE = "Simulated by the offline Persona: nobody was verified."
APPROVE = "persona_approve_inquiry"
CANVAS = "//*[@id='react-flow-id']"


@pytest.fixture(scope="module")
def langflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Langflow]:
    """One server for all tests; it prints how long it took to start."""
    with running_langflow(tmp_path_factory.mktemp("langflow")) as server:
        print(f"Langflow answered {server.started_in:.0f} seconds after its start")
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with room for a few nodes."""
    context = browser.new_context(viewport={"width": 1800, "height": 1250})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    yield opened
    context.close()


# --- what a person does -----------------------------------------------------------------------------------------------------


def drag(page: Page, search: str, test_id: str, x: int, y: int) -> None:
    """Find a block in the palette and drag it onto the canvas."""
    page.get_by_test_id("sidebar-search-input").fill(search)
    page.get_by_test_id(test_id).first.drag_to(page.locator(CANVAS), target_position={"x": x, "y": y})


def node_on(page: Page, url: str, operation: str) -> None:
    """Put a Persona node that the sandbox answers on a canvas."""
    page.goto(url)
    drag(page, "persona", "personaPersona", 250, 60)
    switch_sandbox_on(page)
    choose(page, operation)


def choose(page: Page, operation: str) -> None:
    """Choose an operation, and wait until Langflow has taken it."""
    page.get_by_test_id("dropdown_str_operation").click()
    with page.expect_response(re.compile("custom_component/update")):
        page.locator(f"[data-testid^='{operation}-'][data-testid$='-option']").click()


def switch_sandbox_on(page: Page) -> None:
    """Put the switch, which is folded away, on the node, and flip it."""
    page.get_by_text("Parameters").first.click()
    page.get_by_test_id("inspector-add-sandbox").click()
    page.get_by_text("Component Parameters").locator("xpath=following::button[1]").click()
    page.get_by_test_id("toggle_bool_sandbox").click()
    expect(page.get_by_test_id("popover-anchor-input-api_key")).to_have_count(0)


def fill(page: Page, name: str, value: str) -> None:
    page.get_by_test_id(f"popover-anchor-input-{name}").fill(value)


def run(page: Page) -> None:
    """Run the node, and wait until it has run."""
    page.get_by_test_id("button_run_persona").click()
    expect(page.get_by_test_id("node_duration_persona")).to_be_visible()


def output(page: Page, name: str) -> str:
    """Open an output of the node, and return what it shows."""
    page.get_by_test_id(f"output-inspection-{name}-personacomponent").click()
    # Langflow may greet a newcomer with a dialog of its own.
    dialog = page.get_by_role("dialog").filter(has_text="Component Output")
    shown = dialog.locator("textarea, .ag-root, .ag-root-wrapper, .cm-content, .jse-main, pre").first
    expect(shown).to_be_visible()
    text = shown.input_value() if shown.evaluate("each => each.tagName") == "TEXTAREA" else dialog.inner_text()
    dialog.get_by_role("button", name="Close").last.click()
    expect(dialog).to_have_count(0)
    return text


def wire(page: Page, source: str, target: str) -> None:
    """Draw a wire with the mouse from one handle to another."""
    for handle, is_start in ((page.get_by_test_id(source), True), (page.get_by_test_id(target), False)):
        x, y = middle(handle.first)
        page.mouse.move(x, y, steps=12)
        if is_start:
            page.mouse.down()
        else:
            page.mouse.up()


def middle(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# --- the node --------------------------------------------------------------------------------------------------------------


def test_a_node_is_dragged_and_its_fields_follow_the_operation(page: Page, langflow: Langflow) -> None:
    page.goto(langflow.make_flow("fields"))
    drag(page, "persona", "personaPersona", 250, 60)
    expect(page.get_by_test_id("dropdown_str_operation")).to_contain_text("Create Inquiry")
    expect(page.get_by_test_id("popover-anchor-input-p_inquiry_template_id")).to_be_visible()
    expect(page.get_by_test_id("popover-anchor-input-api_key")).to_be_visible()
    choose(page, "Create Report")
    expect(page.get_by_test_id("dropdown_str_p_report_type")).to_contain_text("Select an option")
    expect(page.get_by_test_id("popover-anchor-input-p_term")).to_be_visible()
    expect(page.get_by_test_id("toggle_bool_wait_until_done")).to_be_visible()
    expect(page.get_by_test_id("popover-anchor-input-p_inquiry_template_id")).to_have_count(0)
    expect(page.get_by_test_id("popover-anchor-input-p_name_middle")).to_have_count(0)
    choose(page, "Redact Inquiry")
    expect(page.get_by_test_id("popover-anchor-input-typed")).to_be_visible()
    for name in ("result", "text", "table", "file"):
        expect(page.get_by_test_id(f"output-inspection-{name}-personacomponent")).to_be_visible()


def test_a_node_runs_on_the_sandbox_and_shows_each_output(page: Page, langflow: Langflow) -> None:
    node_on(page, langflow.make_flow("outputs"), "List Cases")
    begun = time.monotonic()
    run(page)
    print(f"one run took {time.monotonic() - begun:.1f} seconds, as a person sees it")
    assert re.match(r"10 cases, and there are more: case_\w+ \(\w+\)", output(page, "text"))
    assert NOTE in output(page, "text")
    assert "case_" in output(page, "result")
    assert "case_" in output(page, "table")


def test_a_pdf_is_given_with_its_path(page: Page, langflow: Langflow) -> None:
    node_on(page, langflow.make_flow("file"), "List Inquiries")
    run(page)
    found = re.search(r"inq_\w+", output(page, "text"))
    assert found
    choose(page, "Print Inquiry PDF")
    fill(page, "p_inquiry_id", found[0])
    run(page)
    expect(page.get_by_test_id("output-inspection-file-personacomponent")).to_be_enabled()
    assert f"{found[0]}.pdf" in output(page, "file")


def test_a_csv_file_is_uploaded_and_imported(page: Page, langflow: Langflow, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(CSV)
    node_on(page, langflow.make_flow("import"), "Import Accounts")
    page.get_by_test_id("button_open_file_management").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("drag-files-component").click()
    chooser.value.set_files(people)
    expect(page.get_by_test_id("checkbox-people")).to_be_visible()
    page.get_by_test_id("select-files-modal-button").click()
    expect(page.get_by_test_id("select-files-modal-button")).to_have_count(0)
    page.get_by_test_id("toggle_bool_wait_until_done").click()
    run(page)
    assert "ready, 1 imported, 0 duplicates, 0 failed" in output(page, "text")


def test_what_is_missing_is_said_on_the_node(page: Page, langflow: Langflow) -> None:
    node_on(page, langflow.make_flow("error"), "Create Report")
    page.get_by_test_id("dropdown_str_p_report_type").click()
    page.locator("[data-testid^='watchlist-']").click()
    fill(page, "p_report_template_id", "rptp_Watchlist")
    page.get_by_test_id("button_run_persona").click()
    words = 'Create Report: nothing was sent. Please put right: fill in at least one of "Full name", "First name"'
    expect(page.get_by_text(words).first).to_be_visible()


# --- beside other blocks ---------------------------------------------------------------------------------------------------


def test_text_is_wired_into_chat_and_slack(page: Page, langflow: Langflow, tmp_path: Path) -> None:
    """Slack's own address is fixed in its block, so the wire is drawn and Chat Output runs."""
    node_on(page, langflow.make_flow("Post the reviews that wait"), "List Inquiries")
    drag(page, "chat output", "input_outputChat Output", 720, 640)
    drag(page, "slack post", "slackSlack: Post Message (as app)", 720, 60)
    expect(page.get_by_test_id("handle-slackpostasappcomponent-shownode-text-left")).to_be_visible()
    text = "handle-personacomponent-shownode-text-right"
    wire(page, text, "handle-chatoutput-noshownode-inputs-target")
    wire(page, text, "handle-slackpostasappcomponent-shownode-text-left")
    expect(page.locator(".react-flow__edge")).to_have_count(2)
    page.get_by_test_id("dropdown_str_p_inquiry_status").click()
    page.locator("[data-testid^='needs_review-']").click()
    run(page)
    assert "(needs review)" in output(page, "text")
    write_picture(page, PICTURE if os.environ["LANGFLOW_CANVAS"] == "picture" else tmp_path / PICTURE.name)


def write_picture(page: Page, path: Path) -> None:
    """Write the picture of the README, small enough for it; LANGFLOW_CANVAS=picture keeps it."""
    page.get_by_test_id("sidebar-search-input").fill("persona")
    expect(page.get_by_test_id("personaPersona")).to_be_visible()
    page.locator(CANVAS).click(position={"x": 1200, "y": 900})
    page.mouse.move(5, 5)
    shot = path.with_suffix(".png")
    page.screenshot(path=shot, clip={"x": 0, "y": 0, "width": 1500, "height": 950})
    Image.open(shot).convert("RGB").save(path, "WEBP", quality=80, method=6)
    shot.unlink()
    assert path.stat().st_size < PICTURE_LIMIT


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_an_agent_asks_before_it_decides(page: Page, langflow: Langflow, answer: str) -> None:
    node_on(page, langflow.make_flow(f"which {answer}"), "List Inquiries")
    page.get_by_test_id("dropdown_str_p_inquiry_status").click()
    page.locator("[data-testid^='completed-']").click()
    run(page)
    found = re.search(r"inq_\w+", output(page, "text"))
    assert found
    calls = [{"name": APPROVE, "args": {"inquiryId": found[0]}}]
    script = [{"text": "", "after": 2, "calls": calls}, {"text": "That is all.", "after": 1}]
    flow = agent_flow(script, approvals={APPROVE: ["approve", "reject"]})
    page.goto(langflow.make_flow(f"agent {answer}", flow["data"]))
    page.get_by_test_id("playground-btn-flow-io").click()
    page.get_by_test_id("input-chat-playground").fill("Decide about the completed one.")
    page.get_by_test_id("button-send").click()
    card = page.get_by_test_id("human-input-card")
    expect(card).to_contain_text(APPROVE)
    expect(card).to_contain_text(found[0])
    page.get_by_test_id(f"human-input-decision-{answer}").click()
    expect(page.get_by_text("That is all.").first).to_be_visible()
    node_on(page, langflow.make_flow(f"after {answer}"), "Get Inquiry")
    fill(page, "p_inquiry_id", found[0])
    run(page)
    assert (": approved." in output(page, "text")) == (answer == "approve")


def test_the_switch_of_tool_mode_shows_the_tools(page: Page, langflow: Langflow) -> None:
    page.goto(langflow.make_flow("tools"))
    drag(page, "persona", "personaPersona", 250, 60)
    with page.expect_response(re.compile("custom_component/update")):
        page.get_by_test_id("tool-mode-button").click()
    expect(page.get_by_test_id("tool_persona_get_inquiry")).to_be_visible()
    expect(page.get_by_test_id(f"tool_{APPROVE}")).to_have_count(0)
    expect(page.get_by_test_id("dropdown_str_operation")).to_have_count(0)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_opens_with_all_its_wires(page: Page, langflow: Langflow, name: str) -> None:
    flow = example(name)
    page.goto(langflow.make_flow(f"{flow['name']} opened", flow["data"]))
    expect(page.locator(".react-flow__node")).to_have_count(len(flow["data"]["nodes"]))
    expect(page.locator(".react-flow__edge")).to_have_count(len(flow["data"]["edges"]))
