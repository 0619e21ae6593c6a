"""Twelve and more situations, and the one true reason in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harness.scenario import ACTOR, claimed, create_flow, create_run, executed, finished, lost, recorded, succeeding

from headwater.audit import Explanation, Reason, RunContext, explain, explain_run
from headwater.core.aggregates import Actor
from headwater.core.events import (
    CancelCause,
    TaskRunFailed,
    TaskRunPaused,
    TaskRunRetryScheduled,
    TaskRunStarted,
    TaskRunTriggerFailed,
)
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_lookup import run
from headwater.core.queries import AgentRow
from headwater.core.runs.commands import FailUnstartedRun, MarkAttemptLost, SuspendRun
from headwater.core.slots.state import Slots

NOW = datetime.now(UTC)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def agent(name: str, *labels: str, limit: int | None = None, held: int = 0) -> AgentRow:
    return AgentRow(
        id=name, name=name, kind="local", labels=labels, hostname="h", pid=1, version="1", limit=limit, status="working",
        status_reason="", created=NOW, ended=None, held_runs=held, position=1,
    )  # fmt: skip


def with_agents(*agents: AgentRow, **more: Any) -> RunContext:
    return RunContext(agents=agents, answering=frozenset(each.id for each in agents), **more)


async def explained(log: MemoryLog, run_id: str, around: RunContext | None = None) -> Explanation:
    history = await log.events.read(subjects.run(run_id))
    found = explain(history, around or RunContext(), datetime.now(UTC))
    assert " RUN" not in found.hint  # it names the run, for the user who copies it
    return found


async def new_run(log: MemoryLog, **request: Any) -> str:
    return (await create_run(log, (await create_flow(log)).flow_id, **request)).run_id


def words(found: Explanation) -> Sequence[str]:
    return [each.words for each in found.evidence]


async def test_no_agent_has_the_labels(log: MemoryLog) -> None:
    run_id = await new_run(log, labels=["gpu", "night"])

    found = await explained(log, run_id, with_agents(agent("near", "gpu"), agent("far", "x"), agent("plain")))

    assert found.reason is Reason.NO_AGENT
    assert "No online agent takes runs with labels gpu, night. Agent 'near' lacks night." in found.words
    assert found.hint == "Start one: `headwater agent local start --no-hostname-label -l gpu -l night`"


async def test_an_agent_with_labels_does_not_take_a_run_without(log: MemoryLog) -> None:
    found = await explained(log, await new_run(log), with_agents(agent("labelled", "x")))

    assert found.reason is Reason.NO_AGENT
    assert "Agent 'labelled' takes labelled runs only." in found.words


async def test_no_agent_is_online_at_all(log: MemoryLog) -> None:
    assert "No agent is online." in (await explained(log, await new_run(log), with_agents())).words


async def test_the_flow_s_limit_is_reached_and_by_whom(log: MemoryLog) -> None:
    around = with_agents(agent("a"), slots=Slots(1, {"other": 1}), slot_names={"other": "quiet-heron"})

    found = await explained(log, await new_run(log), around)

    assert found.reason is Reason.LIMIT_REACHED
    assert found.words == "At most 1 run of flow 'hello-flow' may be executed at once; the slots are taken by quiet-heron."


async def test_every_agent_is_full_and_how_full(log: MemoryLog) -> None:
    found = await explained(log, await new_run(log), with_agents(agent("one", limit=2, held=2), agent("two", limit=1, held=1)))

    assert found.reason is Reason.AGENTS_FULL
    assert "one (2 of 2), two (1 of 1)" in found.words


async def test_it_is_not_due_yet(log: MemoryLog) -> None:
    due = NOW + timedelta(hours=1)

    found = await explained(log, await new_run(log, due_at=due), with_agents())

    assert found.reason is Reason.NOT_DUE
    assert due.isoformat() in found.words


async def test_the_next_attempt_waits_after_a_crash_and_until_when(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    retry_at = NOW + timedelta(hours=1)
    await run(log.events, run_id).execute(MarkAttemptLost(1, "its process died", NOW, retry_at=retry_at), ACTOR)

    found = await explained(log, run_id, with_agents())

    assert found.reason is Reason.NOT_DUE
    assert found.words == f"Attempt 1 was lost: its process died. The next one starts at {retry_at.isoformat()}."


async def test_no_process_waits_for_a_retry_that_is_far_away(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    due = NOW + timedelta(hours=3)
    retry = TaskRunRetryScheduled(slug="task-0", at=NOW, due_at=due, run_count=1)
    await recorded(log, run_id, TaskRunStarted(slug="task-0", at=NOW), retry)
    await run(log.events, run_id).execute(SuspendRun(1, NOW, due, "Waiting for the retry of a task."), ACTOR)

    found = await explained(log, run_id, with_agents())

    assert found.reason is Reason.WAITS_FOR_RETRY
    assert f"Task 'task-0' failed and is tried again at {due.isoformat()}. No process waits for that" in found.words
    assert len(found.evidence) == 2


@pytest.mark.parametrize("is_held", [False, True])
async def test_it_is_not_said_to_run_while_the_log_takes_no_writes(log: MemoryLog, is_held: bool) -> None:
    run_id = await new_run(log)
    if is_held:
        await claimed(log, run_id)
        await recorded(log, run_id, TaskRunStarted(slug="task-0", at=NOW))

    found = await explained(log, run_id, RunContext(holds=True, log_problem="no space left on device"))

    assert found.reason is Reason.LOG_TAKES_NOTHING
    assert found.words.startswith("The log takes no writes: no space left on device. ")
    assert "It runs" not in found.words
    assert ("is held by agent 'an agent'" in found.words) is is_held
    assert "Free disk space" in found.hint


async def test_it_runs_and_who_holds_it_until_when(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    await recorded(log, run_id, TaskRunStarted(slug="task-0", at=NOW))

    found = await explained(log, run_id, RunContext(holds=True, lease_seconds=10))

    assert found.reason is Reason.RUNNING
    assert "It runs: attempt 1, on agent 'an agent', which holds its lease until " in found.words
    assert words(found) == ["claimed by agent an agent as attempt 1", "attempt 1 started"]


async def test_its_agent_is_silent(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)

    found = await explained(log, run_id, RunContext(holds=None))

    assert found.reason is Reason.HOLDER_SILENT
    assert "does not answer. When its lease is over, the next attempt is made." in found.words


async def test_a_task_waits_for_its_retry_and_until_when(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    due = NOW + timedelta(minutes=10)
    await recorded(log, run_id, TaskRunStarted(slug="task-0", at=NOW))
    await recorded(log, run_id, TaskRunRetryScheduled(slug="task-0", at=NOW, due_at=due, run_count=1))

    found = await explained(log, run_id, RunContext(holds=True))

    assert found.reason is Reason.WAITS_FOR_RETRY
    assert f"Task 'task-0' failed and is tried again at {due.isoformat()}" in found.words
    assert len(found.evidence) == 1


async def test_a_paused_task_waits_for_a_user(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    await recorded(log, run_id, TaskRunPaused(slug="approve", at=NOW))

    assert (await explained(log, run_id, RunContext(holds=True))).reason is Reason.PAUSED


async def test_the_flow_s_storage_is_missing_on_the_agent(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    message = "The flow could not be loaded: /flows/x does not exist on this machine."
    await run(log.events, run_id).execute(FailUnstartedRun(NOW, message, 1), ACTOR)

    found = await explained(log, run_id)

    assert found.reason is Reason.NOT_STARTED
    assert found.words == f"It could not be started on agent 'an agent': {message}"


async def test_its_flow_was_archived(log: MemoryLog) -> None:
    run_id = await new_run(log)
    why = "Version 1 of the flow was archived."
    await Headwater(log, Actor("server")).runs.cancel(run_id, reason=why, cause=CancelCause.FLOW_ARCHIVED)

    found = await explained(log, run_id)

    assert found.reason is Reason.FLOW_ARCHIVED
    assert found.words == "It was cancelled by server: Version 1 of the flow was archived."


async def test_it_was_cancelled_and_by_whom(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await Headwater(log, Actor("cli:ana@river")).runs.cancel(run_id, reason="wrong data")

    found = await explained(log, run_id)

    assert (found.reason, found.words) == (Reason.CANCELLED, "It was cancelled by cli:ana@river: wrong data")
    assert words(found) == ["cancellation was asked for: wrong data", "cancelled: wrong data"]


async def test_it_is_being_cancelled(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    await Headwater(log, Actor("cli:ana@river")).runs.cancel(run_id)

    assert (
        await explained(log, run_id, RunContext(holds=True))
    ).words == "cli:ana@river asked to cancel it; agent 'an agent' is stopping attempt 1."
    assert "which does not answer" in (await explained(log, run_id, RunContext(holds=None))).words


async def test_it_crashed_too_often_and_how_often(log: MemoryLog) -> None:
    run_id = await new_run(log, attempts_max=2)
    for _ in range(2):
        await claimed(log, run_id)
        await lost(log, run_id, reason="the run's process died: exit code 9")

    found = await explained(log, run_id)

    assert found.reason is Reason.CRASHED
    assert found.words.startswith("It lost its attempt 2 times, and no more than 2 are made. The last time: the run's process died")
    assert len(found.evidence) == 3


async def test_it_waits_after_a_lost_attempt_and_says_so(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    await lost(log, run_id, reason="the agent died")

    found = await explained(log, run_id, with_agents(agent("a")))

    assert found.reason is Reason.OFFERED
    assert found.words == "It is offered to a, who can take it. Attempt 1 was lost: the agent died."


async def test_tasks_failed_and_which_first(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await claimed(log, run_id)
    await recorded(log, run_id, *succeeding(["task-0"]), TaskRunStarted(slug="load", at=NOW), TaskRunFailed(slug="load", at=NOW))
    await recorded(log, run_id, TaskRunTriggerFailed(slug="report", at=NOW))
    await finished(log, run_id, failed=True)

    found = await explained(log, run_id)

    assert found.reason is Reason.TASKS_FAILED
    assert found.words == "It failed: Some reference tasks failed. What failed first: load."


async def test_it_succeeded_after_a_restart_of_which_only_the_last_life_counts(log: MemoryLog) -> None:
    run_id = await new_run(log)
    await executed(log, run_id, failed=True)
    await Headwater(log, ACTOR).runs.restart(run_id, from_task="task-0")
    assert (await explained(log, run_id, with_agents(agent("a")))).reason is Reason.OFFERED
    await executed(log, run_id)

    found = await explained(log, run_id)

    assert (found.reason, found.words) == (Reason.SUCCEEDED, "It succeeded in attempt 2: All reference tasks succeeded.")


async def test_agents_that_match_do_not_answer_or_nothing_would_wake_them(log: MemoryLog) -> None:
    run_id = await new_run(log)

    silent = await explained(log, run_id, RunContext(agents=[agent("a")]))
    lost_item = await explained(log, run_id, with_agents(agent("a"), waits_in_broker=False))

    assert (silent.reason, lost_item.reason) == (Reason.AGENTS_SILENT, Reason.NOT_OFFERED)


async def test_without_views_it_says_what_cannot_be_told(log: MemoryLog) -> None:
    found = await explain_run(log, await new_run(log))

    assert found.reason is Reason.AGENTS_UNKNOWN
    assert "the views do not answer" in found.words


async def test_agents_that_cannot_start_processes_are_named_with_the_cause_and_the_run_says_that_it_was_handed_back(log: MemoryLog) -> None:
    run_id = await new_run(log)
    trouble = "agent 'vm' cannot start processes: Resource temporarily unavailable; limit of processes 7"
    await claimed(log, run_id)
    await run(log.events, run_id).execute(MarkAttemptLost(1, trouble, NOW, released=True), ACTOR)

    found = await explained(log, run_id, with_agents(agent("vm"), troubles={"vm": trouble}))
    other = await explained(log, run_id, with_agents(agent("vm"), agent("free"), troubles={"vm": trouble}))

    assert found.reason is Reason.AGENTS_CANNOT
    assert trouble in found.words
    assert f"Attempt 1 was handed back: {trouble}." in other.words
    assert "offered to 'free'" in other.words or "offered to free" in other.words
