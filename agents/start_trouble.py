"""That processes cannot be started here: for as long as it lasts, the agent takes no runs but one, after pauses that grow."""

from __future__ import annotations

import logging

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.slots import Slots

PAUSE_SECONDS_MIN = 1.0
PAUSE_SECONDS_MAX = 60.0


class StartTrouble:
    """Whether this agent can start processes. `show` takes the lines for people: one when it begins, one when it is over."""

    def __init__(self, agent_name: str, slots: Slots, *, show: logging.Logger) -> None:
        self._agent_name = agent_name
        self._slots = slots
        self._show = show
        self._pause_seconds = PAUSE_SECONDS_MIN
        self._pausing = anyio.Event()
        self.times = 0
        """How often a process could not be started."""
        self.words = ""
        """Why no process can be started, as a sentence without its point; empty where they can."""

    def found(self, reason: str) -> str:
        """Take note that a process could not be started, take no runs for a while, and return the words for it."""
        words = f"agent {self._agent_name!r} cannot start processes: {reason}"
        if not self.words:
            self._show.error("No process can be started here: %s. Runs are given back, and taken again after pauses that grow.", reason)
        self.words = words
        self.times += 1
        self._slots.pause()
        self._pausing.set()
        return words

    def over(self, times: int) -> None:
        """Take note that a process runs whose start was asked for when `times` was this: nothing failed since."""
        if self.words and times == self.times:
            self._show.info("Processes can be started again: runs are taken.")
            self.words = ""
            self._pause_seconds = PAUSE_SECONDS_MIN
            self._slots.resume()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Let one run be tried after each pause, until cancelled."""
        task_status.started()
        while True:
            await self._pausing.wait()
            await anyio.sleep(self._pause_seconds)
            self._pause_seconds = min(PAUSE_SECONDS_MAX, 2 * self._pause_seconds)
            self._pausing = anyio.Event()
            if self.words:
                self._slots.resume(one_at_a_time=True)
