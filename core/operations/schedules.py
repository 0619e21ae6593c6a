"""What people and programs do with schedules: set, pause, resume and delete them. What becomes of each time the servers decide."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.calendar.adjustments import add
from headwater.core.calendar.clocks import IntervalClock, RRuleClock
from headwater.core.calendar.schedules import Schedule, schedule_from
from headwater.core.errors import HeadwaterError, InvalidArgument, NotFound
from headwater.core.events import FlowRegistered, Origin, PauseCause, SchedulePolicies, ScheduleSpec
from headwater.core.flows.rules import open_parameters
from headwater.core.hints import ListSchedulesAction, hint
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog
from headwater.core.operations.flow_lookup import active_version, flow_group
from headwater.core.schedules import rules as schedule_rules
from headwater.core.schedules.commands import DeleteSchedule, PauseSchedule, ResumeSchedule, ScheduleCommand, SetSchedule
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import parsed_uuid, schedule_id
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.json_values import json_problem
from headwater.core.values.moments import assume_utc
from headwater.core.values.names import valid_name

TIMETABLE_BYTES_MAX = 128 * 1024
INTERVAL_MIN = timedelta(seconds=0.1)
SEARCH_SECONDS_MAX = 1.0
"""A schedule that has no times may not take longer to show that: each server would look for them again."""
ADJUSTMENT_MAX = timedelta(days=366)
_SUB_DAILY = re.compile("FREQ=(HOURLY|MINUTELY|SECONDLY)")
POLICIES = "policies"
"""The key of a serialized schedule under which its policies are."""


def schedule(log: EventLog, schedule_id: str) -> Aggregate[ScheduleState, ScheduleCommand]:
    return Aggregate(log, subjects.schedule(schedule_id), schedule_rules.RULES)


def spec_of(data: Mapping[str, Any]) -> ScheduleSpec:
    """Return the times and policies of a schedule, as `Schedule.serialize` writes them.

    Raises:
        InvalidArgument: they cannot be read, name a time zone that is not known here, or are longer than 128 KB.

    """
    if (problem := json_problem(dict(data))) is not None:
        raise InvalidArgument(f"The schedule is not JSON: {problem}.")
    timetable = {key: value for key, value in data.items() if key not in {POLICIES, "active"}}
    if (size := len(json_bytes(timetable))) > TIMETABLE_BYTES_MAX:
        raise InvalidArgument(
            f"The schedule has {size:,} bytes; at most {TIMETABLE_BYTES_MAX:,} are allowed.", hint="Use a rule in place of a list of dates."
        )
    try:
        policies = msgspec.convert(data.get(POLICIES) or {}, SchedulePolicies)
        calendar = schedule_from(timetable)
        _check_pace(calendar)
        _check_times(calendar)
    except HeadwaterError:
        raise
    except Exception as error:  # data of a stranger may be anything
        raise InvalidArgument(
            f"This is not a schedule: {type(error).__name__}: {error}.", hint="Make one with headwater.schedules."
        ) from error
    return ScheduleSpec(timetable, policies)


def _check_pace(calendar: Schedule) -> None:
    """Refuse times that no server could work out one by one.

    Raises:
        InvalidArgument: they come too often, or too many are to be passed over for each.

    """
    for clock in calendar.clocks:
        if isinstance(clock, IntervalClock) and clock.interval < INTERVAL_MIN:
            raise InvalidArgument(
                f"An interval of {clock.interval.total_seconds():g} s is too short for a schedule.", hint="0.1 s is the least."
            )
        if isinstance(clock, RRuleClock) and "COUNT=" in str(clock.rrule_obj) and _SUB_DAILY.search(str(clock.rrule_obj)):
            raise InvalidArgument(
                "A rule of each hour, minute or second cannot have a COUNT in a schedule.", hint="Give it an UNTIL, or max_runs."
            )
    for adjust in calendar.adjustments:
        if isinstance(adjust, add) and abs(adjust.interval) > ADJUSTMENT_MAX:
            raise InvalidArgument(f"An adjustment by {adjust.interval} is too long for a schedule.", hint="A year is the most.")


def _check_times(calendar: Schedule) -> None:
    """Refuse a schedule without times that is searched for long.

    Raises:
        InvalidArgument: no time was found, and it took longer than a second to see that.

    """
    began = time.monotonic()
    if next(calendar.occurrences(datetime.now(UTC)), None) is None and time.monotonic() - began > SEARCH_SECONDS_MAX:
        raise InvalidArgument(
            "No time of this schedule was found to the end of the calendar.", hint="Look whether its rule contradicts itself."
        )


class Schedules:
    """The schedules of one log, as one actor changes them.

    A schedule is that of a flow over its versions: its own one, whose slug is empty, and others that users gave slugs.
    """

    def __init__(self, log: EventLog, actor: Actor) -> None:
        self._log = log
        self._actor = actor

    def of(self, schedule_id: str) -> Aggregate[ScheduleState, ScheduleCommand]:
        """Return the schedule, to be read."""
        return schedule(self._log, schedule_id)

    async def load(self, schedule_id: str) -> Aggregate[ScheduleState, ScheduleCommand]:
        """Return the schedule, folded.

        Raises:
            InvalidArgument, NotFound: there is no such schedule, or it has no times any more.

        """
        loaded = self.of(str(parsed_uuid(schedule_id, kind="schedule id")))
        if not (await loaded.refresh()).exists:
            raise NotFound("schedule", schedule_id, hint=hint("{} lists schedules.", ListSchedulesAction()))
        return loaded

    async def set(
        self, group_id: str, data: Mapping[str, Any], *, slug: str = "", active: bool | None = None
    ) -> CommandResult[ScheduleState]:
        """Give the flow these times, whatever it was registered with; `data` is what `Schedule.serialize` writes.

        The times of before that had no run yet have none. `active`: resume the schedule (True), pause it (False), or neither (None).

        Raises:
            InvalidArgument: this is not a schedule, leaves a parameter of the flow without a value, or gives one that it does not have.
            NotFound, FlowArchived: there is no such flow that takes runs.

        """
        if slug:
            valid_name(slug, kind="schedule")
        spec = spec_of(data)
        group = await flow_group(self._log, group_id).refresh()
        flow = active_version(group, 0, group_id)
        check_parameters(flow, spec, group.default_parameters)
        command = SetSchedule(
            schedule_id=schedule_id(group_id, slug),
            flow_group_id=group_id,
            project_id=flow.project_id,
            slug=slug,
            origin=Origin.USER,
            spec=spec,
            at=self._actor.clock(),
            activate=active,
        )
        return await self.of(command.schedule_id).execute(command, self._actor)

    async def delete(self, schedule_id: str) -> CommandResult[ScheduleState]:
        """Take away the times that a user set: those that the flow is registered with hold again, if there are some.

        Raises:
            InvalidArgument, NotFound: there is no such schedule.
            InvalidArgument: it has only the times that its flow is registered with.

        """
        loaded = await self.load(schedule_id)
        definition = loaded.state.definition
        if definition is not None and definition.user is None:
            raise InvalidArgument(
                "The schedule is the one that the flow is registered with.",
                hint="Pause it, or register the flow without a schedule.",
            )
        return await loaded.execute(DeleteSchedule(Origin.USER, self._actor.clock()), self._actor, refresh=False)

    async def pause(self, schedule_id: str, *, note: str = "", until: datetime | None = None) -> CommandResult[ScheduleState]:
        """Let times to come have no runs, until the schedule is resumed, or until a moment (in UTC where it has no zone).

        Raises:
            InvalidArgument, NotFound: there is no such schedule, or the moment is over.

        """
        loaded = await self.load(schedule_id)
        command = PauseSchedule(self._actor.clock(), None if until is None else assume_utc(until), note, PauseCause.USER)
        return await loaded.execute(command, self._actor, refresh=False)

    async def resume(self, schedule_id: str, *, note: str = "") -> CommandResult[ScheduleState]:
        """Let times to come have runs again; those of the pause have none.

        Raises:
            InvalidArgument, NotFound: there is no such schedule.

        """
        loaded = await self.load(schedule_id)
        return await loaded.execute(ResumeSchedule(self._actor.clock(), note), self._actor, refresh=False)


def check_parameters(flow: FlowRegistered, spec: ScheduleSpec, defaults: Mapping[str, Any]) -> None:
    """Refuse a schedule that leaves a parameter of the flow without a value, or gives one that the flow does not have.

    Raises:
        InvalidArgument: it does.

    """
    known = [parameter.name for parameter in flow.parameters]
    given = {name for clock in spec.timetable.get("clocks", ()) for name in clock.get("parameter_defaults") or ()}
    if unknown := sorted(given.difference(known)):
        raise InvalidArgument(
            f"The flow {flow.name!r} has no parameter {unknown[0]!r}.", hint=f"Its parameters are: {', '.join(known) or 'none'}."
        )
    left_open = open_parameters(flow.parameters, spec.timetable, defaults)
    if left_open:
        raise InvalidArgument(
            f"The schedule leaves the parameters {', '.join(map(repr, left_open))} of flow {flow.name!r} without a value.",
            hint="Give each a default, or a value by every clock of the schedule.",
        )
