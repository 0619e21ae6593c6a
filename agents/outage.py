"""That the log takes nothing, as one agent knows it: told to people once when it begins and once when it is over, and waited for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from headwater.agents.perseverance import until_done
from headwater.core.errors import NoAnswer, OutcomeUnknown

T = TypeVar("T")


class Outage:
    """Whether the log takes what this agent has to record. `runs` counts those it holds; `show` takes the lines for people."""

    def __init__(self, runs: Callable[[], int], *, show: logging.Logger) -> None:
        self._runs = runs
        self._show = show
        self._began = anyio.Event()
        self._over = anyio.Event()
        self.reason = ""
        """Why the log takes nothing; empty where it does."""

    async def until_done(self, call: Callable[[], Awaitable[T]], what: str) -> T:
        """Call until the log does it, as `perseverance.until_done`, and say where that takes long."""
        return await until_done(call, what, listener=self)

    def waits(self, error: Exception) -> None:
        """Take note that the log did not take something."""
        if self.reason:
            return
        self.reason = reason_in(error)
        runs = self._runs()
        waits = "no runs are taken" if not runs else f"{runs} {'run waits' if runs == 1 else 'runs wait'} to record what happened"
        self._show.warning("The log takes nothing (%s): %s.", self.reason, waits)
        self._over = anyio.Event()
        self._began.set()

    def goes_on(self) -> None:
        """Take note that it took something."""
        if self.reason:
            self.reason = ""
            self._show.info("The log takes commits again.")
            self._began = anyio.Event()
            self._over.set()

    async def lasts(self, seconds: float) -> None:
        """Return when the log has taken nothing for so long."""
        while True:
            await self._began.wait()
            with anyio.move_on_after(seconds):
                await self._over.wait()
            if self.reason:
                return


def reason_in(error: Exception) -> str:
    """Return what is wrong with the log, as a part of a sentence."""
    match error:
        case OutcomeUnknown():
            return "it does not answer"
        case NoAnswer():
            return f"it does not answer: {error.reason}"
        case _:
            return str(error).rstrip(".")
