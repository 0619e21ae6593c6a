"""What the planner of this server did, in numbers for Prometheus: how late runs were made, and which times had none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import Counter, Histogram
from prometheus_client.registry import Collector

from headwater.core.events import AnyEvent, ScheduleCaughtUp, ScheduleFired, ScheduleSkipped, SkipReason

MISSED = "missed"
"""Why times have no run that passed while no server could make theirs."""
_LATENESS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600)


class PlannerNumbers:
    """Counts what `observe` is called with: the events that this server wrote. The numbers go on where the planner is started again."""

    def __init__(self) -> None:
        self._fired = Counter("headwater_schedule_fired", "Times of schedules that this server gave a run.", registry=None)
        self._skipped = Counter(
            "headwater_schedule_skipped",
            "Times of schedules that this server decided to have no run, by reason.",
            ["because"],
            registry=None,
        )
        self._lateness = Histogram(
            "headwater_schedule_lateness_seconds",
            "From a schedule's time to the commit that gave it a run, by this server's clock.",
            buckets=_LATENESS,
            registry=None,
        )
        for reason in (*SkipReason, MISSED):
            self._skipped.labels(str(reason))

    @property
    def collectors(self) -> Sequence[Collector]:
        """What a registry of Prometheus takes."""
        return (self._fired, self._skipped, self._lateness)

    def observe(self, _schedule_id: str, event: AnyEvent, at: datetime) -> None:
        """Count an event that was written at this moment."""
        match event:
            case ScheduleFired():
                self._fired.inc()
                self._lateness.observe(max(0.0, (at - min(event.nominal, event.due_at)).total_seconds()))
            case ScheduleSkipped():
                self._skipped.labels(str(event.because)).inc()
            case ScheduleCaughtUp():
                # Too many to count are counted as one.
                self._skipped.labels(MISSED).inc(1 if event.left_out is None else event.left_out)
            case _:
                pass
