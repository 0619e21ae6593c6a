"""What the planner counts of the events that it wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from headwater.core.events import AnyEvent, Missed, ScheduleCaughtUp, ScheduleFired, ScheduleResumed, ScheduleSkipped, SkipReason
from headwater.core.values.identifiers import new_id
from headwater.server.planner.numbers import PlannerNumbers

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def fired(due_at: datetime = NOON) -> ScheduleFired:
    return ScheduleFired(nominal=NOON, run_id=new_id(), flow_id=new_id(), due_at=due_at)


def test_runs_are_counted_with_how_late_they_were_made_and_other_times_by_why_they_have_none() -> None:
    numbers, registry = PlannerNumbers(), CollectorRegistry()
    for collector in numbers.collectors:
        registry.register(collector)
    events: list[tuple[AnyEvent, datetime]] = [
        (fired(), NOON + 2 * SECOND),
        (fired(due_at=NOON + 60 * SECOND), NOON + SECOND),  # due later, by its jitter
        (fired(due_at=NOON - 60 * SECOND), NOON - 57 * SECOND),  # due earlier, by its adjustments
        (fired(), NOON - SECOND),  # by a clock that is behind
        (ScheduleSkipped(nominal=NOON, because=SkipReason.OVERLAP), NOON),
        (ScheduleCaughtUp(since=NOON, until=NOON, policy=Missed.LATEST, made=1, left_out=4), NOON),
        (ScheduleCaughtUp(since=NOON, until=NOON, policy=Missed.NONE, made=0, left_out=None), NOON),
        (ScheduleResumed(at=NOON), NOON),
    ]

    for event, at in events:
        numbers.observe(new_id(), event, at)

    assert registry.get_sample_value("headwater_schedule_fired_total") == 4
    assert registry.get_sample_value("headwater_schedule_lateness_seconds_sum") == 2 + 1 + 3 + 0
    skipped = {
        reason: registry.get_sample_value("headwater_schedule_skipped_total", {"because": reason})
        for reason in ("overlap", "missed", "flow_archived", "project_deleted", "refused")
    }
    assert skipped == {"overlap": 1, "missed": 5, "flow_archived": 0, "project_deleted": 0, "refused": 0}
