"""Clocks: each gives moments, in order, with the parameters and labels of the runs that start then.

Time zones come from `start_date`; without one, UTC holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from typing import Any

from headwater.core.calendar.clock import Clock
from headwater.core.calendar.clock_event import ClockEvent
from headwater.core.calendar.cron import cron_times, follows_elapsed_time
from headwater.core.calendar.recurrence import begun_shortly_before, has_steps_within_a_day, without_zone
from headwater.core.calendar.wall_clock import DAY, each_once, existing, read, shown_again_after, shown_at, whenever_shown, written
from headwater.core.errors import InvalidArgument, WrongType
from headwater.core.values.moments import assume_utc, instant, standard_moment, standard_span, standard_zone

__all__ = ["Clock", "ClockEvent", "CronClock", "DatesClock", "IntervalClock", "RRuleClock", "clock_from"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INTERVALS_FROM = datetime(2019, 1, 1, tzinfo=UTC)
"""What intervals without a start are counted from: as in Prefect, so that a flow that moves here keeps its days."""


class IntervalClock(Clock):
    """A moment each `interval` (a timedelta), counted from `start_date` (2019-01-01 UTC by default, so: on whole units).

    Intervals of a day and more keep the hour that clocks show when summer time comes and goes: one that is skipped comes at
    the end of the gap, one that is repeated comes once, the first time. Shorter ones count the time that passes.

    Args:
        interval: longer than 0.
        start_date, end_date, parameter_defaults, labels: as of every `Clock`.

    Raises:
        WrongType: the interval is not a timedelta.
        InvalidArgument: it is not longer than 0.

    """

    def __init__(
        self,
        interval: timedelta,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        if not isinstance(interval, timedelta):
            raise WrongType(f"interval must be a timedelta, not {interval!r}.", hint="Write timedelta(minutes=10).")
        if interval <= timedelta(0):
            raise InvalidArgument(f"interval must be greater than 0, and {interval} is not.")
        self.interval = standard_span(interval)
        super().__init__(start_date, end_date, parameter_defaults, labels)

    def moments(self, after: datetime) -> Iterator[datetime]:
        start = self.start_date or INTERVALS_FROM
        if self.interval < DAY:
            start = start.astimezone(UTC)
            first = max(0, (after - start) // self.interval)
            return ((start + number * self.interval).astimezone(self.zone) for number in count(first))
        wall = start.replace(tzinfo=None, fold=0)
        first = max(0, (shown_at(after, self.zone) - wall) // self.interval)
        return each_once((wall + number * self.interval for number in count(first)), self.zone)

    def settings(self) -> dict[str, Any]:
        return {"interval_seconds": self.interval.total_seconds()}

    def serialize(self) -> dict[str, Any]:
        # With the start that holds: clocks written without one were counted from another moment.
        return {**super().serialize(), "start_date": written(self.start_date or INTERVALS_FROM)}


class CronClock(Clock):
    """The moments of a cron expression on the clocks of `start_date`'s time zone.

    Five fields (minute, hour, day, month, weekday), six with seconds first, or a word such as `@daily`. Where both day and
    weekday are given, one of them has to fit; with `day_or=False`, both. A time of day that clocks skip comes at the end of
    the gap, and one that they show twice comes once, the first time. Expressions for each hour or minute or in steps of them
    (`*` or `*/n` in one of the two fields) follow the time that passes: they come whenever clocks show a time that fits.

    Args:
        cron: the expression, such as `0 6 * * MON-FRI`.
        start_date, end_date, parameter_defaults, labels: as of every `Clock`.
        day_or: whether a day fits where only one of day and weekday does; True by default.

    Raises:
        InvalidArgument: it is not a cron expression.

    """

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        cron: str,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
        day_or: bool | None = None,
    ) -> None:
        self.cron = cron
        self.day_or = day_or is None or bool(day_or)
        super().__init__(start_date, end_date, parameter_defaults, labels)
        next(iter(self.moments(EPOCH)), None)

    def moments(self, after: datetime) -> Iterator[datetime]:
        start = after if self.start_date is None else max(instant(after), instant(self.start_date) - timedelta(seconds=1))
        if follows_elapsed_time(self.cron):
            return whenever_shown(cron_times(self.cron, shown_again_after(start, self.zone), day_or=self.day_or), self.zone)
        return each_once(cron_times(self.cron, shown_at(start, self.zone), day_or=self.day_or), self.zone)

    def settings(self) -> dict[str, Any]:
        return {"cron": self.cron, "day_or": self.day_or}


class DatesClock(Clock):
    """Moments that are listed one by one.

    Args:
        dates: the moments, in any order; in UTC where they have no time zone.
        parameter_defaults, labels: as of every `Clock`.

    Raises:
        WrongType: one of them is not a datetime.
        InvalidArgument: there are none.

    """

    def __init__(
        self,
        dates: Iterable[datetime],
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        given: Any = dates
        listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
        for moment in listed:
            if not isinstance(moment, datetime):
                raise WrongType(
                    f"A DatesClock takes datetimes, and {moment!r} is none.", hint="Write DatesClock([datetime(2027, 1, 1, 6)])."
                )
        self.dates = sorted((assume_utc(moment) for moment in listed), key=instant)
        if not self.dates:
            raise InvalidArgument("A DatesClock needs at least one date.")
        super().__init__(self.dates[0], self.dates[-1], parameter_defaults, labels)

    def moments(self, after: datetime) -> Iterator[datetime]:
        past = instant(after)
        for moment in map(existing, self.dates):
            if instant(moment) > past:
                past = instant(moment)
                yield moment

    def settings(self) -> dict[str, Any]:
        return {"dates": [written(moment) for moment in self.dates]}


class RRuleClock(Clock):
    """The moments of a recurrence rule of RFC 5545: a `dateutil.rrule.rrule`, or its text (`RRULE:FREQ=MONTHLY;BYDAY=2TU`).

    The rule's own start counts where no `start_date` is given. A time of day that clocks skip comes at the end of the gap, and
    one that they show twice comes once, the first time; rules of each hour, minute or second come whenever clocks show a
    time that fits.

    Args:
        rrule_obj: the rule or its text.
        start_date, end_date, parameter_defaults, labels: as of every `Clock`.

    Raises:
        WrongType: it is not one rule.
        InvalidArgument: the text cannot be read as a rule.

    """

    def __init__(
        self,
        rrule_obj: Any,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        from dateutil.rrule import rrule, rrulestr

        if isinstance(rrule_obj, str):
            try:
                # Without a start, a rule would begin whenever this code runs: another schedule each time.
                start = EPOCH if start_date is None else standard_moment(start_date)
                rrule_obj = rrulestr(rrule_obj, dtstart=start.replace(tzinfo=None))
            except ValueError as error:
                raise InvalidArgument(f"{rrule_obj!r} is not a recurrence rule: {error}.", hint="As in 'RRULE:FREQ=DAILY'.") from None
        if not isinstance(rrule_obj, rrule):
            raise WrongType(
                f"An RRuleClock takes one rule, and {type(rrule_obj).__name__} is none.",
                hint="Give dateutil.rrule.rrule(...); for several rules, a Schedule with a clock for each.",
            )
        rule: Any = rrule_obj  # neither its start nor its end can be asked for in public
        own_start = standard_moment(rule._dtstart)  # noqa: SLF001
        zone = own_start.tzinfo or (standard_zone(start_date.tzinfo) if start_date is not None else None) or UTC
        self._rule: Any = rule.replace(dtstart=own_start.replace(tzinfo=None), until=without_zone(rule._until, zone))  # noqa: SLF001
        self._start = own_start.replace(tzinfo=zone) if start_date is None else standard_moment(start_date)
        super().__init__(start_date, end_date, parameter_defaults, labels)

    @property
    def zone(self) -> tzinfo:
        return self._begins.tzinfo or UTC

    @property
    def _begins(self) -> datetime:
        # Rules that were pickled before they kept their own start have it as `start_date`.
        begins: Any = vars(self).get("_start") or self.start_date
        moment: datetime = begins
        return moment

    @property
    def rrule_obj(self) -> Any:
        """The rule, on clocks without a time zone."""
        return self._rule

    def moments(self, after: datetime) -> Iterator[datetime]:
        give, start = (whenever_shown, shown_again_after) if has_steps_within_a_day(self._rule) else (each_once, shown_at)
        local = start(after, self.zone)
        return give(begun_shortly_before(self._rule, local).xafter(local), self.zone)

    def settings(self) -> dict[str, Any]:
        return {"rrule": str(self._rule)}

    def serialize(self) -> dict[str, Any]:
        # The text of a rule tells no time zone; its start does.
        return {**super().serialize(), "start_date": written(assume_utc(self._begins))}


def clock_from(data: Mapping[str, Any]) -> Clock:
    """Return the clock that `serialize` wrote.

    Raises:
        InvalidArgument: no clock is of this type.

    """
    common: dict[str, Any] = {"parameter_defaults": data.get("parameter_defaults"), "labels": data.get("labels")}
    if data.get("type") == "DatesClock":
        return DatesClock([moment for each in data["dates"] if (moment := read(each)) is not None], **common)
    between: dict[str, Any] = {"start_date": read(data.get("start_date")), "end_date": read(data.get("end_date")), **common}
    match data.get("type"):
        case "IntervalClock":
            # Registered when intervals without a start were counted from 1970: what was registered keeps its moments.
            return IntervalClock(timedelta(seconds=data["interval_seconds"]), **{**between, "start_date": between["start_date"] or EPOCH})
        case "CronClock":
            return CronClock(data["cron"], day_or=data.get("day_or", True), **between)
        case "RRuleClock":
            return RRuleClock(data["rrule"], **between)
        case other:
            raise InvalidArgument(f"No clock is of type {other!r}.")
