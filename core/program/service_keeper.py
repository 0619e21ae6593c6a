"""Keeping parts of a program running: what ends by an unexpected error is started again, alone, and logged."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.errors import CommitUnreadable, HeadwaterError
from headwater.core.program.concurrency import Service
from headwater.core.program.exception_groups import unwrap_exception_group

logger = logging.getLogger(__name__)

_SETTLED_SECONDS = 3.0


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait before what died is started again: at once, then doubling, until it has proven itself."""

    first_delay_seconds: float = 0.1
    delay_seconds_max: float = 10.0
    proven_after_seconds: float = 60.0

    def delay_seconds(self, failures: int) -> float:
        """The wait after this many deaths in a row, none of which came after it had proven itself."""
        if failures <= 1:
            return 0.0
        doublings = min(failures - 2, 32)  # beyond that the maximum holds anyway
        return min(self.first_delay_seconds * 2.0**doublings, self.delay_seconds_max)


class Parts:
    """Which parts of a program run now, and why one does not."""

    def __init__(self) -> None:
        self._problems: dict[str, str | None] = {}

    def runs(self, name: str) -> None:
        """Note that a part is ready."""
        self._problems[name] = None

    def away(self, name: str, why: str) -> None:
        """Note that a part does not run."""
        self._problems[name] = why

    @property
    def problems(self) -> dict[str, str]:
        """The parts that do not run, each with the reason."""
        return {name: why for name, why in self._problems.items() if why is not None}

    @property
    def running(self) -> dict[str, bool]:
        """Every part, and whether it runs."""
        return {name: why is None for name, why in self._problems.items()}


class ServiceKeeper:
    """A service that keeps another one running, which `make` makes for each start.

    What ends it is logged once, with its traceback, for each place it comes from; then it is started again, at once and after pauses that
    grow. Others are not disturbed. `name` is how people know the part, such as "projector".

    An error that we raise on purpose before the part was ready for the first time is raised by `serve`: a wrong setting is not cured by
    trying again. Any other unexpected error, and the part counts as started though it is away (`parts` tells): the others need not die
    of it.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Service],
        parts: Parts,
        *,
        restart: RestartPolicy | None = None,
    ) -> None:
        self._name = name
        self._make = make
        self._parts = parts
        self._restart = restart or RestartPolicy(first_delay_seconds=0.5)
        self._told: set[tuple[Any, ...]] = set()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Keep the service running until cancelled; ready when it was for the first time, or has died before."""
        ready = _Once(task_status)
        failures = 0
        while True:
            started_at = anyio.current_time()
            try:
                with unwrap_exception_group():
                    await self._run(ready, settle_seconds=_SETTLED_SECONDS if failures > 1 else 0.0)
                why = "it ended by itself"
                logger.error("The %s ended by itself", self._name)
            except Exception as error:
                if isinstance(error, HeadwaterError) and not isinstance(error, CommitUnreadable) and not ready.reported:
                    raise
                why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                self._tell(error)
            proven = anyio.current_time() - started_at >= self._restart.proven_after_seconds
            failures = 1 if proven else failures + 1
            delay = self._restart.delay_seconds(failures)
            self._parts.away(self._name, f"It ended unexpectedly ({' '.join(why.split())}), and is started again.")
            ready.report()
            await anyio.sleep(delay)

    async def _run(self, ready: _Once, *, settle_seconds: float) -> None:
        """Run the service to its end. One that has died again and again counts as away until it has lived for a while."""
        async with anyio.create_task_group() as group:
            ended = anyio.Event()

            async def run(*, task_status: TaskStatus[None]) -> None:
                await self._make().serve(task_status=task_status)
                ended.set()

            await group.start(run)
            again = ready.reported
            if settle_seconds:
                with anyio.move_on_after(settle_seconds):
                    await ended.wait()
                    return
            self._parts.runs(self._name)
            ready.report()
            if again:
                logger.warning("The %s runs again", self._name)
            await ended.wait()

    def _tell(self, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        place = (type(error), *((frame.filename, frame.lineno) for frame in frames[-3:]))
        if place in self._told:
            logger.error("The %s ended unexpectedly once more: %s: %s", self._name, type(error).__name__, error)
            return
        self._told.add(place)
        logger.error("The %s ended unexpectedly, and is started again", self._name, exc_info=error)


class _Once:
    """Reports readiness the first time it is asked to."""

    def __init__(self, task_status: TaskStatus[None]) -> None:
        self._task_status = task_status
        self.reported = False

    def report(self) -> None:
        if not self.reported:
            self.reported = True
            self._task_status.started()
