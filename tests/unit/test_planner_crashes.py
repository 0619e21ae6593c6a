"""Servers that race and die between any two steps: each time of a schedule has one outcome all the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import anyio
import pytest
from harness.planned import START, Planned, asks_for, events_of, fired
from harness.scenario import claimed, finished, recorded, succeeding

from headwater.audit import check_schedules
from headwater.core.calendar import Schedule, schedule_from
from headwater.core.calendar.clocks import IntervalClock
from headwater.core.errors import LogUnavailable, OutcomeUnknown
from headwater.core.events import Missed, Overlap, ScheduleCaughtUp, ScheduleFired, SchedulePaused, ScheduleResumed, ScheduleSkipped
from headwater.core.log.memory import Moment, Operation
from headwater.core.states import StateName
from headwater.server.planner.schedule_keeper import ScheduleKeeper


class Killed(Exception):
    """The server's process is no more."""


OVERLAPS = list(Overlap)
SEEDS = 150


@pytest.mark.parametrize("missed", list(Missed))
async def test_two_servers_may_race_and_die_anywhere_and_each_time_has_one_outcome(missed: Missed) -> None:
    for seed in range(SEEDS):
        try:
            await lived_through(random.Random(f"{missed} {seed}"), missed)
        except BaseException as error:
            error.add_note(f"seed {seed} of {missed}")
            raise


async def lived_through(chance: random.Random, missed: Missed) -> None:
    overlap = chance.choice(OVERLAPS)
    clocks = [
        IntervalClock(timedelta(minutes=chance.choice([1, 3, 7])), START, parameter_defaults={"n": n}) for n in range(chance.choice([1, 2]))
    ]
    planned = Planned(servers=2)
    schedule = Schedule(clocks, missed=missed, overlap=overlap, window=timedelta(minutes=chance.choice([5, 60, 1440])))
    await planned.register(schedule, parameters=asks_for("n"))
    headwater = planned.headwater
    for _ in range(chance.randrange(5, 25)):
        planned.clock.advance(chance.choice([10, 60, 60, 61, 185, 1000]))
        await planned.follow()
        planned.log.interference = faults(chance)
        async with anyio.create_task_group() as group:
            for number in range(2):
                if chance.random() < 0.8:
                    group.start_soon(look, planned, number, chance)
        planned.log.interference = lambda *_: None
        match chance.randrange(12):
            case 0:
                await headwater.schedules.pause(planned.schedule_id)
            case 1:
                await headwater.schedules.resume(planned.schedule_id)
            case 2 | 3 | 4:
                await end_some_runs(planned, chance)
    for server in range(2):
        planned.servers[server] = ScheduleKeeper(planned.log, planned.actor)
        await planned.servers[server].look(planned.schedule_id)
    await each_time_has_one_outcome(planned, schedule)
    assert (await check_schedules(planned.log.events, now=planned.clock.now())).findings == ()


def faults(chance: random.Random) -> Callable[[Operation, Moment, str], None]:
    rate = chance.choice([0.0, 0.02, 0.1, 0.3])

    def strike(operation: Operation, moment: Moment, subject: str) -> None:
        if chance.random() < rate:
            kinds: list[Exception] = [Killed(), LogUnavailable("memory:", "away") if moment == "asked" else OutcomeUnknown("x", "lost")]
            raise chance.choice(kinds)

    return strike


async def look(planned: Planned, number: int, chance: random.Random) -> None:
    try:
        await planned.servers[number].look(planned.schedule_id, refresh=chance.random() < 0.5)
    except Killed:
        planned.servers[number] = ScheduleKeeper(planned.log, planned.actor)
    except (LogUnavailable, OutcomeUnknown):
        pass  # it looks again


async def end_some_runs(planned: Planned, chance: random.Random) -> None:
    for event in await fired(planned.log, planned.schedule_id):
        state = await planned.run(event)
        if state.exists and state.state is StateName.SCHEDULED and chance.random() < 0.5:
            await claimed(planned.log, event.run_id)
            await executed_after_claim(planned, event.run_id, failed=chance.random() < 0.5)


async def executed_after_claim(planned: Planned, run_id: str, *, failed: bool) -> None:
    await recorded(planned.log, run_id, *succeeding(["task-0"]))
    await finished(planned.log, run_id, failed=failed)


async def each_time_has_one_outcome(planned: Planned, schedule: Schedule) -> None:
    events = await events_of(planned.log, planned.schedule_id)
    own = Counter((event.nominal, event.clock) for event in events if isinstance(event, ScheduleFired | ScheduleSkipped))
    assert max(own.values(), default=1) == 1
    spans = [(event.since, event.until) for event in events if isinstance(event, ScheduleCaughtUp)]
    pauses = [event.since for event in events if isinstance(event, SchedulePaused)]
    ends = [event.at for event in events if isinstance(event, ScheduleResumed)]
    spans += [*zip(pauses, [*ends, planned.clock.now()], strict=False)]
    known = set()
    for time in schedule_from(schedule.serialize()).occurrences(START):
        if time.nominal > planned.clock.now():
            break
        known.add((time.nominal, time.clock))
        covered = any(since < time.nominal <= until for since, until in spans)
        assert (time.nominal, time.clock) in own or covered, f"{time.nominal} has no outcome"
    assert set(own) <= known
    for event in await fired(planned.log, planned.schedule_id):
        state = await planned.run(event)
        assert state.exists, f"the run of {event.nominal} was not made"
        assert state.created.scheduled_by is not None
        assert state.created.scheduled_by.after_run_id == event.after_run_id
