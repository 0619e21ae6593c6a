"""Asking the server to rebuild the views, and following how far it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import anyio

from headwater.core.errors import CommitUnreadable, ViewsUnavailable
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.protocol import LiveMessage, Log
from headwater.core.queries import RebuildProgress
from headwater.core.queries.views_client import ViewsClient

_LOOK_SECONDS = 2.0
"""Progress is announced at most once; after so long without news the server is asked."""

_decode = message_decoder(RebuildProgress)


async def rebuild_views(log: Log, on_progress: Callable[[RebuildProgress], None] = lambda _: None) -> RebuildProgress:
    """Have the server rebuild all views beside the live ones; return when they took their place.

    `on_progress` is called with every news, the last of them with state "switched".

    Raises:
        ViewsUnavailable: no server answers, a rebuild is under way already, or it failed; the live views stay as they were.

    """
    views = ViewsClient(log)
    async with log.subscribe(subjects.REBUILD_PROGRESS) as announcements:
        progress = await _to_its_end(views, announcements, await views.start_rebuild(), on_progress)
    if progress.state == "failed":
        raise ViewsUnavailable(f"the rebuild failed: {progress.reason}")
    return progress


async def follow_rebuild(log: Log, on_progress: Callable[[RebuildProgress], None] = lambda _: None) -> RebuildProgress | None:
    """Follow the rebuild that is under way and return how it ended, or how the last one did; None where there was none.

    Raises:
        ViewsUnavailable: no server answers.

    """
    views = ViewsClient(log)
    async with log.subscribe(subjects.REBUILD_PROGRESS) as announcements:
        progress = (await views.status()).rebuild
        return None if progress is None else await _to_its_end(views, announcements, progress, on_progress)


async def _to_its_end(
    views: ViewsClient, announcements: AsyncIterator[LiveMessage], progress: RebuildProgress, on_progress: Callable[[RebuildProgress], None]
) -> RebuildProgress:
    on_progress(progress)
    while progress.state == "running":
        newer = await _announced(announcements) or (await views.status()).rebuild
        if newer is not None and newer.schema == progress.schema and newer != progress:
            progress = newer
            on_progress(progress)
    return progress


async def _announced(announcements: AsyncIterator[LiveMessage]) -> RebuildProgress | None:
    """Return the next announcement, or None where none comes or it cannot be read."""
    with anyio.move_on_after(_LOOK_SECONDS):
        try:
            return _decode((await anext(announcements)).data)
        except CommitUnreadable:
            return None
    return None
