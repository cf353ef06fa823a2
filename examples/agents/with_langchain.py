import asyncio

from langchain.agents import create_agent

from persona_block.hosts import ConsentRequest, Toolbox, langchain

TASK = "Check the newest inquiry that needs review and approve it if it is clean."


def consent(request: ConsentRequest) -> bool:
    return request.is_agreed(input(f"{request.message}\n{request.prompt}: "))


async def main() -> None:
    async with Toolbox(consent=consent) as toolbox:
        agent = create_agent("anthropic:claude-sonnet-4-5", tools=langchain.tools(toolbox))
        result = await agent.ainvoke({"messages": [{"role": "user", "content": TASK}]})
    print(result["messages"][-1].text)


asyncio.run(main())
