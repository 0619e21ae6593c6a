"""The outage of the log, as an agent and its runs know it: reported to users once when it begins and once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from headwater.agents.log_trouble import log_trouble
from headwater.agents.retry import retry_until_available

T = TypeVar("T")


class Outage:
    """Whether the log takes what this agent and its runs have to record.

    `runs` counts the runs that the agent holds; `console_log` takes lines for people.
    """

    def __init__(self, runs: Callable[[], int], *, console_log: logging.Logger) -> None:
        self._runs = runs
        self._console_log = console_log
        self._waiting: set[Waiting] = set()
        self._began = anyio.Event()
        self._over = anyio.Event()

    async def retry_until_available(self, call: Callable[[], Awaitable[T]], what: str) -> T:
        """Call until the log does it, as `retry.retry_until_available`, and say where that takes long."""
        waiting = Waiting(self)
        try:
            return await retry_until_available(call, what, listener=waiting)
        finally:
            waiting.end()

    def begin(self, waiting: Waiting, reason: str) -> None:
        if not self._waiting:
            runs = self._runs()
            waits = "no runs are taken" if not runs else f"{runs} {'run waits' if runs == 1 else 'runs wait'} to record what happened"
            self._console_log.warning("The log takes nothing (%s): %s.", reason, waits)
            self._over = anyio.Event()
            self._began.set()
        self._waiting.add(waiting)

    def end(self, waiting: Waiting, *, recovered: bool) -> None:
        if waiting in self._waiting:
            self._waiting.discard(waiting)
            if not self._waiting:
                self._began = anyio.Event()
                self._over.set()
                if recovered:
                    self._console_log.info("The log takes commits again.")

    async def lasts(self, seconds: float) -> None:
        """Return when the log has taken nothing for so long."""
        while True:
            await self._began.wait()
            with anyio.move_on_after(seconds):
                await self._over.wait()
            if self._waiting:
                return


class Waiting:
    """One that has something for the log to take: one call, the heartbeat, one run's process."""

    def __init__(self, outage: Outage) -> None:
        self._outage = outage

    def failed(self, error: Exception) -> None:
        """The log did not take it."""
        self._outage.begin(self, log_trouble(error))

    def recovered(self) -> None:
        """The log took it."""
        self._outage.end(self, recovered=True)

    def reported(self, reason: str) -> None:
        """It says itself that the log takes nothing, for this reason, or does again (for none)."""
        if reason:
            self._outage.begin(self, reason)
        else:
            self.recovered()

    def end(self) -> None:
        """It has nothing any more."""
        self._outage.end(self, recovered=False)
