"""Retries of work that an outage of the log, or an unexpected error, has ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio

from headwater.core.errors import LogError

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0


async def retry_until_cancelled(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work until cancelled. Whatever ends it, it is begun again a moment later; `what` names it in the server's log.

    An unexpected error is logged with its traceback, once for as long as it is the same.
    """
    told = ""
    while True:
        try:
            await work()
        except LogError as error:
            logger.warning("%s waits: %s", what, error)
        except Exception as error:
            if told != (told := repr(error)):
                logger.exception("%s ended unexpectedly, and begins again", what)
        await anyio.sleep(RETRY_SECONDS)
