"""The run monitor on a log in memory: what it folds, when it looks, and what it does about what it finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from harness.scenario import ACTOR, an_agent, claimed, create_flow, create_run, executed, lost

from headwater.core.agents.state import AgentStatus
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import run
from headwater.core.operations.slots import slots
from headwater.core.program.deadlines import Deadlines
from headwater.core.runs.commands import RescheduleRun
from headwater.core.states import StateName
from headwater.server.monitor import RunMonitor
from headwater.server.monitor.monitor_times import MonitorTimes
from headwater.server.monitor.run_index import RunIndex

PATIENCE_SECONDS = 30.0


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


SHORT = MonitorTimes(lease=0.05, probe_grace=0.05, wake_up=0.05, slot=0.05, claim=0.05, retry=0.05)


@asynccontextmanager
async def running_monitor(log: MemoryLog) -> AsyncIterator[RunMonitor]:
    async with anyio.create_task_group() as group:
        run_monitor = RunMonitor(log, times=SHORT)
        await group.start(run_monitor.serve)
        await run_monitor.caught_up()
        yield run_monitor
        group.cancel_scope.cancel()


async def folded(log: MemoryLog) -> RunIndex:
    index = RunIndex()
    async for batch in log.events.read_all():
        for recorded in batch:
            index.fold(recorded)
    return index


async def eventually(fact: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not await fact():  # noqa: ASYNC110 - the broker sends no events of its items
            await anyio.sleep(0.01)


async def woken(log: MemoryLog, run_id: str, *, generation: int = 0) -> None:
    await eventually(lambda: log.queues.is_waiting(run_id, generation=generation))


async def reached(log: MemoryLog, run_id: str, state: StateName) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        async with log.events.follow(subjects.run(run_id)) as news:
            async for _ in news:
                if (await run(log.events, run_id).refresh()).state is state:
                    return


async def test_it_watches_unfinished_runs_and_who_holds_them(log: MemoryLog) -> None:
    flow = await create_flow(log)
    agent_id, _ = await an_agent(log)
    waiting, held, ended, left = [(await create_run(log, flow.flow_id)).run_id for _ in range(4)]
    await claimed(log, held, agent_id=agent_id)
    await executed(log, ended)
    await claimed(log, left, agent_id=agent_id)
    await lost(log, left)

    known = await folded(log)

    assert set(known.runs) == {waiting, held, left}
    assert {each.created.run_id for each in known.waiting()} == {waiting, left}
    assert [each.created.run_id for each in known.held_by(agent_id)] == [held]
    assert known.agents[agent_id].status is AgentStatus.ONLINE
    await Headwater(log, ACTOR).agents.stop(agent_id)
    assert (await folded(log)).agents[agent_id].status is AgentStatus.STOPPED  # it holds a run still


async def test_a_restarted_run_that_it_had_let_go_of_is_read_again(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    async with running_monitor(log):
        await executed(log, run_id, failed=True)
        log.queues.lose_everything()
        await Headwater(log, ACTOR).runs.restart(run_id, from_task="task-0")
        log.queues.lose_everything()

        await woken(log, run_id)


async def test_every_waiting_run_is_woken_after_a_loss(log: MemoryLog) -> None:
    flow = await create_flow(log)
    due = [(await create_run(log, flow.flow_id)).run_id for _ in range(20)]
    later = (await create_run(log, flow.flow_id, due_at=datetime.now(UTC) + timedelta(hours=1))).run_id
    async with running_monitor(log):
        log.queues.lose_everything()
        for run_id in [*due, later]:
            await woken(log, run_id)


async def test_a_timer_of_before_a_rescheduling_counts_for_nothing(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id, due_at=datetime.now(UTC) + timedelta(hours=1))).run_id
    async with running_monitor(log):
        await run(log.events, run_id).execute(RescheduleRun(datetime.now(UTC)), ACTOR)
        await woken(log, run_id, generation=2)


async def test_a_silent_agent_s_runs_are_lost_and_its_cancels_final(log: MemoryLog) -> None:
    flow = await create_flow(log)
    agent_id, _ = await an_agent(log)
    first, second = [(await create_run(log, flow.flow_id)).run_id for _ in range(2)]
    for run_id in (first, second):
        await claimed(log, run_id, agent_id=agent_id)
    await Headwater(log, ACTOR).runs.cancel(second)
    async with running_monitor(log):
        await reached(log, first, StateName.SCHEDULED)
        await reached(log, second, StateName.CANCELLED)

    assert (await folded(log)).agents[agent_id].status is AgentStatus.LOST


async def test_slots_of_runs_that_are_over_are_freed_and_those_of_running_ones_kept(log: MemoryLog) -> None:
    flow = await create_flow(log)
    await Headwater(log, ACTOR).slots.limit(flow.flow_group_id, 2)
    over, never_claimed = [(await create_run(log, flow.flow_id)).run_id for _ in range(2)]
    for run_id in (over, never_claimed):
        await Headwater(log, ACTOR).slots.take(flow.flow_group_id, run_id, 1)
    await executed(log, over)
    async with running_monitor(log):
        await Headwater(log, ACTOR).slots.take(flow.flow_group_id, never_claimed, 2)

        async def none_is_taken() -> bool:
            return not (await slots(log.events, flow.flow_group_id).refresh()).attempts

        await eventually(none_is_taken)


async def test_it_lives_through_a_log_that_is_away(log: MemoryLog) -> None:
    from headwater.core.errors import LogUnavailable

    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    failures = 3

    async with running_monitor(log):

        def away(operation: str, moment: str, _: str) -> None:
            nonlocal failures
            if operation == "offer" and moment == "asked" and failures:
                failures -= 1
                raise LogUnavailable("memory:", "away")

        log.interference = away
        log.queues.lose_everything()
        await woken(log, run_id)
    assert failures == 0


async def test_deadlines_come_in_their_order_and_only_once() -> None:
    deadlines: Deadlines[str] = Deadlines()
    deadlines.set("late", 0.03)
    deadlines.set("never", 0.02)
    deadlines.set("moved", 600)
    deadlines.advance("moved", 0.01)
    deadlines.advance("late", 600)
    deadlines.clear("never")
    seen: list[str] = []
    with anyio.fail_after(PATIENCE_SECONDS):
        while len(seen) < 2:
            seen += await deadlines.wait()

    assert seen == ["moved", "late"]
    assert len(deadlines) == 0
