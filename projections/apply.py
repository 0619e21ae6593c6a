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
from headwater.projections.fold.batch import described, fold_batch, note_dead_letter, runs_to_load
from headwater.projections.fold.changes import CannotApply, Changes
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.load import load
from headwater.projections.schema import Build, move_checkpoint
from headwater.projections.write import mark_committed, write

KNOWN_RUNS_MAX = 20_000
"""Runs held in memory between batches; over it, those that have ended are forgotten first."""

KNOWN_TASK_RUNS_MAX = 200_000
"""Task runs of unfinished runs held in memory between batches; over it, all are forgotten."""

logger = logging.getLogger("headwater.projections")


class Applier:
    """Applies batches to one build over one connection, whose search path is the build. After any error, make a new one."""

    def __init__(self, db: Any, build: Build, *, known_task_runs_max: int = KNOWN_TASK_RUNS_MAX) -> None:
        self._db = db
        self.build = build
        self.position: Position = build.position
        self._known: dict[str, KnownRun] = {}
        self._task_runs_met = 0
        self._task_runs_max = known_task_runs_max

    async def apply(self, batch: Sequence[Recorded]) -> Changes:
        """Apply the batch and move the checkpoint to its end. Returns what it changed.

        A commit that cannot be applied becomes a dead letter, and the others of the batch are applied.

        Raises:
            Fenced: another projector moved the checkpoint; nothing was written.
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
        tell_of_dead_letters("commits", [(dead.position, f"{dead.subject}: {dead.reason}") for dead in changes.dead_letters])
        mark_committed(changes)
        self._forget_some(changes)
        return changes

    async def _write_at_once(self, batch: Sequence[Recorded], reached: Position) -> Changes:
        async with self._db.transaction():
            changes = await self._fold_and_write(batch, self._known)
            await move_checkpoint(self._db, self.build, seen=self.position, reached=reached)
        return changes

    async def _fold_and_write(self, batch: Sequence[Recorded], known: dict[str, KnownRun]) -> Changes:
        await load(self._db, runs_to_load(batch, known), known)
        changes = fold_batch(batch, known)
        await write(self._db, changes)
        return changes

    async def _write_around_bad_commits(self, batch: Sequence[Recorded], reached: Position) -> Changes:
        self._known.clear()
        total = Changes()
        async with self._db.transaction():
            await self._bisect(batch, total)
            await move_checkpoint(self._db, self.build, seen=self.position, reached=reached)
        return total

    async def _bisect(self, batch: Sequence[Recorded], total: Changes) -> None:
        """Apply the batch in a savepoint of its own, or its halves one after the other, down to the commits that cannot be applied."""
        try:
            async with self._db.transaction():
                # What an undone savepoint leaves in memory is wrong, so each starts from the rows.
                changes = await self._fold_and_write(batch, {})
        except Exception as error:
            if is_of_the_moment(error):
                raise
            if len(batch) == 1:
                await self._write_dead_letter(batch[0], _reason(error), total)
                return
            middle = len(batch) // 2
            await self._bisect(batch[:middle], total)
            await self._bisect(batch[middle:], total)
        else:
            total.archived_flows |= changes.archived_flows
            total.created_runs += changes.created_runs
            total.deleted_projects |= changes.deleted_projects
            total.dead_letters += changes.dead_letters

    async def _write_dead_letter(self, recorded: Recorded, reason: str, total: Changes) -> None:
        changes = Changes()
        note_dead_letter(changes, recorded, described(recorded), reason)
        await write(self._db, changes)
        total.dead_letters += changes.dead_letters

    def _forget_some(self, changes: Changes) -> None:
        """Keep in memory what later batches go on with: no task runs of runs that have ended, and not too much of all others."""
        for run in changes.runs.values():
            if run.head.ended:
                run.forget_task_runs()
        self._task_runs_met += len(changes.new_task_runs) + len(changes.changed_task_runs)
        if self._task_runs_met > self._task_runs_max:
            # Counted with every batch, they would cost more than the batch: only now is it known how many there are.
            self._task_runs_met = sum(len(run.task_runs) for run in self._known.values())
        if self._task_runs_met > self._task_runs_max:
            self._task_runs_met = 0
            for run in self._known.values():
                run.forget_task_runs()
        if len(self._known) > KNOWN_RUNS_MAX:
            self._known = {run_id: run for run_id, run in self._known.items() if not run.head.ended}
            if len(self._known) > KNOWN_RUNS_MAX // 2:
                self._known.clear()


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, (CannotApply, asyncpg.PostgresError)) else f"{type(error).__name__}: {error}"


def tell_of_dead_letters(kind: str, found: Sequence[tuple[Position, str]]) -> None:
    """Log that messages became dead letters: one line, however many. What strangers wrote in them is only shown."""
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
