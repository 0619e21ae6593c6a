"""Doing what must be done in the log, however long the log is away."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import anyio

from headwater.core.errors import LogFull, LogUnavailable, NoAnswer, OutcomeUnknown

T = TypeVar("T")

PAUSE_SECONDS_MIN = 0.1
PAUSE_SECONDS_MAX = 3.0
_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears that the log takes something, or does not."""

    def waits(self, error: Exception) -> None: ...

    def goes_on(self) -> None: ...


async def until_done(
    call: Callable[[], Awaitable[T]], what: str, *, tell: Callable[[str], None] = lambda _: None, listener: Listener | None = None
) -> T:
    """Call until the log does it, and return what it returned. What is called must be safe to repeat.

    `tell` gets a sentence for people, once, where it is not done the first time. `listener` hears of each time that it is not done, and
    then of the time that it is.

    Raises:
        HeadwaterError: the log answered, and refused.

    """
    pause = PAUSE_SECONDS_MIN
    while True:
        try:
            done = await call()
        except (LogUnavailable, OutcomeUnknown, LogFull, NoAnswer) as error:
            _log.debug("%s: %s; trying again", what, error)
            if pause == PAUSE_SECONDS_MIN:
                tell(f"This waits for the log: {what}. {error}")
            if listener is not None:
                listener.waits(error)
        else:
            if listener is not None and pause > PAUSE_SECONDS_MIN:
                listener.goes_on()
            return done
        await anyio.sleep(pause)
        pause = min(PAUSE_SECONDS_MAX, 2 * pause)
