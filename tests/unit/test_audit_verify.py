"""The checker finds what breaks a promise, and nothing in a log that the rules wrote."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from harness.commits import an_item
from harness.scenario import ACTOR, an_agent, claimed, create_flow, create_run, executed, lost, recorded

from headwater.audit import VerificationReport, verify
from headwater.core.errors import CommandRejected
from headwater.core.events import (
    AnyEvent,
    RunAttemptLost,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    TaskRunPaused,
    TaskRunSkipped,
    TaskRunStarted,
    TaskRunSucceeded,
)
from headwater.core.log import subjects
from headwater.core.log.commit import new_commit
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import run
from headwater.core.runs import commands, set_state

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


async def forced(log: MemoryLog, run_id: str, *events: AnyEvent, actor: str = "somebody") -> None:
    """Append what no rule allowed."""
    subject = subjects.run(run_id)
    history = await log.events.read(subject)
    await log.events.append(subject, new_commit(events, at=NOON, actor=actor), expected=history[-1].position)


async def checked(log: MemoryLog) -> VerificationReport:
    return await verify(log, patience_seconds=0)


async def promises(log: MemoryLog) -> list[str]:
    return [violation.promise for violation in (await checked(log)).violations]


async def ended_run(log: MemoryLog) -> str:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await executed(log, run_id)
    return run_id


async def test_a_run_is_paused_only_while_a_task_run_of_it_waits(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, run_id)
    await recorded(log, run_id, TaskRunPaused(slug="task-0", at=NOON))
    found = run(log.events, run_id)
    await found.execute(commands.SuspendRun(1, NOON, None), ACTOR)
    log.queues.lose_everything()
    assert await promises(log) == [], "neither lease nor timer, and nothing stuck"

    await forced(log, run_id, TaskRunSkipped(slug="task-0", at=NOON))

    words = [violation.words for violation in (await checked(log)).violations]
    assert "The run is Paused, and no task run of it waits for a user." in words


async def test_a_log_that_the_rules_wrote_breaks_nothing(log: MemoryLog) -> None:
    random_source = random.Random(4)
    flow = await create_flow(log)
    agent_id, _ = await an_agent(log)
    for _ in range(30):
        found = run(log.events, (await create_run(log, flow.flow_id)).run_id)
        for _ in range(30):
            state = await found.refresh()
            things: Sequence[commands.RunCommand] = [
                commands.ClaimRun(state.generation, agent_id),
                commands.StartRun(state.attempt, NOON),
                commands.RecordTaskRuns(state.attempt, (TaskRunStarted(slug="a", at=NOON),)),
                commands.RecordTaskRuns(state.attempt, (TaskRunSucceeded(slug="a", at=NOON),)),
                commands.MarkAttemptLost(state.attempt, "gone", NOON),
                commands.CancelRun(NOON),
                commands.ConfirmCancelled(state.attempt, NOON),
                commands.FinishRun(state.attempt, NOON, failed=random_source.random() < 0.5, message="end"),
                commands.FinishRun(state.attempt, NOON, failed=False, message="end", events=(TaskRunSucceeded(slug="a", at=NOON),)),
                commands.FailUnstartedRun(NOON, "no storage", state.attempt),
                commands.RescheduleRun(NOON + timedelta(hours=1)),
                commands.RestartRun(NOON, ("a",), (), random_source.choice(["", "a"])),
                commands.RecordTaskRuns(state.attempt, (TaskRunPaused(slug="a", at=NOON, due_at=random_source.choice([None, NOON])),)),
                commands.SuspendRun(state.attempt, NOON, random_source.choice([None, NOON])),
                commands.ResumeTaskRuns(NOON),
                commands.SetRunState(NOON, random_source.choice(set_state.RUN_STATES), "by hand", None, ("a",)),
                commands.SetTaskRunState(NOON, "a", -1, random_source.choice(set_state.TASK_RUN_STATES), "by hand", ("a",)),
                commands.RenameRun(f"name {random_source.random()}"),
            ]
            try:
                await found.execute(random_source.choice(things), ACTOR)
            except CommandRejected:
                continue

    found_by_rules = [each for each in (await checked(log)).violations if "unfinished" not in each.promise]
    assert found_by_rules == []


async def test_what_follows_the_end_is_found_with_both_positions(log: MemoryLog) -> None:
    run_id = await ended_run(log)
    await forced(log, run_id, TaskRunStarted(slug="late", at=NOON))

    found = {violation.promise: violation for violation in (await checked(log)).violations}
    last = (await log.events.tail()).position
    assert set(found) == {"nothing happens after the end", "no illegal transition"}
    assert found["nothing happens after the end"].positions == (last - 1, last)
    assert found["nothing happens after the end"].subject == subjects.run(run_id)


async def test_two_successes_of_a_task_run_are_found_unless_a_restart_lies_between(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await executed(log, run_id, failed=True)
    await Headwater(log, ACTOR).runs.restart(run_id, from_task="task-0")
    await executed(log, run_id)
    assert await promises(log) == []

    await forced(log, run_id, TaskRunSucceeded(slug="task-1", at=NOON))
    assert "at most one success per task run" in await promises(log)


async def test_attempts_that_do_not_grow_are_found(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, run_id)
    await lost(log, run_id)
    await forced(log, run_id, RunSubmitted(1, "another-agent"))

    assert "attempts strictly increase" in await promises(log)


async def test_a_stale_attempt_that_wrote_is_found(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await claimed(log, run_id)
    await lost(log, run_id)
    await claimed(log, run_id)
    await forced(log, run_id, RunStarted(2, NOON), actor=f"run:{run_id}#1")

    found = next(each for each in (await checked(log)).violations if each.promise == "no illegal transition")
    assert found.words == "Attempt 1 wrote, and did not hold the run: it is Submitted, and its last attempt is 2."


@pytest.mark.parametrize("event", [RunAttemptLost(3, "gone"), RunSucceeded(1, NOON), RunStarted(1, NOON)])
async def test_what_no_command_leads_to_is_found(log: MemoryLog, event: AnyEvent) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    await forced(log, run_id, event)

    assert "no illegal transition" in await promises(log)


async def test_an_unfinished_run_that_nothing_wakes_is_found(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    assert await promises(log) == []

    log.queues.lose_everything()

    assert await promises(log) == ["every unfinished run has a lease, an item or a timer"]
    assert (await verify(log, wake_ups=False)).violations == ()
    await log.queues.enqueue(an_item("q", run_id=run_id))
    assert await promises(log) == []


async def test_a_run_held_by_an_agent_that_is_gone_is_found(log: MemoryLog) -> None:
    flow = await create_flow(log)
    run_id = (await create_run(log, flow.flow_id)).run_id
    log.queues.lose_everything()
    agent_id, _ = await an_agent(log)
    await claimed(log, run_id, agent_id=agent_id)
    assert await promises(log) == []

    other = (await create_run(log, flow.flow_id)).run_id
    log.queues.lose_everything()
    await claimed(log, other, agent_id="never-registered")
    assert await promises(log) == ["every unfinished run has a lease, an item or a timer"]


async def test_a_run_that_waits_for_a_slot_of_its_flow_is_in_order(log: MemoryLog) -> None:
    flow = await create_flow(log)
    first, _ = [(await create_run(log, flow.flow_id)).run_id for _ in range(2)]
    await Headwater(log, ACTOR).slots.limit(flow.flow_group_id, 1)
    await Headwater(log, ACTOR).slots.take(flow.flow_group_id, first, 1)
    await Headwater(log, ACTOR).runs.cancel(first)
    log.queues.lose_everything()

    assert await promises(log) == []
    assert (await checked(log)).unfinished == 1
