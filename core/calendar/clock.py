"""What all clocks have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from headwater.core.calendar.clock_event import ClockEvent
from headwater.core.calendar.wall_clock import existing, written
from headwater.core.errors import InvalidArgument, WrongType
from headwater.core.values.labels import label_set
from headwater.core.values.moments import assume_utc, instant, of_class


class Clock:
    """Base of the clocks.

    A clock of the user's own gives its `moments`, or its `events`; it serves flows that run by `flow.run()`.

    Args:
        start_date: no moment is earlier. Its time zone is the clock's; UTC where it has none.
        end_date: no moment is later; None: the clock has no end. In UTC where it has no time zone.
        parameter_defaults: values of parameters for the runs that start by this clock.
        labels: labels of these runs, instead of the flow's; None: the flow's.

    Raises:
        WrongType: a date is not a datetime.
        InvalidArgument: the clock ends before it starts, or the labels or parameters have the wrong form.

    """

    def __init__(
        self,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        parameter_defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        for name, moment in (("start_date", start_date), ("end_date", end_date)):
            if moment is not None and not isinstance(moment, datetime):
                raise WrongType(f"{name} must be a datetime, not {moment!r}.")
        if isinstance(labels, str):
            raise InvalidArgument(f"labels={labels!r} is one text.", hint=f"Write labels=[{labels!r}].")
        if parameter_defaults is not None and not isinstance(parameter_defaults, Mapping):
            raise InvalidArgument(f"parameter_defaults takes a dict, not {parameter_defaults!r}.", hint="Write {'name': value}.")
        self.start_date = None if start_date is None else assume_utc(start_date)
        self.end_date = None if end_date is None else assume_utc(end_date)
        if self.start_date is not None and self.end_date is not None and self.end_date < self.start_date:
            raise InvalidArgument(f"The clock ends ({self.end_date}) before it starts ({self.start_date}).", hint="Exchange the two.")
        self.parameter_defaults = dict(parameter_defaults or {})
        self.labels = None if labels is None else list(labels)
        label_set(self.labels or ())

    @property
    def _is_of_a_known_kind(self) -> bool:
        return "settings" in vars(type(self)) and type(self).__module__.startswith("headwater.core.calendar.")

    @property
    def zone(self) -> tzinfo:
        """The time zone on whose clocks the moments are."""
        return (self.start_date.tzinfo if self.start_date is not None else None) or UTC

    def events(self, after: datetime | None = None) -> Iterator[ClockEvent]:
        """Yield the events later than `after` (now, by default), in order, without end where the clock has none.

        Their moments are of the class that `after` is of, such as pendulum's.
        """
        kind = datetime if after is None else type(after)
        bound = assume_utc(after) if after is not None else datetime.now(UTC)
        past = instant(bound)
        first = None if self.start_date is None else instant(existing(self.start_date))
        last = None if self.end_date is None else instant(existing(self.end_date))
        for moment in self.moments(bound):
            at = instant(moment)
            if last is not None and at > last:
                return
            if at > past and (first is None or at >= first):
                yield ClockEvent(of_class(moment, kind), self.parameter_defaults, self.labels)

    def moments(self, after: datetime) -> Iterable[datetime]:
        """Yield the clock's moments in order, all of those later than `after`; others are passed over.

        Raises:
            NotImplementedError: the class defines neither this nor `events`.

        """
        raise NotImplementedError(f"{type(self).__name__} gives no moments: it needs a method `moments` or `events`.")

    def settings(self) -> dict[str, Any]:
        """Return what makes this clock another than others of its kind, as JSON values."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """Return the clock as JSON values; `clock_from` reads them.

        Raises:
            InvalidArgument: it is of the user's own class, which only their process knows.

        """
        if not self._is_of_a_known_kind:
            raise InvalidArgument(
                f"The clock {type(self).__name__} is your own class, and a registered schedule is kept apart from your code.",
                hint="Use the clocks of headwater.schedules.clocks, or run the flow with flow.run().",
            )
        return {
            "type": type(self).__name__,
            **self.settings(),
            "start_date": written(self.start_date),
            "end_date": written(self.end_date),
            "parameter_defaults": self.parameter_defaults,
            "labels": None if self.labels is None else list(self.labels),
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Clock) or type(other) is not type(self) or not self._is_of_a_known_kind:
            return self is other
        return self.serialize() == other.serialize()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(f'{name}={value!r}' for name, value in self.settings().items())}>"
