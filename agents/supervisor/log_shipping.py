"""Carries what a run logs to the run's log: the first lines at once, then what has gathered, ten times a second."""

from __future__ import annotations

import logging
from collections import deque
from datetime import UTC, datetime

from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.failures import cut
from headwater.agents.retry import retry_until_available
from headwater.agents.supervisor.arrivals import Arrivals
from headwater.core.log.protocol import LogLine, RunLogs
from headwater.core.text import shown

SHIP_SECONDS = 0.1
GATHER_SECONDS = 0.01
"""A line rarely comes alone: so long the first one waits for its followers."""
LINES_MAX = 20_000
CHARACTERS_MAX = 16 * 1024 * 1024
"""How much may wait for the log while it is slow or away. What comes on top is dropped, and a line says how much."""

_TOO_FAST = "they came faster than they could be stored"
_log = logging.getLogger(__name__)


class LogShipper:
    """Takes the lines of one attempt of a run; `serve` ships them."""

    def __init__(self, logs: RunLogs, run_id: str, attempt: int, *, lines_max: int = LINES_MAX) -> None:
        self._logs = logs
        self._run_id = run_id
        self._attempt = attempt
        self._lines_max = lines_max
        self._lines: deque[LogLine] = deque()
        self._characters = 0
        self._dropped = 0
        self._arrivals = Arrivals()
        self._on_their_way = 0
        self._why = _TOO_FAST

    def add(self, line: LogLine) -> None:
        """Take a line; drop it where too many wait."""
        if len(self._lines) >= self._lines_max or self._characters + len(line.message) > CHARACTERS_MAX:
            self._dropped += 1
            return
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._lines.append(self._notice(dropped))
        self._lines.append(line)
        self._characters += len(line.message)
        self._arrivals.wake()

    def _notice(self, dropped: int) -> LogLine:
        message = f"{dropped} log lines are missing here: {self._why}."
        self._why = _TOO_FAST
        return LogLine(at=datetime.now(UTC), level=logging.WARNING, logger="headwater.logs", message=message)

    @property
    def left(self) -> int:
        """How many lines are not stored."""
        return len(self._lines) + self._dropped + self._on_their_way

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Ship what comes until cancelled. What the log does not take is counted, and a line tells of it."""
        with self._arrivals.served():
            task_status.started()
            while True:
                if not self._lines:
                    await self._arrivals.wait(gather_seconds=GATHER_SECONDS)
                    continue
                await self._ship()
                self._arrivals.note_written()
                await self._arrivals.pause(SHIP_SECONDS)

    async def _ship(self) -> None:
        lines = list(self._lines)
        self._lines.clear()
        self._characters = 0
        if self._dropped:
            lines.append(self._notice(self._dropped))
            self._dropped = 0
        self._on_their_way = len(lines)
        try:
            await retry_until_available(lambda: self._logs.write(self._run_id, self._attempt, lines), f"log of run {self._run_id}")
        except Exception as error:  # noqa: BLE001 - whatever it is: the lines that follow go on, and the run can end
            self._dropped += len(lines)
            self._why = f"they could not be stored: {cut(shown(error, str))}"
            _log.warning("%d log lines are lost, since %s", len(lines), self._why)
        self._on_their_way = 0

    async def flush_to_log(self) -> None:
        """Return when all that was logged so far is stored, or never will be: callers do not wait for what has ended."""
        if self._dropped and not self._lines:
            self._lines.append(self._notice(self._dropped))
            self._dropped = 0
            self._arrivals.wake()
        await self._arrivals.flush(lambda: not (self._lines or self._on_their_way))
