"""Doing what must be done in the log, however long the log is away."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import anyio

from headwater.core.errors import LogFull, LogUnavailable, OutcomeUnknown, RequestTimeout

T = TypeVar("T")

PAUSE_SECONDS_MIN = 0.1
PAUSE_SECONDS_MAX = 3.0
_log = logging.getLogger(__name__)


class RetryListener(Protocol):
    """Who hears that the log takes something, or does not."""

    def failed(self, error: Exception) -> None: ...

    def recovered(self) -> None: ...


async def retry_until_available(call: Callable[[], Awaitable[T]], what: str, *, listener: RetryListener | None = None) -> T:
    """Call until the log does it, and return what it returned. What is called must be safe to repeat.

    `listener` hears of each time that it is not done, and then of the time that it is.

    Raises:
        HeadwaterError: the log answered, and refused.

    """
    pause = PAUSE_SECONDS_MIN
    while True:
        try:
            done = await call()
        except (LogUnavailable, OutcomeUnknown, LogFull, RequestTimeout) as error:
            _log.debug("%s: %s; trying again", what, error)
            if listener is not None:
                listener.failed(error)
        else:
            if listener is not None and pause > PAUSE_SECONDS_MIN:
                listener.recovered()
            return done
        await anyio.sleep(pause)
        pause = min(PAUSE_SECONDS_MAX, 2 * pause)
