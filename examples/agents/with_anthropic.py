import asyncio
from typing import Any

from anthropic import AsyncAnthropic

from persona_block.hosts import ConsentRequest, Toolbox, anthropic_result, anthropic_tools

TASK = "Check the newest inquiry that needs review and approve it if it is clean."


def consent(request: ConsentRequest) -> bool:
    return request.is_agreed(input(f"{request.message}\n{request.prompt}: "))


async def main() -> None:
    client = AsyncAnthropic()
    messages: list[Any] = [{"role": "user", "content": TASK}]
    async with Toolbox(consent=consent) as toolbox:
        tools = anthropic_tools(toolbox)
        while True:
            reply = await client.messages.create(model="claude-sonnet-4-5", max_tokens=4096, messages=messages, tools=tools)
            calls = [block for block in reply.content if block.type == "tool_use"]
            if not calls:
                break
            results = [anthropic_result(call.id, await toolbox.dispatch(call.name, call.input)) for call in calls]
            messages += [{"role": "assistant", "content": reply.content}, {"role": "user", "content": results}]
    print(*(block.text for block in reply.content if block.type == "text"))


asyncio.run(main())
