"""The health of the views, known also while PostgreSQL is away; and the back-off of services that live through outages."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from anyio.abc import TaskGroup

logger = logging.getLogger("headwater.projections")

BACK_OFF_SECONDS_MIN = 0.1
BACK_OFF_SECONDS_MAX = 5.0
QUIET_SECONDS = 1.0
"""Where nothing is to be written for so long, nothing fails to be."""


class Health:
    """What keeps one service from its work, in words; None where nothing does. Says each change once in the server's log."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.problem: str | None = None
        self._told = False
        self._failures = 0
        self._healthy_since: float | None = None
        self._unwritten = False

    def healthy(self) -> None:
        if self._told:
            logger.info("%s goes on.", self.service)
        self._told = False
        self.problem = None
        if self._healthy_since is None:
            self._healthy_since = anyio.current_time()

    def failing(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("%s waits: %s", self.service, problem)
            self._told = True
        self.problem = problem

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be healthy when what the block writes is written; until then, having begun again is not a sign of it."""
        self._unwritten = True
        yield
        self._unwritten = False
        self.healthy()

    def follows(self, group: TaskGroup) -> None:
        """Be healthy, now that the log is followed; where something could not be written, as on a full disk, when it is, or in quiet."""
        if self._unwritten:
            group.start_soon(self._healthy_when_quiet)
        else:
            self.healthy()

    async def _healthy_when_quiet(self) -> None:
        await anyio.sleep(QUIET_SECONDS)
        self.healthy()

    async def wait_before_retry(self) -> None:
        """Wait a little, longer with every failure in a row, and never in step with others.

        Having been healthy for a moment between two failures does not make them fewer.
        """
        if self._healthy_since is not None and anyio.current_time() - self._healthy_since >= BACK_OFF_SECONDS_MAX:
            self._failures = 0
        self._healthy_since = None
        seconds = min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS_MIN * 2 ** min(self._failures, 10))
        self._failures += 1
        await anyio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311
