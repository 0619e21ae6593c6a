"""Cron expressions: which times of day they name. What that means in a time zone is `headwater.core.calendar.wall_clock`'s."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from headwater.core.errors import InvalidArgument

_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def cron_fields(expression: object) -> list[str]:
    """Return the fields of the expression, five or six, in capitals; those that a word such as `@daily` stands for.

    Raises:
        InvalidArgument: they are more or fewer.

    """
    text = str(expression).strip()
    fields = _SHORTHANDS.get(text, text).upper().split()
    if len(fields) not in {5, 6}:
        raise _not_an_expression(expression, "wrong number of fields")
    return fields


def follows_elapsed_time(expression: object) -> bool:
    """Return whether it is one for each hour or minute, or for some of them in steps, and not for certain times of day."""
    minute, hour, *_ = cron_fields(expression)[-5:]
    return "*" in minute or "*" in hour


def cron_times(expression: object, after: datetime, *, day_or: bool) -> Iterator[datetime]:
    """Yield the times that the expression names after this one, in order; all without a time zone.

    Raises:
        InvalidArgument: it is not a cron expression.

    """
    from cronsim import CronSim, CronSimError

    fields = cron_fields(expression)
    try:
        times = CronSim(" ".join(fields), after)
        if not day_or:
            CronSim(" ".join([*fields[:-1], "*"]), after)  # refuses a day that none of the months has
    except (CronSimError, IndexError) as error:
        raise _not_an_expression(expression, str(error).lower() or "wrong number of fields") from None
    # Filtered here, an expression whose day is never such a weekday would be looked through to the end of the calendar; cronsim gives up.
    times.day_and = times.day_and or not day_or
    return times


def _not_an_expression(expression: object, reason: str) -> InvalidArgument:
    return InvalidArgument(
        f"{expression!r} is not a cron expression: {reason}.",
        hint="Five fields, such as '0 6 * * MON-FRI' for six o'clock on working days.",
    )
