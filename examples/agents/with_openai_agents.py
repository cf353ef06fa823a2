import asyncio

from agents import Agent, Runner

from persona_block.hosts import ConsentRequest, Toolbox, openai_agents

TASK = "Check the newest inquiry that needs review and approve it if it is clean."


def consent(request: ConsentRequest) -> bool:
    return request.is_agreed(input(f"{request.message}\n{request.prompt}: "))


async def main() -> None:
    async with Toolbox(consent=consent) as toolbox:
        agent = Agent(name="Reviewer", tools=openai_agents.tools(toolbox))
        result = await Runner.run(agent, TASK)
    print(result.final_output)


asyncio.run(main())
