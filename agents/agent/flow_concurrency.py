"""The slots of flows whose runs are limited: taken before a claim, freed after the attempt.

A flow without a limit costs one look for each agent, and none for each run: limits are followed as they are set.
"""

from __future__ import annotations

from contextlib import AsyncExitStack

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.agent.outage import Outage
from headwater.core.errors import SlotsFull
from headwater.core.events import ConcurrencySet, RunCreated
from headwater.core.log import subjects
from headwater.core.operations.headwater import Headwater


class FlowConcurrency:
    """An agent's view of the limits of flows. Its `serve` hears of limits that are set while it runs."""

    def __init__(self, headwater: Headwater, outage: Outage) -> None:
        self._retry = outage.retry_until_available
        self._log = headwater.log.events
        self._slots = headwater.slots
        self._limits: dict[str, int | None] = {}

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; ready when every limit to come is sure to be heard."""
        async with AsyncExitStack() as stack:
            tail = await self._retry(self._log.tail, "the log's end")
            follow = self._log.follow
            news = await self._retry(lambda: stack.enter_async_context(follow(subjects.SLOTS_ALL, after=tail.position)), "limits of flows")
            task_status.started()
            async for batch in news:
                for recorded in batch:
                    for event in recorded.events:
                        if isinstance(event, ConcurrencySet):
                            self._limits[subjects.address(recorded.subject).id] = event.limit

    async def is_limited(self, group_id: str) -> bool:
        if group_id not in self._limits:
            found = await self._retry(self._slots.of(group_id).refresh, "the flow's limit")
            self._limits.setdefault(group_id, found.limit)
        return self._limits[group_id] is not None

    async def take(self, created: RunCreated, attempt: int) -> bool:
        """Take a slot for the attempt, or go on with the one it has; tell whether it has one now, or needs none."""
        group_id = created.flow_group_id
        if not await self.is_limited(group_id):
            return True
        try:
            await self._retry(lambda: self._slots.take(group_id, created.run_id, attempt), "a slot of the flow")
        except SlotsFull:
            return False
        return True

    async def free(self, created: RunCreated, attempt: int) -> None:
        """Free the slot that the attempt has, if it has one."""
        group_id = created.flow_group_id
        if await self.is_limited(group_id):
            await self._retry(lambda: self._slots.free(group_id, created.run_id, attempt), "a slot of the flow")

    async def any_free(self, group_id: str) -> bool:
        """Tell whether the flow has a free slot now."""
        return (await self._retry(self._slots.of(group_id).refresh, "the flow's slots")).free != 0
