"""Which agents send heartbeats, kept in memory. Not facts; a server that has just started has received none yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import CommitUnreadable
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.heartbeats import Heartbeat, warnings_in
from headwater.core.log.protocol import Log
from headwater.web.live.retry import retry_until_cancelled

MISSED_MAX = 3
"""After so many missed heartbeats an agent counts as silent."""
AGENTS_REMEMBERED_MAX = 10_000

_decode = message_decoder(Heartbeat)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Heard:
    """The last heartbeat of an agent: when it came, and what it said. `silent_from` is when it counts as silent without another one."""

    at: datetime
    silent_from: datetime
    said: Heartbeat | None = None

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the agent by its own words."""
        return [] if self.said is None else warnings_in(self.said)


class Heartbeats:
    """Hears the agents' heartbeats."""

    def __init__(self, log: Log, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._log = log
        self._clock = clock
        self._tell: list[Callable[[str], None]] = []
        self._heard: dict[str, Heard] = {}

    def on_return(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called with the id of an agent that is heard for the first time or after a silence, or has something else wrong."""
        self._tell.append(tell)

    def last_heard(self, agent_id: str) -> Heard | None:
        """Return the agent's last heartbeat; None where none came since this server started."""
        return self._heard.get(agent_id)

    def lively(self, agent_ids: Iterable[str]) -> dict[str, datetime | None]:
        """Return when each of the agents was last heard of; None for those that are silent."""
        now = self._clock()
        return {agent_id: heard.at if (heard := self._heard.get(agent_id)) and heard.silent_from > now else None for agent_id in agent_ids}

    def next_silence(self, agent_ids: Iterable[str]) -> datetime | None:
        """Return when the next of these agents counts as silent, unless it is heard before."""
        now = self._clock()
        known = [heard.silent_from for agent_id in agent_ids if (heard := self._heard.get(agent_id))]
        return min((moment for moment in known if moment > now), default=None)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled."""
        async with anyio.create_task_group() as group:
            ready = anyio.Event()
            group.start_soon(retry_until_cancelled, "Hearing agents", partial(self._listen, ready))
            await ready.wait()
            task_status.started()

    async def _listen(self, ready: anyio.Event) -> None:
        async with self._log.subscribe(subjects.AGENT_HEARTBEATS) as messages:
            ready.set()
            async for message in messages:
                if (agent_id := subjects.agent_of_heartbeat(message.subject)) is not None:
                    self._hear(agent_id, message.data)

    def _hear(self, agent_id: str, data: bytes) -> None:
        try:
            said = _decode(data)
        except CommitUnreadable:
            return  # of another version, or not an agent's
        interval = said.interval_seconds
        now = self._clock()
        before = self._heard.pop(agent_id, None)
        self._heard[agent_id] = Heard(now, now + timedelta(seconds=min(max(interval, 0.1), 3600) * MISSED_MAX), said)
        if len(self._heard) > AGENTS_REMEMBERED_MAX:
            del self._heard[next(iter(self._heard))]
        if before is None or before.silent_from < now or before.warnings != self._heard[agent_id].warnings:
            for tell in self._tell:
                tell(agent_id)
