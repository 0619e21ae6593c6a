"""Backfills on a log in memory: their runs are made a few at once, and other runs go first."""

from __future__ import annotations

import random
from datetime import timedelta

import anyio
import pytest
from harness.planned import START, Planned, asks_for
from harness.scenario import claimed, finished, metadata, recorded, succeeding

from headwater.core.backfills.plan import choose_times
from headwater.core.backfills.state import Backfill
from headwater.core.calendar import CronSchedule, Schedule
from headwater.core.calendar.clocks import CronClock
from headwater.core.errors import FlowArchived, InvalidParameters, LogUnavailable, OutcomeUnknown
from headwater.core.events import BackfillChoice, CancelCause
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.operations.backfills import backfill
from headwater.core.operations.run_lookup import run
from headwater.core.states import StateName
from headwater.core.values.labels import queue_id
from headwater.server.planner import Planner
from headwater.server.planner.backfill_keeper import BackfillKeeper
from headwater.server.planner.schedule_keeper import ScheduleKeeper

PATIENCE_SECONDS = 30.0
HOURLY = CronSchedule("0 * * * *")


async def requested(planned: Planned, hours: int = 3, *, schedule: Schedule = HOURLY, limit: int = 1, **parameters: object) -> str:
    definition = (await planned.headwater.schedules.of(planned.schedule_id).refresh()).definition
    assert definition is not None
    since, until = START - timedelta(hours=hours), START - timedelta(minutes=1)
    times = choose_times(schedule, since, until, BackfillChoice.ALL, {})
    request = planned.headwater.backfills.request
    outcome = await request(definition, since, until, BackfillChoice.ALL, times, limit=limit, parameters=parameters)
    return outcome.state.requested.backfill_id


async def state_of(log: MemoryLog, backfill_id: str) -> Backfill:
    return await backfill(log.events, backfill_id).refresh()


def keeper(planned: Planned) -> BackfillKeeper:
    server = planned.servers[0]
    return BackfillKeeper(planned.log, planned.actor, server.runs, server.flows)


async def take_items(planned: Planned) -> None:
    """Do as an agent does that takes whatever waits."""
    while (delivery := planned.log.queues.take(queue_id(()))) is not None:
        await delivery.ack()


async def execute(planned: Planned, run_id: str, *, failed: bool = False) -> None:
    await take_items(planned)
    await claimed(planned.log, run_id)
    await recorded(planned.log, run_id, *succeeding(["task-0", "task-1"]))
    await finished(planned.log, run_id, failed=failed)


@pytest.fixture
async def planned() -> Planned:
    made = Planned()
    await made.register(HOURLY)
    return made


async def test_its_runs_are_made_one_after_the_other_as_each_ends(planned: Planned) -> None:
    backfill_id, keeps = await requested(planned), keeper(planned)
    for number in range(3):
        await keeps.look(backfill_id)
        state = await state_of(planned.log, backfill_id)
        assert state.started == number + 1
        created = (await run(planned.log.events, state.unfinished[0]).refresh()).created
        assert created.scheduled_by is not None
        assert created.scheduled_by.nominal == START - timedelta(hours=3 - number)
        await execute(planned, state.unfinished[0], failed=number == 1)
        await planned.follow()

    await keeps.look(backfill_id)
    state = await state_of(planned.log, backfill_id)
    assert list(state.ended.values()) == ["Success", "Failed", "Success"]
    assert (state.over, state.cancelled) == (True, False)


async def test_a_run_that_waits_for_an_agent_goes_before_the_next_of_the_backfill(planned: Planned) -> None:
    (waiting,) = await planned.after(3600)
    backfill_id, keeps = await requested(planned), keeper(planned)

    assert await keeps.look(backfill_id)
    assert (await state_of(planned.log, backfill_id)).started == 0

    delivery = planned.log.queues.take(queue_id(()))
    assert delivery is not None
    assert delivery.item.run_id == waiting.run_id  # type: ignore[union-attr]
    await keeps.look(backfill_id)
    assert (await state_of(planned.log, backfill_id)).started == 1


async def test_cancelling_it_cancels_what_is_unfinished_and_starts_nothing_more(planned: Planned) -> None:
    backfill_id, keeps = await requested(planned, limit=2), keeper(planned)
    await keeps.look(backfill_id)
    await take_items(planned)
    await keeps.look(backfill_id)
    first, second = (await state_of(planned.log, backfill_id)).unfinished
    await claimed(planned.log, first)

    await planned.headwater.backfills.cancel(backfill_id, reason="wrong data")
    await keeps.look(backfill_id)
    asked = (await run(planned.log.events, first).refresh()).cancel_request
    assert asked is not None
    assert (asked.cause, "wrong data" in asked.reason) == (CancelCause.BACKFILL_CANCELLED, True)
    assert (await run(planned.log.events, second).refresh()).state is StateName.CANCELLED

    await finished(planned.log, first)
    await planned.follow()
    await keeps.look(backfill_id)
    assert (await state_of(planned.log, backfill_id)).cancelled


