"""Values that runs kept on this machine, for their next attempts: removed when the runs have ended long ago."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import anyio
from anyio import TASK_STATUS_IGNORED, to_thread
from anyio.abc import TaskStatus

from headwater.core.aggregates import utc_now
from headwater.core.errors import InvalidArgument, LogError, NotFound
from headwater.core.log.protocol import EventLog
from headwater.core.operations.run_lookup import load_run
from headwater.core.values.identifiers import parsed_uuid

TIDY_SECONDS = 6 * 3600.0
_VALUES = "values-*"

_log = logging.getLogger(__name__)


class CheckpointCleanup:
    """A service: looks through `folder` now and then, and removes what belongs to runs that ended more than `days` ago.

    Results that flows keep there by their own wish stay, and so does what belongs to runs of another log. With 0 days all stays.
    """

    def __init__(self, events: EventLog, folder: Path, days: float, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._events = events
        self._folder = folder
        self._days = days
        self._clock = clock

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        task_status.started()
        while self._days:
            try:
                await self.tidy()
            except (OSError, RuntimeError) as error:
                # A folder that is not ours to change, a disk that went away, no thread to be had: nothing that runs depends on it.
                _log.warning("Values of runs that ended long ago could not be removed: %s. It is tried again later.", error)
            await anyio.sleep(TIDY_SECONDS)

    async def tidy(self) -> int:
        """Remove what is to be removed now; return of how many runs."""
        before = self._clock() - timedelta(days=self._days)
        removed = 0
        for run_folder in await to_thread.run_sync(_untouched_since, self._folder, before, abandon_on_cancel=True):
            if await self._ended_before(run_folder.name, before):
                await to_thread.run_sync(_remove, run_folder)
                removed += 1
        return removed

    async def _ended_before(self, run_id: str, before: datetime) -> bool:
        try:
            run = (await load_run(self._events, run_id)).state
        except (NotFound, InvalidArgument):
            return False
        except LogError as error:
            _log.debug("Whether run %s has ended cannot be determined now: %s", run_id, error)
            return False
        return run.ended_at is not None and run.ended and run.ended_at < before


def _untouched_since(folder: Path, before: datetime) -> list[Path]:
    """Return the folders of runs in whose files nothing was written since."""
    found: list[Path] = []
    for run_folder in folder.glob("*/*"):
        with suppress(InvalidArgument, OSError):  # not a run's, or being removed by another agent
            parsed_uuid(run_folder.name, kind="run id")
            values = list(run_folder.glob(_VALUES))
            if values and all(each.stat().st_mtime < before.timestamp() for each in values):
                found.append(run_folder)
    return found


def _remove(run_folder: Path) -> None:
    for each in run_folder.glob(_VALUES):
        each.unlink(missing_ok=True)
    for folder in (run_folder, run_folder.parent):
        with suppress(OSError):  # something else is in it
            folder.rmdir()
