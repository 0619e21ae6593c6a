"""Policies: commands that follow from facts, such as cancelling the runs of an archived flow.

When a version of a flow is archived, the runs that still wait on it are cancelled; running ones go on. When a project is deleted, its
flows are deleted and all its unfinished runs are cancelled.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.aggregates import Actor
from headwater.core.errors import HeadwaterError
from headwater.core.events import CancelCause
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.projections.database import DATABASE_ERRORS, in_words
from headwater.projections.health import Health
from headwater.projections.projector import Applied
from headwater.projections.reader import ViewsReader, open_reader

logger = logging.getLogger("headwater.projections")

Why = tuple[CancelCause, str]
"""What programs go by, and a sentence for people."""

_CREATED_RUNS_MAX = 100_000
"""New runs remembered between two looks; beyond it, every waiting run is looked at."""

# A run that no agent ever took. One that was begun goes on to its end, also where it waits for its next attempt.
_WAITING_ON_ARCHIVED = """
SELECT r.id, r.flow_id, g.name AS flow, g.deleted AS flow_deleted, p.name AS project, p.deleted AS project_deleted
FROM flow_versions v JOIN runs r ON r.flow_id = v.id AND r.state = 'Scheduled' AND NOT r.held AND r.attempt = 0
LEFT JOIN flow_groups g ON g.id = v.flow_group_id LEFT JOIN projects p ON p.id = r.project_id
WHERE v.archived AND ($1::uuid[] IS NULL OR v.id = ANY($1::uuid[]))
"""
_OF_DELETED_PROJECTS = """
SELECT r.id, r.flow_id, r.flow_name AS flow, false AS flow_deleted, p.name AS project, p.deleted AS project_deleted
FROM projects p JOIN runs r ON r.project_id = p.id AND r.state = ANY('{Scheduled,Submitted,Running,Paused}')
WHERE p.deleted AND ($1::uuid[] IS NULL OR p.id = ANY($1::uuid[]))
"""
_CREATED_TOO_LATE = """
SELECT r.id, r.flow_id, g.name AS flow, g.deleted AS flow_deleted, p.name AS project, p.deleted AS project_deleted
FROM runs r JOIN flow_versions v ON v.id = r.flow_id
LEFT JOIN flow_groups g ON g.id = v.flow_group_id LEFT JOIN projects p ON p.id = r.project_id
WHERE r.id = ANY($1::uuid[]) AND r.state = 'Scheduled' AND NOT r.held AND r.attempt = 0 AND (v.archived OR p.deleted)
"""
_FLOWS_OF_DELETED_PROJECTS = """
SELECT g.id, p.name AS project FROM flow_groups g JOIN projects p ON p.id = g.project_id
WHERE p.deleted AND NOT g.deleted AND ($1::uuid[] IS NULL OR p.id = ANY($1::uuid[]))
"""


@dataclass
class Findings:
    """What to look at. With `everything`, all that the views hold; otherwise what these changes may have led to."""

    everything: bool = False
    archived_flows: set[str] = field(default_factory=set)
    deleted_projects: set[str] = field(default_factory=set)
    created_runs: set[str] = field(default_factory=set)

    def add(self, applied: Applied) -> None:
        self.archived_flows |= applied.archived_flows
        self.deleted_projects |= applied.deleted_projects
        self.created_runs.update(applied.created_runs)
        self.everything = self.everything or applied.first or len(self.created_runs) > _CREATED_RUNS_MAX
        if self.everything:
            self.created_runs.clear()

    def __bool__(self) -> bool:
        return self.everything or bool(self.archived_flows or self.deleted_projects or self.created_runs)


@dataclass
class CancelArchivedRuns:
    """A service: cancels runs that no agent may start any more.

    It looks at all of them when the projector begins to follow, and at those concerned after each projected commit that archives a
    version, deletes a project or creates a run: what it does follows from the rows alone, so nothing is forgotten by a crash. Give
    `applied` to the projector of the same process. Two archivers may race: cancelling twice changes nothing.
    """

    log: Log
    database_url: str
    actor: Actor = field(default_factory=lambda: Actor("server"))
    health: Health = field(default_factory=lambda: Health("The archiver"))
    _findings: Findings = field(default_factory=Findings)
    _noted: anyio.Event = field(default_factory=anyio.Event)

    def applied(self, applied: Applied) -> None:
        """Note what to look at."""
        self._findings.add(applied)
        if self._findings:
            self._noted.set()

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        async with open_reader(self.database_url) as reader:
            task_status.started()
            while True:
                await self._noted.wait()
                self._noted = anyio.Event()
                findings, self._findings = self._findings, Findings()
                try:
                    await self._react(reader, findings)
                except (HeadwaterError, *DATABASE_ERRORS) as error:
                    self.health.failing(str(error) if isinstance(error, HeadwaterError) else in_words(error))
                    await self.health.wait_before_retry()
                    self._findings.everything = True
                    self._noted.set()
                else:
                    self.health.healthy()

    async def _react(self, reader: ViewsReader, findings: Findings) -> None:
        async with reader.snapshot() as (db, _):
            flows, runs = await _to_do(db, findings)
        for group_id, project in flows.items():
            await Headwater(self.log, self.actor).flows.delete(group_id, reason=_project_was_deleted(project))
        for run_id, (cause, reason) in runs.items():
            outcome = await Headwater(self.log, self.actor).runs.cancel(run_id, reason=reason, cause=cause)
            if outcome.changed:
                logger.info("Cancelled run %s: %s", run_id, reason)


async def _to_do(db: Any, findings: Findings) -> tuple[dict[str, str], dict[str, Why]]:
    """Return the flow groups to delete, each with the name of its project, and the runs to cancel, each with why."""

    async def found(statement: str, ids: set[str]) -> dict[str, Mapping[str, Any]]:
        if not ids and not findings.everything:
            return {}
        return {str(row["id"]): row for row in await db.fetch(statement, None if findings.everything else list(ids))}

    flows = await found(_FLOWS_OF_DELETED_PROJECTS, findings.deleted_projects)
    runs = await found(_OF_DELETED_PROJECTS, findings.deleted_projects) | await found(_WAITING_ON_ARCHIVED, findings.archived_flows)
    if not findings.everything:
        runs |= await found(_CREATED_TOO_LATE, findings.created_runs)
    return {group_id: row["project"] for group_id, row in flows.items()}, {run_id: why_cancelled(row) for run_id, row in runs.items()}


def why_cancelled(row: Mapping[str, Any]) -> Why:
    """Return why the run of this row is to end. A deleted project takes its flows along, and a deleted flow its versions."""
    if row["project_deleted"]:
        return CancelCause.PROJECT_DELETED, _project_was_deleted(row["project"])
    if row["flow_deleted"]:
        return CancelCause.FLOW_DELETED, f"Flow {row['flow']} was deleted."
    return CancelCause.FLOW_ARCHIVED, f"Flow {row['flow_id']} was archived."


def _project_was_deleted(name: str) -> str:
    return f"Project {name} was deleted."
