"""A moment in the life of a log: a position, or a time by the log's own clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from headwater.core.errors import InvalidArgument
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, Recorded
from headwater.core.values.moments import assume_utc
from headwater.core.values.plain_values import position_in, shortened

Moment = Position | datetime | None
"""What was recorded up to and including this position, or this time; None stands for the log's end."""

OnProgress = Callable[[Position], None]
"""Hears from time to time how far the log has been read."""


def parse_moment(words: str, *, in_zone: Callable[[datetime], datetime] = assume_utc) -> Position | datetime:
    """Return the position (digits) or the time (ISO 8601) that the words name. `in_zone` gives one without a zone its own: UTC.

    Raises:
        InvalidArgument: they name neither.

    """
    stripped = words.strip()
    if stripped.isascii() and stripped.isdigit():
        if (position := position_in(stripped)) is None:
            raise InvalidArgument(f"{shortened(stripped)} is not a position: no log is that long.")
        return position
    try:
        time = datetime.fromisoformat(stripped)
    except ValueError:
        hint = "Give a position such as 1234, or a time such as 2026-11-21T08:00:00+00:00; `headwater events` shows both."
        raise InvalidArgument(f"{shortened(words)!r} is neither a position nor a time.", hint=hint) from None
    return in_zone(time)


def includes(moment: Moment, recorded: Recorded) -> bool:
    """Tell whether the commit had been recorded by then."""
    if moment is None:
        return True
    return recorded.recorded_at <= moment if isinstance(moment, datetime) else recorded.position <= moment


async def position_at(log: EventLog, moment: Moment) -> Position:
    """Return the position of the last commit that had been recorded by then, 0 where none had; looks at few of them.

    Raises:
        LogError: the log could not be read.

    """
    first, last = 0, (await log.tail()).position
    if not isinstance(moment, datetime):
        return last if moment is None else min(moment, last)
    while first < last:  # what is up to `first` had been recorded, what is beyond `last` had not
        middle = (first + last + 1) // 2
        looked_at = middle
        while looked_at > first and (found := await log.at(looked_at)) is None:
            looked_at -= 1  # a crash may have torn a hole
        if looked_at > first and found is not None and not includes(moment, found):
            last = looked_at - 1
        else:
            first = middle
    return first


async def recorded_until(log: EventLog, moment: Moment, *, after: Position = 0) -> AsyncIterator[Recorded]:
    """Yield every commit over `after` that had been recorded by then, in order."""
    tail = (await log.tail()).position
    until = min(moment, tail) if isinstance(moment, int) else tail
    if until <= after:
        return
    async for batch in log.read_all(after=after, until=until):
        for recorded in batch:
            if not includes(moment, recorded):
                return
            yield recorded
