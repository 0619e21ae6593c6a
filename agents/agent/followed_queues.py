"""The queues of an agent: those whose labels match its own, the ones that are known and the ones that become known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.agents.agent.outage import Outage
from headwater.core.errors import InvalidName
from headwater.core.events import QueueLimitSet, QueueOpened
from headwater.core.log import subjects
from headwater.core.log.protocol import Delivery, Log, QueueBinding
from headwater.core.operations.queues import queue
from headwater.core.values.labels import agent_accepts
from headwater.core.values.labels import queue_id as id_of


class FollowedQueues:
    """Binds queues for an agent with these labels, and starts `take` with each item that they hand out while `is_free` says so."""

    def __init__(
        self,
        log: Log,
        labels: Collection[str],
        is_free: Callable[[], bool],
        take: Callable[[Delivery], Coroutine[Any, Any, None]],
        *,
        outage: Outage,
        lease_seconds: float,
    ) -> None:
        self._log = log
        self._labels = labels
        self._is_free = is_free
        self._take = take
        self._retry = outage.retry_until_available
        self._lease_seconds = lease_seconds
        self._followed: set[str] = set()
        self._bindings: dict[str, QueueBinding] = {}
        self._limits: dict[str, int | None] = {}

    def set_accepting(self, accepting: bool) -> None:
        """Ask for items, or stop asking."""
        for binding in self._bindings.values():
            _set_accepting(binding, accepting=accepting)

    async def follow(self, queues: TaskGroup, runs: TaskGroup, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Bind each queue that matches in a task of `queues`, and take each item in one of `runs`, until cancelled."""
        async with AsyncExitStack() as stack:
            follow = self._log.events.follow
            known = await self._retry(lambda: stack.enter_async_context(follow(subjects.QUEUES_ALL)), "the queues")
            task_status.started()
            async for batch in known:
                for recorded in batch:
                    for event in recorded.events:
                        if isinstance(event, QueueOpened) and self._is_new_and_ours(event):
                            self._followed.add(event.queue_id)
                            queues.start_soon(self._take_from, event.queue_id, runs)
                        elif isinstance(event, QueueLimitSet):
                            self._limit(subjects.address(recorded.subject).id, event.limit)

    def _is_new_and_ours(self, opened: QueueOpened) -> bool:
        """Tell whether this agent takes the queue's runs, and does not yet. One that is not that of its labels is not an agent's."""
        try:
            is_sound = id_of(opened.labels) == opened.queue_id
        except InvalidName:
            is_sound = False
        return is_sound and opened.queue_id not in self._followed and agent_accepts(self._labels, opened.labels)

    async def _take_from(self, queue_id: str, runs: TaskGroup) -> None:
        async with AsyncExitStack() as stack:
            bind = self._log.queues.bind
            limit = _sound((await self._retry(queue(self._log.events, queue_id).refresh, f"queue {queue_id}")).limit)
            lease_seconds = self._lease_seconds
            binding = await self._retry(
                lambda: stack.enter_async_context(bind(queue_id, lease_seconds=lease_seconds, limit=limit)), f"queue {queue_id}"
            )
            binding.limit(self._limits.get(queue_id, limit))  # it may have been set meanwhile
            self._bindings[queue_id] = binding
            stack.callback(self._bindings.pop, queue_id)
            _set_accepting(binding, accepting=self._is_free())
            async for delivery in binding:
                runs.start_soon(self._take, delivery)

    def _limit(self, queue_id: str, limit: int | None) -> None:
        self._limits[queue_id] = _sound(limit)
        if queue_id in self._bindings:
            self._bindings[queue_id].limit(_sound(limit))


def _set_accepting(binding: QueueBinding, *, accepting: bool) -> None:
    if accepting:
        binding.resume()
    else:
        binding.pause()


def _sound(limit: int | None) -> int | None:
    """Return the limit, or None where it is one that the rules do not allow."""
    return limit if limit is None or limit > 0 else None
