"""What follows from facts and is itself a command: a run that waits for an archived version is cancelled."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.aggregates import Author
from headwater.core.errors import HeadwaterError
from headwater.core.log.protocol import Log
from headwater.core.operations.runs import cancel_run
from headwater.projections.database import DATABASE_ERRORS, in_words
from headwater.projections.health import Health
from headwater.projections.projector import Applied
from headwater.projections.reader import ViewsReader, open_reader

logger = logging.getLogger("headwater.projections")

_CREATED_RUNS_MAX = 100_000
"""New runs remembered between two looks; beyond it, every waiting run is looked at."""

# A run that no agent ever took. One that was begun goes on to its end, also where it waits for its next attempt.
_WAITING = """
SELECT r.id, r.flow_id FROM flow_versions v JOIN runs r ON r.flow_id = v.id AND r.state = 'Scheduled' AND NOT r.held AND r.attempt = 0
WHERE v.archived
"""
_OF_FLOWS = f"{_WAITING} AND v.id = ANY($1::uuid[])"
_OF_RUNS = """
SELECT r.id, r.flow_id FROM runs r JOIN flow_versions v ON v.id = r.flow_id AND v.archived
WHERE r.id = ANY($1::uuid[]) AND r.state = 'Scheduled' AND NOT r.held AND r.attempt = 0
"""


@dataclass
class Archiver:
    """A service: cancels the runs that are still Scheduled on a version that takes no runs any more.

    Looks at all of them when it starts, and after each projected commit that archives a version or creates a run. Give `applied` to
    the projector of the same process. Two archivers may race: cancelling twice changes nothing.
    """

    log: Log
    database_url: str
    author: Author = field(default_factory=lambda: Author("server:archiver"))
    health: Health = field(default_factory=lambda: Health("The archiver"))
    _everything: bool = False
    _flows: set[str] = field(default_factory=set)
    _runs: set[str] = field(default_factory=set)
    _noted: anyio.Event = field(default_factory=anyio.Event)

    def applied(self, applied: Applied) -> None:
        """Note what to look at. A first report (of a projector that has just begun to follow) means: everything."""
        self._everything = self._everything or applied.first
        self._flows |= applied.archived_flows
        self._runs.update(applied.created_runs)
        if len(self._runs) > _CREATED_RUNS_MAX:
            self._runs.clear()
            self._everything = True
        if self._everything or self._flows or self._runs:
            self._noted.set()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        async with open_reader(self.database_url) as reader:
            task_status.started()
            while True:
                await self._noted.wait()
                self._noted = anyio.Event()
                everything, flows, runs = self._everything, self._flows, self._runs
                self._everything, self._flows, self._runs = False, set(), set()
                try:
                    await self._cancel_waiting(reader, everything=everything, flows=flows, runs=runs)
                except (HeadwaterError, *DATABASE_ERRORS) as error:
                    self.health.ill(str(error) if isinstance(error, HeadwaterError) else in_words(error))
                    await self.health.wait_before_retry()
                    self._everything = True
                    self._noted.set()
                else:
                    self.health.well()

    async def _cancel_waiting(self, reader: ViewsReader, *, everything: bool, flows: set[str], runs: set[str]) -> None:
        async with reader.snapshot() as (db, _):
            found = await _waiting(db, everything=everything, flows=flows, runs=runs)
        for run_id, flow_id in found:
            reason = f"Flow {flow_id} was archived."
            outcome = await cancel_run(self.log.events, self.log.queues, run_id, self.author, reason=reason)
            if outcome.changed:
                logger.info("Cancelled run %s: %s", run_id, reason)


async def _waiting(db: Any, *, everything: bool, flows: set[str], runs: set[str]) -> list[tuple[str, str]]:
    """Return the run and flow ids of runs that wait in vain."""
    rows: list[Any] = []
    if everything:
        rows += await db.fetch(_WAITING)
    else:
        rows += await db.fetch(_OF_FLOWS, list(flows)) if flows else []
        rows += await db.fetch(_OF_RUNS, list(runs)) if runs else []
    return list(dict.fromkeys((str(row["id"]), str(row["flow_id"])) for row in rows))
