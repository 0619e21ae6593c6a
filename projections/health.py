"""How the views fare, for those who ask while PostgreSQL cannot be asked; and the patience of services that live through outages."""

from __future__ import annotations

import logging
import random

import anyio

logger = logging.getLogger("headwater.projections")

BACK_OFF_SECONDS_MIN = 0.1
BACK_OFF_SECONDS_MAX = 5.0


class Health:
    """What keeps one service from its work, in words; None where nothing does. Says each change once in the server's log."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.problem: str | None = None
        self._told = False
        self._failures = 0
        self._well_since: float | None = None

    def well(self) -> None:
        if self._told:
            logger.info("%s goes on.", self.service)
        self._told = False
        self.problem = None
        if self._well_since is None:
            self._well_since = anyio.current_time()

    def ill(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("%s waits: %s", self.service, problem)
            self._told = True
        self.problem = problem

    async def wait_before_retry(self) -> None:
        """Wait a little, longer with every failure in a row, and never in step with others.

        Having been well for a moment between two failures does not make them fewer.
        """
        if self._well_since is not None and anyio.current_time() - self._well_since >= BACK_OFF_SECONDS_MAX:
            self._failures = 0
        self._well_since = None
        seconds = min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * 2 ** min(self._failures, 10))
        self._failures += 1
        await anyio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311
