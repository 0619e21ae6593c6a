"""Schedules: clocks, what filters let pass of them, and how adjustments move it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Unpack, overload

import msgspec

from headwater.core.calendar.adjustments import Adjustment, adjustment_as_json, adjustment_from
from headwater.core.calendar.clock_event import ClockEvent
from headwater.core.calendar.clocks import Clock, CronClock, IntervalClock, RRuleClock, clock_from
from headwater.core.calendar.filters import Filter, filter_as_json, filter_from
from headwater.core.calendar.occurrence import Occurrence, clock_digest
from headwater.core.calendar.policies import PolicyOptions, SchedulePolicies, schedule_policies
from headwater.core.errors import InvalidArgument, WrongType
from headwater.core.values.moments import assume_utc, instant, of_class

MISSES_MAX = 400_000
LOOKED_AHEAD_MAX = timedelta(days=100 * 366)
"""After so many moments in a row that the filters refuse, or so far ahead, no further one is looked for: none is likely to come. It is
enough for a moment each second that waits for the end of a long weekend, and for 29 February on a Sunday."""


class NothingPasses(InvalidArgument):
    """The filters of a schedule refuse every moment of its clocks, for so long that none is likely to pass."""

    def __init__(self, misses: int, first: datetime, last: datetime) -> None:
        self.misses, self.first, self.last = misses, first, last
        super().__init__(
            f"The filters of this schedule refuse all {misses:,} moments of its clocks from {first:%Y-%m-%d %H:%M} "
            f"to {last:%Y-%m-%d %H:%M}; no further one was looked for.",
            hint="Look whether the filters contradict each other, or choose clocks whose moments pass more often.",
        )


def _in_the_calendar(events: Iterator[ClockEvent]) -> Iterator[ClockEvent]:
    """Yield the events up to the end of the calendar, where clocks stumble."""
    with suppress(OverflowError):
        yield from events


class Schedule:
    """The moments of all `clocks` that pass all `filters`, one of the `or_filters` (if there are any) and none of the `not_filters`.

    Each is then moved by the `adjustments`, in turn.

    Without clocks there are none.

        Schedule([CronClock("0 6 * * *")], filters=[is_weekday], adjustments=[add(timedelta(minutes=5))])

    Args:
        clocks: what gives the moments; one list, in any order.
        filters, or_filters, not_filters: functions that tell of a moment whether it passes, as in `headwater.schedules.filters`.
        adjustments: functions that return another moment, as in `headwater.schedules.adjustments`.
        **policies: how moments become runs of a registered flow: `missed`, `window`, `overlap`, `jitter`, `pause_on_failure`, `end`,
            `max_runs`, as in `headwater.schedules.policies.PolicyOptions`.

    Raises:
        WrongType: something given is not a clock or a function.
        InvalidArgument: there is no such policy, or it cannot have this value.

    """

    policies = SchedulePolicies()
    """How moments become runs; those of schedules that were pickled before there were policies."""

    def __init__(
        self,
        clocks: Iterable[Clock],
        filters: Iterable[Filter] | None = None,
        or_filters: Iterable[Filter] | None = None,
        not_filters: Iterable[Filter] | None = None,
        adjustments: Iterable[Adjustment] | None = None,
        **policies: Unpack[PolicyOptions],
    ) -> None:
        if isinstance(clocks, Clock):
            raise WrongType(f"A schedule takes a list of clocks, not {clocks!r}.", hint="Put the clock into [ ].")
        self.clocks = list(clocks)
        for clock in self.clocks:
            if not isinstance(clock, Clock):
                raise WrongType(f"A schedule is made of clocks, and {clock!r} is none.")
        self.filters = _functions("filters", filters)
        self.or_filters = _functions("or_filters", or_filters)
        self.not_filters = _functions("not_filters", not_filters)
        self.adjustments = _functions("adjustments", adjustments)
        self.policies = schedule_policies(policies)

    @property
    def start_date(self) -> datetime | None:
        """The earliest start of its clocks; None where none has one."""
        return min((clock.start_date for clock in self.clocks if clock.start_date is not None), default=None)

    @property
    def end_date(self) -> datetime | None:
        """The latest end of its clocks; None where one has no end."""
        ends = [clock.end_date for clock in self.clocks]
        return None if None in ends else max((end for end in ends if end is not None), default=None)

    @overload
    def next(self, n: int, after: datetime | None = None, return_events: Literal[False] = False) -> list[datetime]: ...
    @overload
    def next(self, n: int, after: datetime | None = None, *, return_events: Literal[True]) -> list[ClockEvent]: ...
    def next(self, n: int, after: datetime | None = None, return_events: bool = False) -> list[datetime] | list[ClockEvent]:
        """Return the next `n` moments later than `after` (now, by default), or fewer where the schedule ends.

        With `return_events`, each with its parameters and labels.

        Raises:
            NothingPasses: the filters refuse everything for so long that no moment is likely to come.

        """
        events: list[ClockEvent] = []
        try:
            events.extend(event for event, _ in zip(self.events(after), range(n), strict=False))
        except NothingPasses:
            if not events:
                raise
        return events if return_events else [event.start_time for event in events]

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        """Yield the events later than `after` (now, by default), in order of the clocks. Those that are equal come once.

        Their moments are of the class that `after` is of, such as pendulum's.

        Raises:
            NothingPasses: the filters refuse everything for so long that no moment is likely to come.

        """
        kind = datetime if after is None else type(after)
        for event, moment in self._adjusted(after):
            yield replace(event, start_time=of_class(moment, kind))

    def occurrences(self, after: datetime | None = None) -> Iterator[Occurrence]:
        """Yield what the schedule has after the nominal moment `after` (now, by default), in order of the nominal moments.

        Where two clocks have one moment, parameters and labels, they give one occurrence.

        Raises:
            NothingPasses: the filters refuse everything for so long that no moment is likely to come.

        """
        nominal: datetime | None = None
        clocks: set[str] = set()
        for event, moment in self._adjusted(after):
            at, clock = instant(event.start_time), clock_digest(event.parameter_defaults, event.labels)
            if at != nominal:
                nominal, clocks = at, set()
            if clock not in clocks:
                clocks.add(clock)
                labels = None if event.labels is None else tuple(event.labels)
                yield Occurrence(at, instant(moment), dict(event.parameter_defaults), labels, clock)

    def _adjusted(self, after: datetime | None) -> Iterator[tuple[ClockEvent, datetime]]:
        """Yield each event of the clocks that passes, those that are equal once, with the moment to which the adjustments move it."""
        bound = assume_utc(after) if after is not None else datetime.now(UTC)
        same_time: list[ClockEvent] = []
        misses, since = 0, bound
        of_clocks = (_in_the_calendar(clock.events(bound)) for clock in self.clocks)
        for event in heapq.merge(*of_clocks, key=lambda event: instant(event.start_time)):
            if same_time and same_time[-1] < event:
                same_time = []
            if event in same_time:
                continue
            same_time.append(event)
            if self._passes(event.start_time):
                misses, since = 0, event.start_time
                moment = event.start_time
                try:
                    for adjust in self.adjustments:
                        moment = adjust(moment)
                except OverflowError:  # beyond the calendar
                    return
                yield event, moment
            else:
                misses += 1
                if misses >= MISSES_MAX or instant(event.start_time) - instant(since) > LOOKED_AHEAD_MAX:
                    raise NothingPasses(misses, since, event.start_time)

    def _passes(self, moment: datetime) -> bool:
        return (
            all(each(moment) for each in self.filters)
            and (not self.or_filters or any(each(moment) for each in self.or_filters))
            and not any(each(moment) for each in self.not_filters)
        )

    def with_policies(self, **policies: Unpack[PolicyOptions]) -> Schedule:
        """Return this schedule with other policies; those that are left out have their defaults.

        Raises:
            InvalidArgument: there is no such policy, or it cannot have this value.

        """
        return Schedule(self.clocks, self.filters, self.or_filters, self.not_filters, self.adjustments, **policies)

    def serialize(self) -> dict[str, Any]:
        """Return the schedule as JSON values; `schedule_from` reads them.

        Raises:
            InvalidArgument: a filter or an adjustment is a function of the user's own, which only their process knows.

        """
        policies = msgspec.to_builtins(self.policies)
        return {
            "clocks": [clock.serialize() for clock in self.clocks],
            "filters": _as_json(self.filters, filter_as_json, "filter"),
            "or_filters": _as_json(self.or_filters, filter_as_json, "filter"),
            "not_filters": _as_json(self.not_filters, filter_as_json, "filter"),
            "adjustments": _as_json(self.adjustments, adjustment_as_json, "adjustment"),
            **({"policies": policies} if policies else {}),
        }

    def __repr__(self) -> str:
        return f"<Schedule: {', '.join(map(repr, self.clocks))}>"


def schedule_from(data: Mapping[str, Any]) -> Schedule:
    """Return the schedule that `serialize` wrote."""
    made = Schedule(
        clocks=[clock_from(each) for each in data["clocks"]],
        filters=[filter_from(each) for each in data.get("filters", ())],
        or_filters=[filter_from(each) for each in data.get("or_filters", ())],
        not_filters=[filter_from(each) for each in data.get("not_filters", ())],
        adjustments=[adjustment_from(each) for each in data.get("adjustments", ())],
    )
    made.policies = msgspec.convert(data.get("policies") or {}, SchedulePolicies)
    return made


def IntervalSchedule(  # noqa: N802 - the name people know
    start_date: datetime | timedelta | None = None,
    interval: timedelta | datetime | None = None,
    end_date: datetime | None = None,
    **policies: Unpack[PolicyOptions],
) -> Schedule:
    """Return a schedule with an `IntervalClock`. The interval may also be given first: `IntervalSchedule(timedelta(hours=1))`.

    Args:
        start_date: what intervals are counted from; 2019-01-01 UTC by default.
        interval: the time between two moments.
        end_date: no moment is later; None: the schedule has no end.
        **policies: those of `Schedule`.

    Raises:
        WrongType: there is no interval, or it is not a timedelta.
        InvalidArgument: it is not longer than 0.

    """
    if isinstance(start_date, timedelta):
        start_date, interval = interval, start_date
    if interval is None:
        raise WrongType("An IntervalSchedule needs an interval.", hint="Write IntervalSchedule(interval=timedelta(minutes=10)).")
    span: Any = interval
    start: Any = start_date  # the clock says no to what these should not be
    return Schedule([IntervalClock(span, start, end_date)], **policies)


def CronSchedule(  # noqa: N802 - see IntervalSchedule
    cron: str,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    day_or: bool | None = None,
    **policies: Unpack[PolicyOptions],
) -> Schedule:
    """Return a schedule with a `CronClock`: `CronSchedule("0 6 * * MON-FRI")`.

    `start_date`, `end_date` and `day_or` are the clock's; `policies` are those of `Schedule`. Raises as `CronClock`.
    """
    return Schedule([CronClock(cron, start_date, end_date, day_or=day_or)], **policies)


def RRuleSchedule(  # noqa: N802 - see IntervalSchedule
    rrule_obj: Any,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    **policies: Unpack[PolicyOptions],
) -> Schedule:
    """Return a schedule with an `RRuleClock`: `RRuleSchedule("RRULE:FREQ=MONTHLY;BYDAY=2TU")`.

    `start_date` and `end_date` are the clock's; `policies` are those of `Schedule`. Raises as `RRuleClock`.
    """
    return Schedule([RRuleClock(rrule_obj, start_date, end_date)], **policies)


def _functions(argument: str, given: Iterable[Callable[..., Any]] | None) -> list[Callable[..., Any]]:
    if callable(given):
        raise WrongType(f"{argument} takes a list.", hint="Put the function into [ ].")
    functions = list(given or ())
    for each in functions:
        if not callable(each):
            raise WrongType(f"{argument} takes functions, and {each!r} is none.")
    return functions


def _as_json(functions: Sequence[Any], write: Callable[[Any], dict[str, Any] | None], kind: str) -> list[dict[str, Any]]:
    written = [(each, write(each)) for each in functions]
    for each, data in written:
        if data is None:
            raise InvalidArgument(
                f"The {kind} {each!r} is your own function, and a registered schedule is kept apart from your code.",
                hint=f"Use those of headwater.schedules.{kind}s, or run the flow with flow.run().",
            )
    return [data for _, data in written if data is not None]
