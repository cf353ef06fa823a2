"""Arguments as models send them: loose types are taken, everything else is refused by name and nothing is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from persona_block import Runner, Sandbox, load
from persona_block.hosts import ToolAnswer, Toolbox
from tests.hosts.conftest import MakeToolbox
from tests.support.planted import KEY
from tests.support.scripted_model import in_review

CSV = "reference_id,name_first\nmodel-1,Ada\nmodel-2,Grace\n"


@pytest.fixture
async def box(toolbox: Toolbox) -> AsyncIterator[Toolbox]:
    """A toolbox that is closed after the test."""
    async with toolbox:
        yield toolbox


def problems(answer: ToolAnswer) -> dict[str, str]:
    assert answer.is_error
    return {problem["param"]: problem["message"] for problem in answer.data["error"]["problems"]}


# --- loose types -----------------------------------------------------------------------------------------------------------


async def test_numbers_and_objects_may_be_text(box: Toolbox) -> None:
    listed = await box.dispatch("list_accounts", {"maxItems": "3"})
    assert len(listed.data["accounts"]) == 3
    fields = json.dumps({"name": {"first": "Ada"}})
    created = await box.dispatch("create_account", {"referenceId": 4711, "fields": fields, "tags": '["vip"]'})
    assert created.data["account"]["referenceId"] == "4711"
    assert created.data["account"]["fields"]["name"]["first"] == "Ada"
    assert created.data["account"]["tags"] == ["vip"]


@pytest.mark.parametrize("nothing", [None, "", " ", "{}", {}])
async def test_no_arguments_at_all(box: Toolbox, nothing: Any) -> None:
    assert len((await box.dispatch("list_accounts", nothing)).data["accounts"]) == 10


async def test_arguments_may_be_json_text_and_nulls_are_absent(box: Toolbox) -> None:
    text = '{"maxItems": 2, "referenceId": null, "outputFields": null, "apiKey": null}'
    assert len((await box.dispatch("list_accounts", text)).data["accounts"]) == 2
    waited = await box.dispatch("get_report", {"reportId": "rep_none", "wait": None})
    assert waited.data["error"]["status"] == 404


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{", "are not valid JSON"),
        ("[" * 100_000, "are not valid JSON"),
        ("[1]", "must be an object of arguments by name"),
        ('"text"', "must be an object of arguments by name"),
        ([1], "must be an object of arguments by name"),
    ],
    ids=["broken", "deep", "list", "text", "python list"],
)
async def test_arguments_that_are_no_object(sandbox: Sandbox, box: Toolbox, arguments: Any, message: str) -> None:
    assert problems(await box.dispatch("list_accounts", arguments)) == {"arguments": message}
    assert sandbox.requests == []


@pytest.mark.parametrize("value", [0, -1, 1001, 1.5, True, "many", [1]])
async def test_max_items_is_a_number_in_range(sandbox: Sandbox, box: Toolbox, value: Any) -> None:
    assert problems(await box.dispatch("list_accounts", {"maxItems": value})) == {
        "maxItems": "must be a whole number from 1 to 1000"
    }
    assert sandbox.requests == []


@pytest.mark.parametrize("value", ["perhaps", 1, []])
async def test_wait_is_true_or_false(sandbox: Sandbox, box: Toolbox, value: Any) -> None:
    assert problems(await box.dispatch("get_report", {"reportId": "rep_1", "wait": value})) == {
        "wait": "must be true or false"
    }
    assert sandbox.requests == []


async def test_our_arguments_belong_to_some_tools_alone(sandbox: Sandbox, box: Toolbox) -> None:
    assert set(problems(await box.dispatch("get_inquiry", {"inquiryId": "inq_1", "wait": True, "maxItems": 3}))) == {
        "wait",
        "maxItems",
    }
    assert sandbox.requests == []


async def test_the_key_is_never_an_argument(sandbox: Sandbox, box: Toolbox) -> None:
    answer = await box.dispatch("list_accounts", {"apiKey": KEY})
    assert problems(answer) == {"apiKey": "is held by the host and never given as an argument"}
    assert KEY not in answer.json + answer.text
    assert sandbox.requests == []


# --- fields of the answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [["status", "id"], '["status"]', "status", "status, id"])
async def test_chosen_fields_and_the_id(sandbox: Sandbox, box: Toolbox, fields: Any) -> None:
    inquiry = in_review(sandbox)
    answer = await box.dispatch("get_inquiry", {"inquiryId": inquiry, "outputFields": fields})
    assert answer.data == {"inquiry": {"id": inquiry, "status": "needs_review"}}


async def test_chosen_fields_of_each_item_leave_the_hints(box: Toolbox) -> None:
    answer = await box.dispatch("list_inquiries", {"maxItems": 2, "outputFields": ["status"]})
    assert all(set(inquiry) == {"id", "status"} for inquiry in answer.data["inquiries"])
    assert set(answer.data) == {"inquiries", "nextCursor", "more"}


async def test_a_dotted_field_lies_below_another(sandbox: Sandbox, box: Toolbox) -> None:
    arguments = {"inquiryId": in_review(sandbox), "outputFields": ["fields.name-first", "fields.birthdate", "fields.none.x"]}
    inquiry = (await box.dispatch("get_inquiry", arguments)).data["inquiry"]
    assert set(inquiry) == {"id", "fields"}
    assert set(inquiry["fields"]) == {"name-first", "birthdate"}


async def test_unknown_fields_are_named_with_the_nearest(sandbox: Sandbox, box: Toolbox) -> None:
    answer = await box.dispatch("get_inquiry", {"inquiryId": "inq_1", "outputFields": ["statuss", "zzz", "fieldz.a"]})
    messages = [problem["message"] for problem in answer.data["error"]["problems"]]
    assert messages[0] == "inquiry has no field 'statuss'; did you mean status?"
    assert messages[1].startswith("inquiry has no field 'zzz'; there are id, status, ")
    assert messages[2] == "inquiry has no field 'fieldz'; did you mean fields?"
    assert sandbox.requests == []


@pytest.mark.parametrize("fields", [7, {"id": True}, ["id", 7]], ids=str)
async def test_fields_are_a_list_of_names(box: Toolbox, fields: Any) -> None:
    assert (
        "must be a list of field names"
        in problems(await box.dispatch("get_inquiry", {"inquiryId": "inq_1", "outputFields": fields}))["outputFields"]
    )


# --- files -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that may be read, with a file outside it and ways that lead there."""
    root = tmp_path / "allowed"
    (root / "below").mkdir(parents=True)
    (root / "below" / "people.csv").write_text(CSV, "utf-8")
    (tmp_path / "outside.csv").write_text(CSV, "utf-8")
    (root / "link.csv").symlink_to(tmp_path / "outside.csv")
    (root / "loop.csv").symlink_to(root / "loop.csv")
    return root


