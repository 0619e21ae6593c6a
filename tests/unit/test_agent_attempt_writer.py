"""How an attempt writes what happens: in order, in few messages, and never after it has lost its run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import anyio
import pytest
from harness.scenario import ACTOR, create_flow, create_run

from headwater.agents.errors import AttemptFenced
from headwater.agents.supervisor.attempt_writer import BATCH_BYTES_MAX, AttemptWriter
from headwater.core.aggregates import Aggregate
from headwater.core.errors import InvalidArgument, LogError, LogUnavailable, OutcomeUnknown
from headwater.core.events import Failure, TaskRunFailed, TaskRunStarted, event_type
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import CancelRun, ClaimRun, FinishRun, MarkAttemptLost, RunCommand, StartRun
from headwater.core.runs.state import Run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def started(number: int, *, message: str = "") -> TaskRunStarted:
    return TaskRunStarted(slug=f"task-{number}", at=NOW, message=message)


class Attempt:
    """Attempt 1 of a run, with another program that may write beside it."""

    def __init__(self, log: MemoryLog, run: Aggregate[Run, RunCommand]) -> None:
        self.log = log
        self.run_id = run.subject.rpartition(".")[2]
        self.stops = 0
        self.record = AttemptWriter(run, ACTOR, 1, self._stop)

    def _stop(self) -> None:
        self.stops += 1

    async def another_writer(self, command: RunCommand) -> None:
        await (await load_run(self.log.events, self.run_id)).execute(command, ACTOR)

    async def commits(self) -> list[list[str]]:
        recorded = await self.log.events.read(subjects.run(self.run_id))
        return [[event_type(event) for event in each.commit.events] for each in recorded]


@asynccontextmanager
async def attempt() -> AsyncIterator[Attempt]:
    log = MemoryLog()
    created = await create_run(log, (await create_flow(log)).flow_id)
    run = await load_run(log.events, created.run_id)
    await run.execute(ClaimRun(1, "agent-1"), ACTOR)
    await run.execute(StartRun(1, NOW), ACTOR)
    made = Attempt(log, run)
    async with anyio.create_task_group() as group:
        await group.start(made.record.serve)
        with anyio.fail_after(30):
            yield made
        group.cancel_scope.cancel()


async def test_what_happens_together_is_written_in_one_message_in_order() -> None:
    async with attempt() as made:
        for number in range(500):
            made.record.record(started(number))
        await made.record.flush()

        *_, last = await made.log.events.read(subjects.run(made.run_id))

    assert [event.slug for event in last.commit.events if isinstance(event, TaskRunStarted)] == [f"task-{n}" for n in range(500)]


async def test_messages_stay_below_their_limit() -> None:
    async with attempt() as made:
        for number in range(300):
            made.record.record(started(number, message="x" * 5_000))
        await made.record.flush()

        recorded = [each for each in await made.log.events.read(subjects.run(made.run_id)) if b"task_run" in each.data]

    assert len(recorded) == 3
    assert all(len(each.data) < BATCH_BYTES_MAX + 1_000 for each in recorded)


async def test_a_cancel_in_between_is_read_and_written_after_and_ends_the_attempt() -> None:
    async with attempt() as made:
        await made.another_writer(CancelRun(NOW))
        made.record.record(started(1))
        await made.record.flush()

        assert (await made.commits())[-2:] == [["run.cancel_requested"], ["task_run.started"]]
        assert made.record.stopping
        assert made.stops == 1


@pytest.mark.parametrize("newer", [[], [ClaimRun(1, "agent-2")]], ids=["waiting", "claimed anew"])
async def test_an_attempt_that_lost_its_run_writes_nothing_more(newer: list[RunCommand]) -> None:
    async with attempt() as made:
        for command in (MarkAttemptLost(1, "gone", NOW), *newer):
            await made.another_writer(command)
        before = await made.commits()
        made.record.record(started(1))
        with pytest.raises(AttemptFenced):
            await made.record.flush()
        made.record.record(started(2))

        assert await made.commits() == before
        assert made.record.stopping
        assert made.stops == 1


async def test_a_log_that_is_away_is_waited_for_and_nothing_is_written_twice() -> None:
    async with attempt() as made:
        errors: list[LogError] = [LogUnavailable("memory:", "away"), OutcomeUnknown("?", "no answer"), LogUnavailable("memory:", "away")]

        def away(operation: Operation, moment: Moment, _subject: str) -> None:
            expected = "done" if errors and isinstance(errors[-1], OutcomeUnknown) else "asked"
            if operation == "append" and moment == expected and errors:
                raise errors.pop()

        made.log.interference = away
        made.record.record(started(1))
        await made.record.flush()
        await made.record.execute(FinishRun(1, NOW, failed=False, message="done"))

        assert (await made.commits())[-2:] == [["task_run.started"], ["run.succeeded"]]
        assert not errors


async def test_what_the_log_refuses_of_an_event_is_left_out_and_the_event_is_recorded() -> None:
    async with attempt() as made:
        refusals = [InvalidArgument("This cannot be recorded: it is odd.")]

        def refuse(operation: Operation, moment: Moment, _subject: str) -> None:
            if operation == "append" and moment == "asked" and refusals:
                raise refusals.pop()

        made.record.record(started(1))
        await made.record.flush()
        made.log.interference = refuse
        made.record.record(TaskRunFailed(slug="task-1", at=NOW, message="why", failure=Failure("Odd", "it cannot be stored")))
        await made.record.flush()

        (*_, last) = await made.log.events.read(subjects.run(made.run_id))
        (event,) = last.commit.events
        assert isinstance(event, TaskRunFailed)
        assert (event.message, event.failure) == (
            "What belongs to this could not be recorded: This cannot be recorded: it is odd.",
            None,
        )


async def test_no_caller_waits_for_a_record_that_has_ended() -> None:
    async with attempt() as made:
        pass
    made.record.record(started(1))

    with anyio.fail_after(30):
        await made.record.flush()

    assert made.record.left == 1
