"""Applying batches of commits to one build: fold in memory, write in bulk, move the checkpoint, all in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import asyncpg

from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded
from headwater.core.text import printable
from headwater.projections.database import is_of_the_moment
from headwater.projections.fold.batch import CannotApply, described, fold_batch, runs_needed, set_aside
from headwater.projections.fold.changes import Changes
from headwater.projections.fold.run_record import RunRecord
from headwater.projections.schema import Build, move_checkpoint
from headwater.projections.write import write, written

KNOWN_RUNS_MAX = 20_000
"""Runs held in memory between batches; over it, those that have ended are forgotten first."""

logger = logging.getLogger("headwater.projections")

_LOAD_RUNS = """
SELECT id, flow_group_id, project_id, created, created_position, name, state, state_message, scheduled_start_time, start_time, end_time,
    attempt, held, agent_id, agent_name, cancel_requested, failure, position
FROM runs WHERE id = ANY($1::uuid[])
"""


class Applier:
    """Applies batches to one build over one connection, whose search path is the build. After any error, make a new one."""

    def __init__(self, db: Any, build: Build) -> None:
        self._db = db
        self.build = build
        self.position: Position = build.position
        self._known: dict[str, RunRecord] = {}

    async def apply(self, batch: Sequence[Recorded]) -> Changes:
        """Apply the batch and move the checkpoint to its end. Returns what it changed.

        A commit that cannot be applied is set aside, and the others of the batch are applied.

        Raises:
            Fenced: somebody else moved the checkpoint; nothing was written.
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: the database could not do it; nothing was written.

        """
        reached = batch[-1].position
        try:
            changes = await self._write_at_once(batch, reached)
        except Exception as error:
            if is_of_the_moment(error):
                raise
            logger.info("A commit between positions %d and %d is looked for: %r", batch[0].position, reached, error)
            changes = await self._write_around_bad_commits(batch, reached)
        self.position = reached
        tell_of_dead_letters("commits", [(position, f"{subject}: {reason}") for position, subject, _, reason, _ in changes.set_aside])
        written(changes)
        self._forget_some()
        return changes

    async def _write_at_once(self, batch: Sequence[Recorded], reached: Position) -> Changes:
        async with self._db.transaction():
            changes = await self._fold_and_write(batch, self._known)
            await move_checkpoint(self._db, self.build, seen=self.position, reached=reached)
        return changes

    async def _fold_and_write(self, batch: Sequence[Recorded], known: dict[str, RunRecord]) -> Changes:
        if needed := runs_needed(batch, known):
            for row in await self._db.fetch(_LOAD_RUNS, needed):
                record = RunRecord.loaded(row)
                known[record.run_id] = record
        changes = fold_batch(batch, known)
        await write(self._db, changes)
        return changes

    async def _write_around_bad_commits(self, batch: Sequence[Recorded], reached: Position) -> Changes:
        self._known.clear()
        total = Changes()
        async with self._db.transaction():
            await self._halve(batch, total)
            await move_checkpoint(self._db, self.build, seen=self.position, reached=reached)
        return total

    async def _halve(self, batch: Sequence[Recorded], total: Changes) -> None:
        """Apply the batch in a savepoint of its own, or its halves one after the other, down to the commits that cannot be applied."""
        try:
            async with self._db.transaction():
                # What an undone savepoint leaves in memory is wrong, so each starts from the rows.
                changes = await self._fold_and_write(batch, {})
        except Exception as error:
            if is_of_the_moment(error):
                raise
            if len(batch) == 1:
                await self._set_aside(batch[0], _reason(error), total)
                return
            middle = len(batch) // 2
            await self._halve(batch[:middle], total)
            await self._halve(batch[middle:], total)
        else:
            total.archived_flows |= changes.archived_flows
            total.created_runs += changes.created_runs
            total.deleted_projects |= changes.deleted_projects
            total.set_aside += changes.set_aside

    async def _set_aside(self, recorded: Recorded, reason: str, total: Changes) -> None:
        changes = Changes()
        set_aside(changes, recorded, described(recorded), reason)
        await write(self._db, changes)
        total.set_aside += changes.set_aside

    def _forget_some(self) -> None:
        if len(self._known) > KNOWN_RUNS_MAX:
            self._known = {run_id: run for run_id, run in self._known.items() if run.end_time is None}
            if len(self._known) > KNOWN_RUNS_MAX // 2:
                self._known.clear()


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, (CannotApply, asyncpg.PostgresError)) else f"{type(error).__name__}: {error}"


def tell_of_dead_letters(kind: str, found: Sequence[tuple[Position, str]]) -> None:
    """Log that messages were set aside: one line, however many. What strangers wrote in them is only shown."""
    if found:
        position, words = found[0]
        others = f", and {len(found) - 1} more up to position {found[-1][0]}" if len(found) > 1 else ""
        logger.warning(
            "Set aside %s that cannot be applied: position %d, %s%s. `headwater projections dead-letters list` shows them.",
            kind,
            position,
            printable(words),
            others,
        )
