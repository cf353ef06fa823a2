import asyncio
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, SdkMcpTool, create_sdk_mcp_server, query

from persona_block.hosts import ConsentRequest, Tool, Toolbox

TASK = "Check the newest inquiry that needs review and approve it if it is clean."


def consent(request: ConsentRequest) -> bool:
    return request.is_agreed(input(f"{request.message}\n{request.prompt}: "))


def served(toolbox: Toolbox, tool: Tool) -> SdkMcpTool[Any]:
    async def call(arguments: dict[str, Any]) -> dict[str, Any]:
        answer = await toolbox.dispatch(tool.name, arguments)
        return {"content": [{"type": "text", "text": answer.content}], "is_error": answer.is_error}

    return SdkMcpTool(tool.name, tool.description, dict(tool.input_schema), call)


async def main() -> None:
    async with Toolbox(consent=consent) as toolbox:
        server = create_sdk_mcp_server("persona", tools=[served(toolbox, tool) for tool in toolbox.tools])
        # The agent has these tools and no others, and reads no settings of this machine.
        options = ClaudeAgentOptions(
            mcp_servers={"persona": server}, allowed_tools=["mcp__persona"], tools=[], setting_sources=[]
        )
        async for message in query(prompt=TASK, options=options):
            if isinstance(message, ResultMessage):
                print(message.result)


asyncio.run(main())
