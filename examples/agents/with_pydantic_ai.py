import asyncio

from pydantic_ai import Agent

from persona_block.hosts import ConsentRequest, Toolbox, pydantic_ai

TASK = "Check the newest inquiry that needs review and approve it if it is clean."


def consent(request: ConsentRequest) -> bool:
    return request.is_agreed(input(f"{request.message}\n{request.prompt}: "))


async def main() -> None:
    async with Toolbox(consent=consent) as toolbox:
        # Without a consent, the run of an agent with output_type=[str, DeferredToolRequests] ends with `requests`. Go on with
        # DeferredToolResults(approvals={call.tool_call_id: True}, metadata=requests.metadata), which says what was asked.
        agent = Agent("openai:gpt-5", tools=pydantic_ai.tools(toolbox))
        result = await agent.run(TASK)
    print(result.output)


asyncio.run(main())
