"""What the database holds of views, asked before anything is built on it or dropped from it."""

from __future__ import annotations

import anyio
import asyncpg

from headwater.projections.database import connect
from headwater.projections.schema import Build, live_build

_SECONDS = 5.0


async def kept_views(database_url: str) -> Build | None:
    """Return the live views that the database holds; None where it holds none.

    Raises:
        DATABASE_ERRORS: it cannot be asked.

    """
    with anyio.fail_after(_SECONDS):
        async with connect(database_url, name="start") as db:
            try:
                return await live_build(db)
            except asyncpg.UndefinedTableError:
                return None