async def test_an_import_takes_the_text_itself(box: Toolbox) -> None:
    answer = await box.dispatch("import_accounts", {"file": CSV})
    assert answer.data["importer"]["status"] == "pending"


async def test_csv_text_is_sent_as_a_file_of_the_name_in_the_spec(make_toolbox: MakeToolbox) -> None:
    bodies: list[bytes] = []

    def keep(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200, json={"data": {"type": "importer/account", "id": "mprt_1", "attributes": {}}})

    def runner() -> Runner:
        return Runner(base_url="https://persona.invalid", transport=httpx.MockTransport(keep))

    async with make_toolbox(runner=runner) as toolbox:
        assert not (await toolbox.dispatch("import_accounts", {"file": CSV})).is_error
    csv = load("import_accounts").params["file"].csv
    assert csv is not None
    assert f'filename="{csv.name}"'.encode() in bodies[0]
    assert CSV.encode() in bodies[0].replace(b"\r\n", b"\n")


async def test_an_import_takes_a_path_below_the_folder(make_toolbox: MakeToolbox, folder: Path) -> None:
    async with make_toolbox(file_root=folder) as toolbox:
        for path in ("below/people.csv", " below/../below/people.csv ", str(folder / "below" / "people.csv")):
            assert not (await toolbox.dispatch("import_accounts", {"file": path})).is_error


@pytest.mark.parametrize(
    "path",
    [
        "../outside.csv",
        "below/../../outside.csv",
        "link.csv",
        "loop.csv",
        "{outside}",
        "file://{outside}",
        "https://files.example.com/outside.csv",
        "s3://bucket/outside.csv",
        "~/outside.csv",
        "missing.csv",
        "below",
        "nul\0l.csv",
        "x" * 5000,
    ],
)
async def test_an_import_reads_nothing_else(sandbox: Sandbox, make_toolbox: MakeToolbox, folder: Path, path: str) -> None:
    async with make_toolbox(file_root=folder) as toolbox:
        outside = path.replace("{outside}", str(folder.parent / "outside.csv"))
        answer = await toolbox.dispatch("import_accounts", {"file": outside})
    assert answer.is_error
    assert "file" in answer.text
    assert answer.data["error"]["tookEffect"] == "no"
    assert sandbox.requests == []


@pytest.mark.parametrize("value", ["below/people.csv", "/etc/hosts", "a,b"])
async def test_without_a_folder_no_path_is_read(sandbox: Sandbox, box: Toolbox, value: str) -> None:
    assert "no files are read here" in problems(await box.dispatch("import_accounts", {"file": value}))["file"]
    assert sandbox.requests == []


@pytest.mark.parametrize("value", [{"content": CSV}, {"url": "https://example.com"}, [CSV], 7, True], ids=str)
async def test_a_file_is_text_and_no_object(sandbox: Sandbox, box: Toolbox, value: Any) -> None:
    assert problems(await box.dispatch("import_accounts", {"file": value})) == {"file": "must be CSV text"}
    assert sandbox.requests == []


# --- output fields below others --------------------------------------------------------------------------------------------


