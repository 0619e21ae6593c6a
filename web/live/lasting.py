"""Living through outages of the log: what a failing log ended is begun again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio

from headwater.core.errors import LogError

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


async def through_outages(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work until cancelled. Where the log fails under it, it is begun again a moment later; `what` names it in the server's log."""
    while True:
        try:
            await work()
        except LogError as error:
            logger.warning("%s waits: %s", what, error)
        await anyio.sleep(RETRY_SECONDS)
