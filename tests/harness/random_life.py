"""What happens at random in a log, by the rules: for tests of whatever reads all of it."""

from __future__ import annotations

from random import Random

from harness.scenario import ACTOR, an_agent, claimed, create_flow, create_run, executed, lost, recorded, succeeding
from headwater.core.errors import CommandRejected
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater


class Life:
    """What happens at random to a few flows, their runs and agents."""

    def __init__(self, log: Log, seed: int) -> None:
        self.log, self.random = log, Random(seed)
        self.headwater = Headwater(log, ACTOR)
        self.flows: list[str] = []
        self.groups: list[str] = []
        self.runs: list[str] = []
        self.agents: list[str] = []

    async def begin(self) -> None:
        for number in range(3):
            flow = await create_flow(self.log, f"flow-{number}")
            self.flows.append(flow.flow_id)
            self.groups.append(flow.flow_group_id)
        self.agents = [(await an_agent(self.log, f"agent-{number}"))[0] for number in range(3)]
        await self.headwater.slots.limit(self.groups[0], 2)

    async def go_on(self, steps: int) -> None:
        for _ in range(steps):
            try:
                await self._step()
            except CommandRejected:
                continue

    async def _step(self) -> None:
        chance = self.random
        match chance.randrange(12):
            case 0 | 1 | 2:
                self.runs.append((await create_run(self.log, chance.choice(self.flows), parameters={})).run_id)
            case 3:
                self.agents.append((await an_agent(self.log, f"agent-{len(self.agents)}"))[0])
            case 4:
                await self.headwater.agents.stop(self.agents.pop(0) if len(self.agents) > 2 else self.agents[0])
            case 5:
                run_id = chance.choice(self.runs)
                await self.headwater.slots.take(self.groups[0], run_id, 1)
            case 6:
                await self.headwater.slots.free(self.groups[0], chance.choice(self.runs), 1)
            case 7 if self.runs:
                await self.headwater.runs.cancel(chance.choice(self.runs))
            case 8 if self.runs:
                await executed(self.log, chance.choice(self.runs))
            case 9 if self.runs:
                await lost(self.log, chance.choice(self.runs))
            case 10 if self.runs:
                await self.headwater.runs.restart(chance.choice(self.runs))
            case _ if self.runs:
                run_id = chance.choice(self.runs)
                await claimed(self.log, run_id, agent_id=chance.choice(self.agents))
                await recorded(self.log, run_id, *succeeding(["task-0"]))
