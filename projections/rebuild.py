"""Building the views from position 0, beside the live ones, and letting them take their place in one statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.queries import RebuildProgress
from headwater.projections.apply import Applier
from headwater.projections.schema import (
    LIVE_CHANNEL,
    REBUILD_LOCK,
    Build,
    activate,
    create_build,
    hold_live_checkpoint,
    write_into,
)

BATCH_MAX = 2_000
"""Commits applied in one transaction."""

_NEAR = 2_000
"""A build this close to the log's tail is finished while the live views wait."""

_LARGE_TABLES = ("flow_versions", "flow_tasks", "runs", "run_counts", "run_states", "task_runs", "task_run_states", "cached_results")

OnProgress = Callable[[RebuildProgress], None]


async def build_views(db: Any, log: EventLog, on_progress: OnProgress = lambda _: None) -> Build:
    """Fold the whole log into a new build and make it the live one; return it. The build before it is left to be dropped.

    The caller holds REBUILD_LOCK on this connection, which nothing else uses. On errors the live views stay as they are, and what was
    begun is dropped by the next projector that starts.

    Raises:
        LogError: the log could not be read.
        DATABASE_ERRORS: the database could not do it.

    """
    tail = await log.tail()
    build = await create_build(db, tail)
    await write_into(db, build)
    applier = Applier(db, build)

    def progress(state: str) -> None:
        on_progress(RebuildProgress(schema=build.schema, state=state, position=applier.position, target=tail.position))

    progress("running")
    while applier.position < tail.position:
        before = applier.position
        await fold_up_to(applier, log, tail.position, lambda: progress("running"))
        newer = await log.tail()
        # Where nothing came, the log holds less than its tail says: its last positions have no commits.
        if newer.position - applier.position < _NEAR or applier.position == before:
            break
        tail = newer
    await db.execute(f"ANALYZE {', '.join(_LARGE_TABLES)}")  # or the first questions would be planned for empty tables
    async with db.transaction():
        live = await hold_live_checkpoint(db)
        if live is not None and live.log_identity == build.log_identity:
            # Readers have seen the live views at this position; the new ones must not be behind it.
            await fold_up_to(applier, log, live.position)
        await activate(db, build)
    progress("switched")
    return Build(build.schema, build.version, build.log_identity, applier.position, live=True)


async def fold_up_to(applier: Applier, log: EventLog, until: Position, on_batch: Callable[[], None] = lambda: None) -> None:
    """Apply everything up to this position; nothing where that is done already."""
    if applier.position >= until:
        return
    async for found in log.read_all(after=applier.position, until=until):
        for start in range(0, len(found), BATCH_MAX):
            await applier.apply(found[start : start + BATCH_MAX])
            on_batch()


async def announce_live(db: Any) -> None:
    """Tell projectors that another build is live. Give back REBUILD_LOCK first, so that they can drop the old one."""
    await db.execute("SELECT pg_advisory_unlock($1)", REBUILD_LOCK)
    await db.execute(f"NOTIFY {LIVE_CHANNEL}")
