"""Which times a backfill would be for: by the calendar of the schedule, and by how the runs of its times stand in the views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headwater.core.backfills.plan import choose_times
from headwater.core.calendar.schedules import schedule_from
from headwater.core.errors import InvalidArgument
from headwater.core.events import BackfillChoice, BackfillTime, ScheduleDefinition
from headwater.core.log.commit import Position
from headwater.core.queries.views_client import ViewsClient


def until_now(until: datetime | None, now: datetime) -> datetime:
    """Return where a span ends that is to end then: not after now, since times to come have their runs by the schedule."""
    return now if until is None else min(until, now)


@dataclass(frozen=True)
class BackfillPlan:
    """The times that are to have runs, in their order, and the state of the last run of each that has one."""

    times: tuple[BackfillTime, ...]
    stands: dict[tuple[datetime, str], str]

    def last_state(self, time: BackfillTime) -> str | None:
        """The state of the last run of this time; None where it has none."""
        return self.stands.get((time.nominal, time.clock))


async def plan_backfill(
    views: ViewsClient,
    definition: ScheduleDefinition,
    since: datetime,
    until: datetime,
    choice: BackfillChoice,
    *,
    reverse: bool = False,
    at_least: Position = 0,
) -> BackfillPlan:
    """Return what a backfill of this span would be; nothing is recorded.

    Raises:
        InvalidArgument: the span ends before it begins, has too many times, or the schedule cannot be read.
        ViewsError: the views, which know how runs stand, do not answer.

    """
    spec = definition.spec
    if spec is None:
        raise InvalidArgument("The schedule has no times any more.", hint="Set it, and backfill then.")
    try:
        calendar = schedule_from(spec.timetable)
    except InvalidArgument:
        raise
    except Exception as error:  # the log may hold anything
        raise InvalidArgument(f"The schedule cannot be read: {type(error).__name__}: {error}.") from error
    runs = await views.runs_for_times(definition.schedule_id, since, until, at_least=at_least)
    stands = {(run.scheduled_by.nominal, run.scheduled_by.clock): run.state for run in runs if run.scheduled_by is not None}
    return BackfillPlan(choose_times(calendar, since, until, choice, stands, reverse=reverse), stands)
