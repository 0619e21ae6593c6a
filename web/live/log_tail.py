"""The log lines of runs whose pages are open: each run is followed once, however many look at it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from anyio import CancelScope
from anyio.abc import TaskGroup

from headwater.core.log.commit import Position
from headwater.core.log.protocol import RecordedLines, RunLogs
from headwater.web.live.retry import retry_until_cancelled
from headwater.web.live.watched import ChangeSignal

MESSAGES_KEPT_MAX = 400


class RunTail:
    """The newest messages of one run's log, all after `begins`. Who needs older ones reads them from the log."""

    def __init__(self, logs: RunLogs, run_id: str, begins: Position) -> None:
        self._logs = logs
        self._run_id = run_id
        self._begins = begins
        self._newest: deque[RecordedLines] = deque()
        self.watchers: set[ChangeSignal] = set()
        self.scope = CancelScope()

    async def follow(self) -> None:
        """Follow the run's log until cancelled."""
        with self.scope:
            await retry_until_cancelled("A log that is looked at", self._follow)

    async def _follow(self) -> None:
        after = self._newest[-1].position if self._newest else self._begins
        async with self._logs.follow(self._run_id, after=after) as batches:
            async for batch in batches:
                self._add(batch)

    def _add(self, batch: Sequence[RecordedLines]) -> None:
        self._newest.extend(batch)
        while len(self._newest) > MESSAGES_KEPT_MAX:
            self._begins = self._newest.popleft().position
        for watcher in self.watchers:
            watcher.set()

    async def after(self, position: Position) -> Sequence[RecordedLines]:
        """Return the messages after this position, as far as they came."""
        if position < self._begins:
            return await self._logs.read(self._run_id, after=position)
        return [message for message in self._newest if message.position > position]


class RunTails:
    """The runs whose logs are followed now."""

    def __init__(self, logs: RunLogs, group: TaskGroup) -> None:
        self._logs = logs
        self._group = group
        self._tails: dict[str, RunTail] = {}

    def wake_all(self) -> None:
        """Wake every subscriber to a log: the server ends."""
        for tail in self._tails.values():
            for watcher in tail.watchers:
                watcher.set()

    @contextmanager
    def watch(self, run_id: str, after: Position, wake: ChangeSignal) -> Iterator[RunTail]:
        """Follow the run's log while the block runs; `wake` is set when there may be something new."""
        tail = self._tails.get(run_id)
        if tail is None:
            tail = self._tails[run_id] = RunTail(self._logs, run_id, after)
            self._group.start_soon(tail.follow)
        tail.watchers.add(wake)
        try:
            yield tail
        finally:
            tail.watchers.discard(wake)
            if not tail.watchers:
                tail.scope.cancel()
                del self._tails[run_id]
