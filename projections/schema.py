"""Where the views lie: one PostgreSQL schema per build, one of which is live, and the checkpoint of each.

A build is made beside the live one, from position 0, and takes its place in one statement (`activate`). So a change of the tables is
a new `SCHEMA_VERSION` and a build; no rows are ever migrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from headwater.core.errors import HeadwaterError
from headwater.core.log.commit import Position
from headwater.core.log.protocol import LogTail

SCHEMA_VERSION = 7
"""Raise it with every change of `schema.sql` or of the fold that changes rows: the next start rebuilds the views."""

# Advisory locks of PostgreSQL, held by a session: one projector writes at a time, the others wait for its session to end.
PROJECTOR_LOCK = 0x4877_0001
REBUILD_LOCK = 0x4877_0002
LOG_LINES_LOCK = 0x4877_0003

LIVE_CHANNEL = "headwater_live"
"""PostgreSQL's channel on which it is said that another build went live."""


class Fenced(HeadwaterError):
    """The checkpoint is not where this projector left it: another one moved it, or another build went live. Look again."""


@dataclass(frozen=True)
class Build:
    """One build of the views and its checkpoint."""

    schema: str
    version: int
    log_identity: str
    position: Position
    live: bool
    target: Position = 0


@cache
def _sql(name: str) -> str:
    return files("headwater.projections").joinpath(name).read_text()


async def create_meta_schema(db: Any) -> None:
    """Make what outlives every build, where it is not there."""
    async with db.transaction():
        # Two servers may start at once, and CREATE ... IF NOT EXISTS does not guard against that.
        await db.execute("SELECT pg_advisory_xact_lock($1)", PROJECTOR_LOCK + 0x100)
        await db.execute(_sql("meta_schema.sql"))


async def live_build(db: Any) -> Build | None:
    """Return the build that queries see, or None where none was ever finished."""
    row = await db.fetchrow("SELECT schema, version, log_identity, position, live, target FROM headwater.views WHERE live")
    return None if row is None else Build(**row)


async def create_build(db: Any, tail: LogTail) -> Build:
    """Make an empty build of this version for this log, not yet live, with its checkpoint at 0."""
    async with db.transaction():
        number = await db.fetchval("SELECT nextval('headwater.builds')")
        schema = f"headwater_v{SCHEMA_VERSION}_{number}"
        await db.execute(f"CREATE SCHEMA {schema}")
        await db.execute(f"SET LOCAL search_path TO {schema}")
        await db.execute(_sql("schema.sql"))
        statement = "INSERT INTO headwater.views (schema, version, log_identity, target) VALUES ($1, $2, $3, $4)"
        await db.execute(statement, schema, SCHEMA_VERSION, tail.identity, tail.position)
    return Build(schema, SCHEMA_VERSION, tail.identity, 0, live=False, target=tail.position)


async def write_into(db: Any, build: Build) -> None:
    """Let this connection's statements find the build's tables."""
    await db.execute(f"SET search_path TO {build.schema}")


async def move_checkpoint(db: Any, build: Build, *, seen: Position, reached: Position) -> None:
    """Move the build's checkpoint from `seen` to `reached`, in the transaction of the rows.

    Raises:
        Fenced: it is not at `seen`, or the build is live no longer.

    """
    statement = "UPDATE headwater.views SET position = $1 WHERE schema = $2 AND position = $3 AND live = $4"
    if await db.execute(statement, reached, build.schema, seen, build.live) != "UPDATE 1":
        raise Fenced(f"The checkpoint of {build.schema} is no longer at position {seen}.")


async def hold_live_checkpoint(db: Any) -> Build | None:
    """Return the live build and keep its checkpoint from moving until the transaction that is open here ends."""
    row = await db.fetchrow("SELECT schema, version, log_identity, position, live, target FROM headwater.views WHERE live FOR UPDATE")
    return None if row is None else Build(**row)


async def activate(db: Any, build: Build) -> None:
    """Let queries see this build instead of the one before: one statement."""
    await db.execute("UPDATE headwater.views SET live = (schema = $1) WHERE live OR schema = $1", build.schema)


async def drop_other_builds(db: Any, kept: Build) -> None:
    """Drop every build but this one: those it replaced, and those that were never finished."""
    for row in await db.fetch("SELECT schema FROM headwater.views WHERE schema <> $1", kept.schema):
        async with db.transaction():
            await db.execute(f"DROP SCHEMA IF EXISTS {row['schema']} CASCADE")
            await db.execute("DELETE FROM headwater.views WHERE schema = $1", row["schema"])
