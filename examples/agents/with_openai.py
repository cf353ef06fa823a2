import asyncio
from typing import Any

from openai import AsyncOpenAI

from persona_block.hosts import ConsentRequest, Toolbox, openai_result, openai_tools

TASK = "Check the newest inquiry that needs review and approve it if it is clean."


def consent(request: ConsentRequest) -> bool:
    return request.is_agreed(input(f"{request.message}\n{request.prompt}: "))


async def main() -> None:
    client = AsyncOpenAI()
    items: list[Any] = [{"role": "user", "content": TASK}]
    async with Toolbox(consent=consent) as toolbox:
        tools = openai_tools(toolbox)
        while True:
            reply = await client.responses.create(model="gpt-5", input=items, tools=tools)
            calls = [item for item in reply.output if item.type == "function_call"]
            if not calls:
                break
            results = [openai_result(call.call_id, await toolbox.dispatch(call.name, call.arguments)) for call in calls]
            items += [*reply.output, *results]
    print(reply.output_text)


asyncio.run(main())
