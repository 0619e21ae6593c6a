"""Which agents are heard of: their heartbeats, kept in memory. Not facts; a server that has just started has heard nobody yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core import subjects
from headwater.core.log.protocol import Log


def utc_now() -> datetime:
    return datetime.now(UTC)


class Presence:
    """Hears the agents' heartbeats."""

    def __init__(self, log: Log, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._log = log
        self._tell: list[Callable[[str], None]] = []
        self._clock = clock
        self._heard: dict[str, datetime] = {}

    def on_first(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called with the id of each agent that is heard for the first time."""
        self._tell.append(tell)

    def last_heard(self, agent_id: str) -> datetime | None:
        """Return when the agent's last heartbeat came; None where none came since this server started."""
        return self._heard.get(agent_id)

    def heard(self, agent_ids: Iterable[str]) -> dict[str, datetime | None]:
        """Return when each of the agents was last heard of."""
        return {agent_id: self._heard.get(agent_id) for agent_id in agent_ids}

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled."""
        async with self._log.subscribe(subjects.AGENT_HEARTBEATS) as messages:
            task_status.started()
            async for message in messages:
                agent_id = message.subject.rsplit(".", 1)[-1]
                first = agent_id not in self._heard
                self._heard[agent_id] = self._clock()
                if first:
                    for tell in self._tell:
                        tell(agent_id)
