"""Processes that cannot be started on this machine: while that lasts, the agent takes one run at a time, after pauses that grow."""

from __future__ import annotations

import logging

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.agents.agent.capacity import Capacity

PAUSE_SECONDS_MIN = 1.0
PAUSE_SECONDS_MAX = 60.0


class StartFailures:
    """Whether this agent can start processes. `console_log` takes the lines for people: one when it begins, one when it is over."""

    def __init__(self, agent_name: str, capacity: Capacity, *, console_log: logging.Logger) -> None:
        self._agent_name = agent_name
        self._capacity = capacity
        self._console_log = console_log
        self.pause_seconds = PAUSE_SECONDS_MIN
        self._pausing = anyio.Event()
        self._room = anyio.Event()
        self.times = 0
        """How often a process could not be started."""
        self.words = ""
        """Why no process can be started, as a sentence without its point; empty where they can."""

    def found(self, reason: str) -> str:
        """Take note that a process could not be started, take no runs for a while, and return the words for it."""
        words = f"agent {self._agent_name!r} cannot start processes: {reason}"
        if not self.words:
            self._console_log.error(
                "No process can be started here: %s. Runs are given back, and taken again after pauses that grow.", reason
            )
        self.words = words
        self.times += 1
        self._capacity.pause()
        self._pausing.set()
        return words

    def over(self, times: int) -> None:
        """Take note that a process runs whose start was asked for when `times` was this: nothing failed since."""
        if self.words and times == self.times:
            self._console_log.info("Processes can be started again: runs are taken.")
            self.words = ""
            self.pause_seconds = PAUSE_SECONDS_MIN
            self._capacity.resume()

    def made_room(self) -> None:
        """Take note that a process has ended, whose place another may take: no pause need last longer."""
        self._room.set()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Let one run be tried after each pause, until cancelled."""
        task_status.started()
        while True:
            await self._pausing.wait()
            self._room = anyio.Event()
            with anyio.move_on_after(self.pause_seconds):
                await self._room.wait()
            self.pause_seconds = min(PAUSE_SECONDS_MAX, 2 * self.pause_seconds)
            self._pausing = anyio.Event()
            if self.words:
                self._capacity.resume(one_at_a_time=True)
