"""The log lines of a run: from the stream they were shipped to, which is never behind, and where that has none left, from the views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from headwater.core.errors import ViewsUnavailable
from headwater.core.log.protocol import RecordedLines
from headwater.core.queries.rows import LogRow
from headwater.sdk.client.run_info import read_run

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient


async def read_logs(client: AsyncClient, run_id: str, *, min_level: int = 0) -> list[LogRow]:
    """Return the run's log lines of this level and above, in order.

    Raises:
        InvalidArgument, NotFound: there is no such run.

    """
    await read_run(client.log.events, run_id)
    found = [row for recorded in await client.log.logs.read(run_id) for row in rows_of(recorded)]
    if not found:
        try:
            found = await client.views.logs(run_id)
        except ViewsUnavailable:
            # The lines are too old for the stream, or there are none; only the views could tell.
            return []
    return [row for row in found if row.level >= min_level]


def rows_of(recorded: RecordedLines) -> Iterable[LogRow]:
    """Return the lines of one message as the rows that listings show."""
    for number, line in enumerate(recorded.lines):
        yield LogRow(
            run_id=recorded.run_id,
            attempt=recorded.attempt,
            at=line.at,
            level=line.level,
            logger=line.logger,
            message=line.message,
            task=line.task,
            map_index=line.map_index,
            position=recorded.position,
            line=number,
        )
