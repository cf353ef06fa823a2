"""The MCP server: the chosen operations as tools, in the handshake and in the stateless era of the protocol."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import mcp_types as types
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from ...call.progress import Progress
from ...credentials import ApiKey
from ...errors import InputError, PersonaError
from ...files.rules import FileRules
from ...files.store import FileStore
from ...runner import Runner
from ...spec import resources
from ...version import __version__
from ..answer import ToolAnswer, failure_answer
from ..brevity import UNREAD_FIELDS
from ..consent import ConsentRequest, SettlingEffect
from ..selection import DEFAULT, Selection
from ..toolbox import Toolbox
from .completions import Seen, completed
from .consent import Agreement, ask
from .files import OWNER_BYTES, Files
from .guides import Guide, guides
from .identity import Identify, holder_of, narrowing, require_key
from .instructions import instructions
from .listed import listed_tool
from .prompts import found_guide, listed_prompts, prompt
from .resources import listed_resource_templates, listed_resources, read_guide
from .tasks import CreatedTask, Tasks
from .text import TextMode, text_of

CALL_SECONDS = 45.0
"""Seconds that one call may take with all its attempts, so that a client that gives it a minute hears how it ended."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What the operator chose.

    selection: which operations are offered; the default is the toolset `default`.
    allow: the effects that need no person's word where a client cannot ask for it; the default is none.
    text: how much of an answer stands in its text. `full` gives the data, `summary` a few words; `auto`, the default, gives
        the data unless the client declares that its model is shown structured content.
    templates: names of inquiry and report templates by id, which are then listed in the place of Persona's.
    left_out: the fields of objects that an answer leaves out unless they are named.
    file_root: the folder that an import may read files from; None, the default, lets it take CSV text alone.
    runner: makes the runner, given where files go; the default makes one whose calls end within CALL_SECONDS.
    """

    selection: Selection = field(default_factory=lambda: Selection.of(otherwise=DEFAULT))
    allow: frozenset[SettlingEffect] = frozenset()
    text: TextMode = "auto"
    templates: Mapping[str, str] = field(default_factory=dict)
    left_out: Collection[str] = UNREAD_FIELDS
    file_root: Path | None = None
    runner: Callable[[FileStore], Runner] | None = None


def create_server(options: Options, *, api_key: str | ApiKey | None = None, identify: Identify | None = None) -> Server[Any]:
    """Return the server.

    api_key: the key that every request uses; with None each HTTP request has to bring its own in its Authorization header.
    identify: tells who makes a request, in the place of `api_key`.
    """
    identify = identify or holder_of(None if api_key is None else ApiKey.of(api_key))
    files = Files()
    make_runner = options.runner or (
        lambda store: Runner(files=store, deadline=CALL_SECONDS, file_rules=FileRules(limit=OWNER_BYTES))
    )
    toolbox = Toolbox(
        options.selection,
        runner=lambda: make_runner(files.store),
        templates=options.templates,
        left_out=options.left_out,
        file_root=options.file_root,
    )
    handlers = _Handlers(options, toolbox, files, identify)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[dict[str, Any]]:
        with files:
            try:
                yield {}
            finally:
                await handlers.tasks.aclose()
                await toolbox.aclose()

    server: Server[Any] = Server(
        "persona",
        version=__version__,
        title="Persona",
        instructions=instructions(toolbox),
        icons=[types.Icon(src=_data_url(resources.icon()), mime_type="image/svg+xml", sizes=["any"])],
        # Private, because headers narrow what one caller sees.
        cache_hints={method: CacheHint(ttl_ms=300_000, scope="private") for method in ("tools/list", "prompts/list")},
        lifespan=lifespan,
        get_tool_input_schema=lambda name: _input_schema(toolbox, name),
        on_list_tools=handlers.list_tools,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_resource_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
    )
    # Not as `on_call_tool`, whose type knows nothing of tasks.
    server.add_request_handler("tools/call", types.CallToolRequestParams, handlers.call_tool)
    handlers.tasks.serve(server)
    security = RequestStateSecurity(keys=[os.urandom(32)], bind_principal=handlers.owner)
    server.middleware += [_without_inner_text, RequestStateBoundary(security, default_audience="persona")]
    return server


async def serve_stdio(server: Server[Any]) -> None:
    """Serve on standard input and output until the client closes them."""
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


class _Handlers:
    """The handlers of the server's requests."""

    def __init__(self, options: Options, toolbox: Toolbox, files: Files, identify: Identify) -> None:
        self._options = options
        self._toolbox = toolbox
        self._files = files
        self._identify = identify
        self._seen = Seen()
        self.tasks = Tasks(self.owner)

    async def list_tools(
        self, ctx: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[listed_tool(tool) for tool in self._offered(ctx).tools])

    async def call_tool(
        self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult | CreatedTask:
        try:
            toolbox, api_key = self._offered(ctx), self._identify(ctx).api_key
            require_key(params.name, api_key, over_http=ctx.request is not None)
            bare = toolbox.bare_request(params.name, params.arguments, api_key=api_key)
            reply = await self._ask(ctx, params, toolbox, bare, api_key) if bare else None
        except PersonaError as error:
            return self._result(ctx, failure_answer(error))
        if isinstance(reply, types.InputRequiredResult):
            return reply
        if isinstance(reply, ToolAnswer):
            return self._result(ctx, reply)

        async def dispatch(progress: Progress | None = None) -> ToolAnswer:
            return await toolbox.dispatch(
                params.name,
                params.arguments,
                api_key=api_key,
                approval=reply.approval if reply else None,
                progress=progress,
                idempotency_key=reply.idempotency_key if reply else None,
            )

        if reply is None and self.tasks.takes(ctx, toolbox.find(params.name), params.arguments):
            return self.tasks.begin(ctx, dispatch, partial(self._result, ctx))
        answer = await _reporting_progress(ctx, dispatch)
        file_source = toolbox.find(params.name).spec.file_source if not answer.is_error else None
        if file_source is None:
            return self._result(ctx, answer)
        output_name, _ = file_source
        link = self._files.keep(self.owner(ctx), answer.data[output_name])
        file = {"name": link.name, "mimeType": link.mime_type, "size": link.size, "uri": link.uri}
        text = f"{link.name}, {link.size} bytes; read it as the resource {link.uri}"
        return self._result(ctx, ToolAnswer({output_name: file}, text), link)

    async def _ask(
        self,
        ctx: ServerRequestContext[Any, Any],
        params: types.CallToolRequestParams,
        toolbox: Toolbox,
        bare: ConsentRequest,
        api_key: ApiKey,
    ) -> Agreement | ToolAnswer | types.InputRequiredResult:
        async def read() -> ConsentRequest | None:
            return await toolbox.consent_request(params.name, params.arguments, api_key=api_key)

        return await ask(ctx, params, bare, read, self._options.allow)

    async def list_resources(
        self, ctx: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        listed = [*self._files.listed(self.owner(ctx)), *listed_resources(self._guides(ctx).values())]
        return types.ListResourcesResult(resources=listed)

    async def list_resource_templates(
        self, ctx: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=listed_resource_templates(self._guides(ctx).values()))

    async def read_resource(
        self, ctx: ServerRequestContext[Any, Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        return read_guide(self._guides(ctx).values(), params.uri) or self._files.read(self.owner(ctx), params.uri)

    async def list_prompts(
        self, ctx: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=listed_prompts(self._guides(ctx).values()))

    async def get_prompt(
        self, ctx: ServerRequestContext[Any, Any], params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        return prompt(found_guide(self._guides(ctx), params.name), params.arguments)

    async def complete(self, ctx: ServerRequestContext[Any, Any], params: types.CompleteRequestParams) -> types.CompleteResult:
        return completed(params, self._guides(ctx), self._seen, self.owner(ctx), self._options.templates)

    def owner(self, ctx: ServerRequestContext[Any, Any]) -> str:
        """Return whose a sealed state, a file or a completion is, as what stands for the caller."""
        return self._identify(ctx).name

    def _offered(self, ctx: ServerRequestContext[Any, Any]) -> Toolbox:
        """Return the toolbox as this request may see it; raises InputError for a narrowing header that names nothing."""
        narrower = narrowing(ctx, read_only=self._identify(ctx).read_only)
        return self._toolbox.narrowed(narrower) if narrower else self._toolbox

    def _guides(self, ctx: ServerRequestContext[Any, Any]) -> Mapping[str, Guide]:
        """Return the skills and templates that this request may see."""
        return guides(self._offered(ctx).selection)

    def _result(
        self, ctx: ServerRequestContext[Any, Any], answer: ToolAnswer, *links: types.ResourceLink
    ) -> types.CallToolResult:
        self._seen.note(self.owner(ctx), answer.data)
        text = text_of(answer, self._options.text, ctx)
        content: list[types.ContentBlock] = [types.TextContent(type="text", text=text), *links]
        return types.CallToolResult(content=content, structured_content=answer.data, is_error=answer.is_error)


def _input_schema(toolbox: Toolbox, name: str) -> Mapping[str, Any] | None:
    return next((tool.input_schema for tool in toolbox.tools if tool.name == name), None)


async def _reporting_progress(
    ctx: ServerRequestContext[Any, Any], work: Callable[[Progress], Awaitable[ToolAnswer]]
) -> ToolAnswer:
    """Do the work while its progress is passed on to the client; if the client cancels, both end."""
    sender, receiver = anyio.create_memory_object_stream[str](math.inf)

    async def pass_on() -> None:
        steps = 0
        async for message in receiver:
            steps += 1
            await ctx.session.report_progress(steps, None, message)

    async with receiver, anyio.create_task_group() as tasks:
        tasks.start_soon(pass_on)
        async with sender:
            answer = await work(lambda update: sender.send_nowait(update.message))
    return answer


async def _without_inner_text(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Answer a request, and let no exception of ours reach a client with its text, which may hold anything."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except InputError as error:
        raise MCPError(code=types.INVALID_PARAMS, message=failure_answer(error).text) from None
    except Exception as error:
        _log.error("%s failed inside: %s", ctx.method, type(error).__name__)
        raise MCPError(code=types.INTERNAL_ERROR, message="Internal error") from None


def _data_url(svg: str) -> str:
    return "data:image/svg+xml," + quote(svg.strip(), safe=" /:=';,()")
