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
        self._failures = 0

    def well(self) -> None:
        if self._failures:
            logger.info("%s goes on.", self.service)
        self.problem = None
        self._failures = 0

    def ill(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("%s waits: %s", self.service, problem)
        self.problem = problem

    async def wait_before_retry(self) -> None:
        """Wait a little, longer with every failure in a row, and never in step with others."""
        seconds = min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * 2 ** min(self._failures, 10))
        self._failures += 1
        await anyio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311