async def test_a_dot_steps_into_lists_and_what_stands_nowhere_is_told(sandbox: Sandbox, toolbox: Toolbox) -> None:
    async with toolbox:
        inquiry = (await toolbox.dispatch("get_inquiry", {"inquiryId": in_review(sandbox)})).data["inquiry"]
        params = {"verificationId": inquiry["verificationIds"][0]}
        wanted = ["checks.name", "checks.status", "checks.mood", "attributes.nothing"]
        answer = await toolbox.dispatch("get_verification", {**params, "outputFields": wanted})
        listed = await toolbox.dispatch(
            "list_inquiries", {"maxItems": 3, "outputFields": ["fields.nameFirst", "fields.name-last"]}
        )
    verification = answer.data["verification"]
    assert set(verification) == {"id", "checks", "attributes"}
    assert verification["checks"]
    assert all(set(check) == {"name", "status"} for check in verification["checks"])
    assert answer.data["absentFields"] == ["checks.mood", "attributes.nothing"]
    assert verification["checks"][0]["name"] in answer.text, "what was asked for is in the text too"
    assert listed.data["absentFields"] == ["fields.nameFirst"]
    assert "fields.nameFirst" in listed.text


async def test_the_whole_wins_over_its_parts(sandbox: Sandbox, toolbox: Toolbox) -> None:
    params = {"inquiryId": in_review(sandbox)}
    async with toolbox:
        whole = await toolbox.dispatch("get_inquiry", {**params, "outputFields": ["fields"]})
        for wanted in (["fields", "fields.name-first"], ["fields.name-first", "fields"]):
            assert (await toolbox.dispatch("get_inquiry", {**params, "outputFields": wanted})).data == whole.data


@pytest.mark.parametrize("name", ["outputFields", "maxItems", "wait", "status"])
@pytest.mark.parametrize("value", ["[" * 100_000, "\0", "\ud800", {"a": 1}, 1.5, [[]]], ids=lambda value: repr(value)[:12])
async def test_whatever_a_model_writes_is_answered(sandbox: Sandbox, toolbox: Toolbox, name: str, value: Any) -> None:
    tool = "get_report" if name == "wait" else "list_inquiries"
    async with toolbox:
        answer = await toolbox.dispatch(tool, {name: value} | ({"reportId": "rep_1"} if name == "wait" else {}))
    assert "fault of its own" not in answer.text
    toolbox.needs_approval(tool, {name: value})
    if name != "status":
        assert answer.is_error
        assert sandbox.requests == []


async def test_what_is_there_and_empty_is_not_absent(sandbox: Sandbox, toolbox: Toolbox) -> None:
    params = {"inquiryId": in_review(sandbox), "outputFields": ["reportIds", "selfieIds", "reportIds.deeper"]}
    async with toolbox:
        answer = await toolbox.dispatch("get_inquiry", params)
        cases = await toolbox.dispatch("list_cases", {"outputFields": ["tags", "commentIds"]})
    assert answer.data["inquiry"]["reportIds"] == []
    assert "absentFields" not in answer.data
    assert "absentFields" not in cases.data


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_inquiry", '{"\\ud800": 1}'),
        ("get_inquiry", {"z" * 200_000: 1}),
        ("get_verification", {"outputFields": ["attributes.\ud800", "attributes." + "z" * 50_000]}),
        ("list_inquiries", {"outputFields": ["\ud800", "z" * 50_000]}),
        ("import_accounts", {"file": "reference_id\n\ud800"}),
        ("x\ud800" + "z" * 50_000, {}),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_a_name_that_a_model_made_up_comes_back_short_and_as_text(
    sandbox: Sandbox, toolbox: Toolbox, name: str, arguments: Any
) -> None:
    if name == "get_verification":
        inquiry = (await toolbox.dispatch("get_inquiry", {"inquiryId": in_review(sandbox)})).data["inquiry"]
        arguments = {**arguments, "verificationId": inquiry["verificationIds"][0]}
    async with toolbox:
        answer = await toolbox.dispatch(name, arguments)
    for text in (answer.text, answer.json, answer.content):
        text.encode()
        assert len(text) < 3_000
    assert "codec" not in answer.text


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", " 3 "])
async def test_whole_numbers_in_any_spelling(box: Toolbox, value: Any) -> None:
    assert len((await box.dispatch("list_accounts", {"maxItems": value})).data["accounts"]) == 3


# --- keys ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", "  "])
async def test_a_blank_key_never_falls_back_to_another(
    sandbox: Sandbox, make_toolbox: MakeToolbox, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    monkeypatch.setenv("PERSONA_API_KEY", sandbox.api_key)
    async with make_toolbox(api_key=blank) as blank_one, make_toolbox() as other:
        answers = [await blank_one.dispatch("list_cases"), await other.dispatch("list_cases", api_key=blank)]
    assert [problems(answer).keys() for answer in answers] == [{"host"}] * 2
    assert sandbox.requests == []


async def test_a_key_that_cannot_be_one_is_the_hosts_fault(sandbox: Sandbox, make_toolbox: MakeToolbox) -> None:
    def never(_request: Any) -> bool:
        raise AssertionError("asked")

    async with make_toolbox(api_key=f"{KEY} {KEY}", consent=never) as toolbox:
        answer = await toolbox.dispatch("approve_inquiry", {"inquiryId": "inq_1"})
    assert problems(answer).keys() == {"host"}
    assert KEY not in answer.text + answer.json
    assert sandbox.requests == []