async def test_runs_get_the_parameters_of_the_backfill_before_those_of_their_clock() -> None:
    planned = Planned()
    schedule = Schedule([CronClock("0 * * * *", parameter_defaults={"region": "north"})])
    await planned.register(schedule, parameters=(*asks_for("region"), *asks_for("full", default=False)))
    backfill_id = await requested(planned, 1, schedule=schedule, full=True)
    await keeper(planned).look(backfill_id)

    (run_id,) = (await state_of(planned.log, backfill_id)).unfinished
    assert (await run(planned.log.events, run_id).refresh()).created.parameters == {"region": "north", "full": True}


async def test_what_the_flow_does_not_take_is_refused_at_once(planned: Planned) -> None:
    with pytest.raises(InvalidParameters, match="'regoin'"):
        await requested(planned, regoin="north")


async def test_a_flow_that_takes_no_runs_is_refused_and_ends_one_that_goes_on(planned: Planned) -> None:
    backfill_id, keeps = await requested(planned, limit=1), keeper(planned)
    definition = (await planned.headwater.schedules.of(planned.schedule_id).refresh()).definition
    assert definition is not None
    await planned.headwater.flows.delete(definition.flow_group_id)
    with pytest.raises(FlowArchived):
        await requested(planned)

    await keeps.look(backfill_id)
    state = await state_of(planned.log, backfill_id)
    assert list(state.ended.values()) == ["Cancelled"] * 3


async def test_a_version_that_asks_for_more_makes_its_runs_fail_with_the_reason(planned: Planned) -> None:
    backfill_id, keeps = await requested(planned, 1), keeper(planned)
    await planned.headwater.flows.register(metadata("hello-flow", parameters=asks_for("region")), project_name="tutorial")

    await keeps.look(backfill_id)
    assert list((await state_of(planned.log, backfill_id)).ended.values()) == ["Failed"]


async def test_the_planner_carries_it_out_and_hears_of_each_end() -> None:
    planned = Planned()
    await planned.register(HOURLY)
    async with anyio.create_task_group() as group:
        await group.start(Planner(planned.log, clock=planned.clock.now).serve)
        backfill_id = await requested(planned, 3)
        with anyio.fail_after(PATIENCE_SECONDS):
            while not (await state_of(planned.log, backfill_id)).over:
                for run_id in (await state_of(planned.log, backfill_id)).unfinished:
                    found = await run(planned.log.events, run_id).refresh()
                    if found.exists and found.state is StateName.SCHEDULED:
                        await execute(planned, run_id)
                await anyio.sleep(0.01)
        group.cancel_scope.cancel()


class Killed(Exception):
    """The server's process is no more."""


@pytest.mark.parametrize("seed", range(40))
async def test_servers_may_race_and_die_anywhere_and_each_time_has_one_run(seed: int) -> None:
    chance = random.Random(seed)
    planned = Planned(servers=2)
    await planned.register(HOURLY)
    hours = chance.randrange(1, 8)
    backfill_id = await requested(planned, hours, limit=chance.randrange(1, 4))

    def strike(operation: Operation, moment: Moment, subject: str) -> None:
        if chance.random() < 0.1:
            away: Exception = LogUnavailable("memory:", "away") if moment == "asked" else OutcomeUnknown("x", "lost")
            raise chance.choice([Killed(), away])

    async def look(number: int) -> None:
        server = planned.servers[number]
        try:
            await BackfillKeeper(planned.log, planned.actor, server.runs, server.flows).look(backfill_id)
        except Killed:
            planned.servers[number] = ScheduleKeeper(planned.log, planned.actor)
        except (LogUnavailable, OutcomeUnknown):
            pass

    most = 0
    while not (state := await state_of(planned.log, backfill_id)).over:
        most = max(most, len(state.unfinished))
        planned.log.interference = strike
        async with anyio.create_task_group() as group:
            for number in range(2):
                group.start_soon(look, number)
        planned.log.interference = lambda *_: None
        await take_items(planned)
        for run_id in (await state_of(planned.log, backfill_id)).unfinished:
            found = await run(planned.log.events, run_id).refresh()
            if found.exists and not found.ended and chance.random() < 0.7:
                await execute(planned, run_id, failed=chance.random() < 0.3)
        await planned.follow()

    assert most <= state.requested.limit
    assert (state.started, len(state.ended)) == (hours, hours)
    for run_id, ended in state.ended.items():
        assert (await run(planned.log.events, run_id).refresh()).state == ended
