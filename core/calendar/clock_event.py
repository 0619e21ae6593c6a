"""What clocks give: moments, with what the runs that start then are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headwater.core.values.moments import instant


@dataclass(frozen=True, eq=False)
class ClockEvent:
    """A moment at which a run starts, with values for its parameters; `labels` replace the flow's where they are given.

    It compares with moments and with other events by its time; two events are equal only if parameters and labels are, too.
    """

    start_time: datetime
    parameter_defaults: Mapping[str, Any] = field(default_factory=dict)
    labels: Sequence[str] | None = None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, datetime):
            return self._instant == instant(other)
        if not isinstance(other, ClockEvent):
            return NotImplemented
        return (
            self._instant == other._instant
            and self.parameter_defaults == other.parameter_defaults
            and _as_set(self.labels) == _as_set(other.labels)
        )

    def __hash__(self) -> int:
        return hash(self._instant)

    def __lt__(self, other: object) -> bool:
        at = _instant_of(other)
        return NotImplemented if at is None else self._instant < at

    def __gt__(self, other: object) -> bool:
        at = _instant_of(other)
        return NotImplemented if at is None else self._instant > at

    def __le__(self, other: object) -> bool:
        at = _instant_of(other)
        return NotImplemented if at is None else self._instant <= at

    def __ge__(self, other: object) -> bool:
        at = _instant_of(other)
        return NotImplemented if at is None else self._instant >= at

    @property
    def _instant(self) -> datetime:
        return instant(self.start_time)


def _instant_of(other: object) -> datetime | None:
    if isinstance(other, ClockEvent):
        return instant(other.start_time)
    return instant(other) if isinstance(other, datetime) else None


def _as_set(labels: Sequence[str] | None) -> frozenset[str] | None:
    return None if labels is None else frozenset(labels)
