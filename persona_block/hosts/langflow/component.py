"""The component behind every Persona node: its fields, its one run, its four outputs and its tools."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import Output
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message
from lfx.services.deps import get_settings_service
from lfx.utils.file_path_security import component_file_access_scopes, enforce_local_file_access

from ...block.build import manifest
from . import outputs as made
from .agent import enabled_tool_names, node_tools
from .build_config import BuildConfig, refreshed
from .fields import fields_by_name
from .inputs import as_text, node_inputs
from .running import Answer, Connection, NodeError, check_typed, run_node


class PersonaBlockComponent(Component):
    """Persona's operations on the canvas; the class that Langflow finds stands on it."""

    display_name = manifest()["name"]
    description = manifest()["description"]
    documentation = manifest()["docsLink"]
    icon = "scan-face"
    name = "Persona"
    inputs = node_inputs()
    # Without group_outputs only one of them is on the node at a time.
    outputs = [  # noqa: RUF012
        Output(display_name="Result", name="result", method="give_result", group_outputs=True),
        Output(display_name="Text", name="text", method="give_text", group_outputs=True),
        Output(display_name="Table", name="table", method="give_table", group_outputs=True),
        Output(display_name="File", name="file", method="give_file", group_outputs=True),
    ]
    _run_task: asyncio.Task[Answer] | None = None

    def update_build_config(self, build_config: BuildConfig, field_value: Any, field_name: str | None = None) -> BuildConfig:
        """Show the fields of the chosen operation, and teach a node that was saved long ago what is new."""
        templates = {each.name: each.to_dict() for each in node_inputs()}
        return refreshed(build_config, templates, field_name or "", field_value)

    def set_attributes(self, params: dict[str, Any]) -> None:
        """Take what is filled in; what earlier blocks gave becomes text first.

        Raises NodeError where they gave what a person alone may fill in: Langflow would take it for that person's.
        """
        check_typed(params)
        wired = {name: field for name, field in fields_by_name().items() if field.takes_wire or field.kind == "file"}
        super().set_attributes(
            {name: as_text(wired[name], value) if name in wired else value for name, value in params.items()}
        )

    async def give_result(self) -> Data:
        """Return the output of the operation."""
        return Data(data=made.result(await self._answer()))

    async def give_text(self) -> Message:
        """Return a sentence to post."""
        return Message(text=made.text(await self._answer()))

    async def give_table(self) -> DataFrame:
        """Return the entries of a list as rows, and anything else as one."""
        return DataFrame(made.rows(await self._answer()))

    async def give_file(self) -> Data:
        """Return a stored file; raises NodeError where something waits for one and the operation gives none."""
        answer = await self._answer()
        file = await asyncio.to_thread(made.file, answer)
        if file is None and self._vertex is not None and "file" in self._vertex.edges_source_names:
            raise NodeError(f"{answer.spec.title}: it was done, but it gives no file; wire another output of this node.")
        return Data(data=file or {})

    @property
    def enabled_tools(self) -> list[str]:
        """The tools that are on at first: those that only read."""
        return enabled_tool_names()

    async def _get_tools(self) -> list[BaseTool]:
        return node_tools(lambda: Connection.of(self._values()), self._folder())

    def _pre_run_setup(self) -> None:
        self._run_task = None

    async def _answer(self) -> Answer:
        """Return what the one run of this node gives, however many outputs ask for it."""
        if self._run_task is None:
            run = run_node(self._values(), folder=self._folder(), readable=self._readable)
            self._run_task = asyncio.create_task(run)
        return await self._run_task

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in fields_by_name()}

    def _folder(self) -> Path:
        """Return where files of this node are kept: where Langflow keeps those of its user, or of its flow."""
        scopes = component_file_access_scopes(self)
        folder = Path(get_settings_service().settings.config_dir)
        return folder / scopes[0] / "persona" if scopes else folder / "persona"

    def _readable(self, path: str) -> str:
        return str(enforce_local_file_access(path, scope_ids=component_file_access_scopes(self)))
