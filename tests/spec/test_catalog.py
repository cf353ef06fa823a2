"""Operations are found by name and by alias, and a broken spec file says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from persona_block import InputError, Runner, SpecError
from persona_block.block.build import manifest
from persona_block.hosts import Selection, Toolbox
from persona_block.spec import catalog
from tests.support.case_files import API_KEY
from tests.support.spec_folder import spec_folder


@pytest.fixture
def specs(tmp_path: Path) -> Iterator[Path]:
    """A folder of specs to change."""
    with spec_folder(tmp_path) as folder:
        yield folder


def change(path: Path, **keys: Any) -> None:
    """Set keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | keys), "utf-8")


def test_a_name_may_have_the_prefix() -> None:
    assert catalog.load("persona_get_inquiry") == catalog.load("get_inquiry")
    assert catalog.current_name("persona_get_inquiry") == "get_inquiry"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    assert catalog.current_name("persona_get_inquirry") == "get_inquirry"
    with pytest.raises(InputError, match="did you mean get_inquiry"):
        catalog.load("get_inquirry")


def test_a_name_from_a_variable_is_checked() -> None:
    assert catalog.operation("persona_get_inquiry") == catalog.operation("get_inquiry") == "get_inquiry"
    for name, message in (("get_inquirry", "did you mean get_inquiry"), (7, "must be the name of an operation")):
        with pytest.raises(InputError, match=message):
            catalog.operation(cast(str, name))


def test_a_reference_to_nothing_is_a_fault_of_the_spec(specs: Path) -> None:
    change(specs / "get_case.json", params={"caseId": {"$ref": "shared/params.json#/none"}})
    with pytest.raises(SpecError, match="names nothing"):
        catalog.load("get_case")


def test_a_file_that_breaks_the_grammar_is_a_fault_of_the_spec(specs: Path) -> None:
    change(specs / "get_case.json", retries=3)
    with pytest.raises(SpecError, match=r"get_case\.json breaks the grammar"):
        catalog.load("get_case")


def test_a_group_has_to_be_declared(specs: Path) -> None:
    change(specs / "get_case.json", group="reviews")
    with pytest.raises(SpecError, match=r"get_case\.json is of group reviews; block\.json has inquiries"):
        catalog.load("get_case")


def test_a_declared_group_is_a_group_everywhere(specs: Path) -> None:
    groups = json.loads((specs / "block.json").read_text("utf-8"))["groups"]
    change(specs / "block.json", groups={"reviews": "Reviews"} | groups)
    change(specs / "get_case.json", group="reviews")
    assert catalog.load("get_case").group == "reviews"
    assert catalog.grammar_schema()["properties"]["group"]["enum"][0] == "reviews"


class TestAlias:
    """An operation under a former name."""

    @pytest.fixture(autouse=True)
    def alias(self, specs: Path) -> None:
        change(specs / "get_account.json", aliases=["get_person", "fetch_account"])

    @pytest.mark.parametrize("name", ["get_person", "persona_get_person", "fetch_account"])
    async def test_it_calls_the_operation_of_today(self, name: str) -> None:
        account = {"type": "account", "id": "act_1", "attributes": {}, "relationships": {}}
        transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"data": account}))

        def runner() -> Runner:
            return Runner(api_key=API_KEY, transport=transport)

        async with runner() as direct:
            assert (await direct.call(catalog.operation(name), {"accountId": "act_1"}))["account"]["id"] == "act_1"
        async with Toolbox(Selection.of(tools=[name]), api_key=API_KEY, runner=runner) as toolbox:
            assert [tool.name for tool in toolbox.tools] == ["persona_get_account"]
            answer = await toolbox.dispatch(name, {"accountId": "act_1"})
            assert not answer.is_error

    def test_it_is_excluded_with_the_operation(self) -> None:
        assert "get_account" not in Selection.of(toolsets=["accounts"], exclude=["persona_get_person"]).names

    def test_it_is_not_listed(self) -> None:
        assert "get_account" in catalog.names()
        assert not {"get_person", "fetch_account"} & set(catalog.names())

    def test_a_name_wins_over_an_alias(self, specs: Path) -> None:
        change(specs / "get_case.json", aliases=["get_account"])
        assert catalog.load("get_account").name == "get_account"

    def test_the_manifest_has_it(self) -> None:
        definitions = {definition["name"]: definition for definition in manifest()["tools"]["definitions"]}
        assert definitions["get_account"]["aliases"] == ["get_person", "fetch_account"]
        assert "aliases" not in definitions["get_case"]


def test_nothing_of_a_changed_spec_stays_behind(tmp_path: Path) -> None:
    with spec_folder(tmp_path) as folder:
        change(folder / "get_account.json", aliases=["get_person"])
        assert "get_person" in json.dumps(manifest())
    assert "get_person" not in json.dumps(manifest())
