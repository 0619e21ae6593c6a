"""The views against the log, answered also while PostgreSQL or the log is away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headwater.core.errors import LogError, ViewsUnavailable
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, LogTail
from headwater.core.queries import RebuildProgress, SetAsideRow, ViewsStatusRow
from headwater.projections.database import DATABASE_ERRORS, in_words
from headwater.projections.dead_letters import kept_work_count
from headwater.projections.health import Health
from headwater.projections.reader import BUILD_GONE, ViewsReader
from headwater.projections.rebuilder import Rebuilder, running_rebuild
from headwater.projections.schema import SCHEMA_VERSION

_STATUS = """
SELECT v.schema, v.version, v.log_identity, (SELECT count(*) FROM set_aside) AS set_aside_count,
    (SELECT count(*) FROM headwater.log_dead_letters) AS log_dead_letters,
    coalesce((SELECT position FROM headwater.log_checkpoint), 0) AS log_lines_position
FROM headwater.views v WHERE v.live
"""
_DEAD_LETTERS = "SELECT position, subject, event, reason, recorded_at FROM set_aside ORDER BY position DESC LIMIT $1"


async def views_status(
    log: Log, reader: ViewsReader, rebuilder: Rebuilder, health: Sequence[Health], set_aside_limit: int
) -> ViewsStatusRow:
    """Return how far the views are, which dead letters there are, and what keeps them from following, if anything does."""
    problem = next((each.problem for each in health if each.problem is not None), None)
    try:
        tail = await log.events.tail()
    except LogError as error:
        tail, problem = LogTail("", 0), problem or f"The log cannot be read: {error}"
    try:
        try:
            found = await _from_database(reader, set_aside_limit)
        except BUILD_GONE:
            found = await _from_database(reader, set_aside_limit)
    except ViewsUnavailable as error:
        found, problem = {}, problem or f"The views cannot be read: {error.reason}"
    except DATABASE_ERRORS as error:
        found, problem = {}, problem or in_words(error)
    position: Position = found.pop("position", 0)
    rebuild: RebuildProgress | None = found.pop("rebuild", None) or rebuilder.progress
    base = ViewsStatusRow(
        schema="",
        schema_version=SCHEMA_VERSION,
        log_identity=tail.identity,
        position=position,
        log_position=tail.position,
        lag=max(0, tail.position - position),
        log_lines_position=0,
        set_aside_count=0,
        work_dead_letters=await kept_work_count(log),
        rebuild=rebuild,
        problem=problem,
    )
    return msgspec.structs.replace(base, **found)


async def _from_database(reader: ViewsReader, set_aside_limit: int) -> dict[str, Any]:
    async with reader.snapshot() as (db, position):
        row = await db.fetchrow(_STATUS)
        set_aside = await db.fetch(_DEAD_LETTERS, max(0, set_aside_limit))
        return {
            "position": position,
            "schema": row["schema"],
            "log_identity": row["log_identity"],
            "log_lines_position": row["log_lines_position"],
            "set_aside_count": row["set_aside_count"],
            "log_dead_letters": row["log_dead_letters"],
            "set_aside": tuple(SetAsideRow(**dict(each)) for each in set_aside),
            "rebuild": await running_rebuild(db),
        }
