"""One attempt at its supervisor: what the process sends is stored, and what it asks for is answered, whatever becomes of the process."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import msgspec
import pytest
from harness.scenario import ACTOR, create_flow, create_run

from headwater.agents.attempt_channel import MessageAssembler, channel_pair, pieces_of, receive
from headwater.agents.attempt_protocol import (
    Answered,
    Asked,
    AttemptRequest,
    Begun,
    Briefing,
    FindRegisteredSlugs,
    FinishAttempt,
    FromProcess,
    Happened,
    Logged,
    RefuseAttempt,
    Resumed,
    StartAttempt,
    TimeLimited,
    TimeLimitOver,
    decode_from_supervisor,
    encode,
)
from headwater.agents.attempt_spec import RunSnapshot
from headwater.agents.launcher import AttemptReport
from headwater.agents.run_process.briefed_run import run_in
from headwater.agents.supervisor import attempt_session, time_limit
from headwater.agents.supervisor.attempt_session import AttemptSession, SessionListener
from headwater.agents.supervisor.attempt_writer import WAITING_EVENTS_MAX
from headwater.agents.supervisor_protocol import Attend
from headwater.core.errors import LogUnavailable
from headwater.core.events import TaskRunEvent, TaskRunPaused, TaskRunRetryScheduled, TaskRunStarted, TaskRunSucceeded, event_type
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog, Moment, Operation
from headwater.core.log.protocol import Log, LogLine
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import ClaimRun, MarkAttemptLost, ResumeTaskRuns, RunCommand
from headwater.core.states import StateName

NO_PROCESS = 2**30
"""The number of a process that there is none of."""
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Attended:
    """An attempt of a run at its supervisor, and the process's end of the channel."""

    def __init__(
        self, log: MemoryLog, run_id: str, attempt: int, known: RunSnapshot | None = None, *, events_max: int = WAITING_EVENTS_MAX
    ) -> None:
        self.log, self.run_id = log, run_id
        theirs, self.channel = channel_pair()
        theirs.setblocking(False)
        self.channel.setblocking(False)
        self.reports: list[AttemptReport] = []
        self.starts = self.ends = 0
        self.reasons: list[str] = []
        listener = SessionListener(self._start, self.reports.append, self._must_end)
        self.session = AttemptSession(Attend(1, run_id, attempt, known), theirs, listener, events_max=events_max)
        self._assembler = MessageAssembler()
        self._sent = 0
        self._asked = 0
        self.heard: list[Any] = []

    def _start(self) -> None:
        self.starts += 1

    def _must_end(self, reason: str) -> None:
        self.ends += 1
        self.reasons.append(reason)

    async def serve(self) -> None:
        async def opened() -> Log:
            return self.log

        await self.session.serve(opened)

    def send(self, message: FromProcess) -> None:
        self._sent += 1
        for piece in pieces_of(self._sent, encode(message)):
            self.channel.send(piece)

    def ask(self, request: AttemptRequest) -> int:
        self._asked += 1
        self.send(Asked(self._asked, request))
        return self._asked

    async def hear(self, kind: type[Any]) -> Any:
        """The next message of this kind from the supervisor."""
        while True:
            for message in self.heard:
                if isinstance(message, kind):
                    self.heard.remove(message)
                    return message
            try:
                piece = receive(self.channel)
            except BlockingIOError:
                await anyio.wait_readable(self.channel)
                continue
            assert piece is not None, "the supervisor has closed the channel"
            if (data := self._assembler.feed(piece)) is not None:
                self.heard.append(decode_from_supervisor(data))

    async def answer(self, request: AttemptRequest) -> Answered:
        number = self.ask(request)
        while True:
            answered: Answered = await self.hear(Answered)
            if answered.number == number:
                return answered

    def keep_log_away(self, is_away: Callable[[], bool]) -> None:
        """Have the log take no appends while that is so."""

        def refuse(operation: Operation, moment: Moment, _subject: str) -> None:
            if operation == "append" and moment == "asked" and is_away():
                raise LogUnavailable("memory:", "away")

        self.log.interference = refuse

    async def another_writer(self, command: RunCommand) -> None:
        await (await load_run(self.log.events, self.run_id)).execute(command, ACTOR)

    async def commits(self) -> list[list[str]]:
        recorded = await self.log.events.read(subjects.run(self.run_id))
        return [[event_type(event) for event in each.commit.events] for each in recorded]


@asynccontextmanager
async def attended(*, attempt: int = 1, known: bool = True, events_max: int = WAITING_EVENTS_MAX) -> AsyncIterator[Attended]:
    log = MemoryLog()
    created = await create_run(log, (await create_flow(log)).flow_id)
    run = await load_run(log.events, created.run_id)
    for number in range(1, attempt):
        await run.execute(ClaimRun(1, "agent-1"), ACTOR)
        await run.execute(MarkAttemptLost(number, "gone", NOW), ACTOR)
    await run.execute(ClaimRun(1, "agent-1"), ACTOR)
    snapshot = RunSnapshot.after_claim(run.state, run.position) if known else None
    made = Attended(log, created.run_id, attempt, snapshot, events_max=events_max)
    try:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(made.serve)
                yield made
                made.session.note_process_ended()
    finally:
        made.channel.close()


def started(slug: str = "load") -> Happened:
    return Happened(TaskRunStarted(slug=slug, at=NOW))


def succeeded(slug: str = "load") -> Happened:
    return Happened(TaskRunSucceeded(slug=slug, at=NOW))


async def test_the_last_events_of_tasks_and_the_end_of_the_run_are_one_commit() -> None:
    async with attended() as made:
        made.send(Begun(NO_PROCESS))
        await made.answer(StartAttempt())
        made.send(started())
        made.send(succeeded())
        answered = await made.answer(FinishAttempt(failed=False, message="All reference tasks succeeded."))

        assert bytes(answered.value) == b'{"events":0,"lines":0}'
        assert (await made.commits())[2:] == [["run.started"], ["task_run.started", "task_run.succeeded", "run.succeeded"]]
        (report,) = made.reports
        assert made.starts == 1
        assert (report.state, report.message) == ("Success", "All reference tasks succeeded.")


async def test_the_process_gets_the_run_of_a_first_attempt_before_anything_is_read() -> None:
    async with attended() as made:
        reads = 0

        def count(operation: Operation, moment: Moment, _subject: str) -> None:
            nonlocal reads
            reads += operation == "read" and moment == "asked"

        made.log.interference = count
        run = run_in(await made.hear(Briefing))

        assert (run.state, run.attempt, run.created.run_id) == (StateName.SUBMITTED, 1, made.run_id)
        assert reads == 0


async def test_the_process_of_a_later_attempt_gets_all_that_happened() -> None:
    async with attended(attempt=3, known=False) as made:
        run = run_in(await made.hear(Briefing))

        assert run == (await load_run(made.log.events, made.run_id)).state
        assert (run.attempt, run.attempts_lost) == (3, 2)


async def test_what_was_asked_for_is_done_though_the_process_was_killed_over_it() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        made.send(started())
        made.send(succeeded())
        made.ask(FinishAttempt(failed=False, message="done"))
        made.channel.close()
        made.session.note_process_ended()

    assert (await made.commits())[-1] == ["task_run.started", "task_run.succeeded", "run.succeeded"]
    assert [report.state for report in made.reports] == ["Success"]


async def test_what_a_killed_process_had_sent_is_stored() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        made.send(started())
        made.send(Logged(LogLine(at=NOW, level=20, logger="headwater", message="last words")))
        made.session.note_process_ended()  # a child of it may keep the channel open

    assert (await made.commits())[-1] == ["task_run.started"]
    assert [line.message for each in await made.log.logs.read(made.run_id) for line in each.lines] == ["last words"]


async def test_a_process_that_lost_its_run_hears_so_and_nothing_of_it_is_stored() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        await made.another_writer(MarkAttemptLost(1, "gone", NOW))
        before = await made.commits()
        made.send(started())
        answered = await made.answer(FinishAttempt(failed=False, message="done"))

        assert answered.fenced is not None
        assert (answered.fenced.attempt, answered.fenced.last_attempt) == (1, 1)
        assert await made.commits() == before
        assert made.ends >= 1
        assert made.reports[-1].fenced


async def test_an_attempt_that_is_lost_before_it_begins_ends_at_once() -> None:
    async with attended(attempt=2, known=False) as made:
        pass
    late = Attended(made.log, made.run_id, 1)
    await late.serve()
    late.channel.close()

    assert [report.fenced for report in late.reports] == [True]


async def test_a_run_that_cannot_be_loaded_fails_with_the_reason() -> None:
    async with attended() as made:
        made.ask(StartAttempt())
        answered = await made.answer(RefuseAttempt("The flow could not be loaded."))

        assert not answered.refusal
        assert (await made.commits())[2:] == [["run.started"], ["run.failed"]]


async def test_the_registered_tasks_are_found_for_the_process() -> None:
    async with attended() as made:
        answered = await made.answer(FindRegisteredSlugs())

        assert isinstance(msgspec.json.decode(answered.value), list)


async def test_the_process_hears_of_a_task_run_that_a_user_resumes() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        made.send(Happened(TaskRunPaused(slug="load", at=NOW)))
        made.send(started("other"))
        while ["task_run.paused", "task_run.started"] not in await made.commits():
            await anyio.lowlevel.checkpoint()
        await made.another_writer(ResumeTaskRuns(NOW, (("load", -1),)))
        resumed: Resumed = await made.hear(Resumed)

    assert resumed.task_runs == (("load", -1),)


async def test_what_cannot_be_read_is_passed_over_and_what_follows_is_stored() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        for garbage in (b"", b"{", b'{"type": "happened", "event": {"type": "run.deleted"}}', b"[" * 10_000):
            made._sent += 1
            for piece in pieces_of(made._sent, garbage):
                made.channel.send(piece)
        made.send(started())
        await made.answer(FinishAttempt(failed=True, message="no"))

        assert (await made.commits())[-1] == ["task_run.started", "run.failed"]


async def test_a_process_that_sends_what_is_not_a_piece_must_end() -> None:
    async with attended() as made:
        made.channel.send(b"x")
        while not made.ends:
            await anyio.lowlevel.checkpoint()


async def test_events_that_the_rules_refuse_end_the_attempt_and_no_other() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        made.send(succeeded("never-started"))
        made.send(succeeded("never-started"))
        while not made.ends:
            await anyio.lowlevel.checkpoint()

    assert all("task_run.succeeded" not in names or names == ["task_run.succeeded"] for names in await made.commits())


async def test_trouble_with_the_log_is_reported_when_it_begins_and_when_it_is_over() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        refusals = [LogUnavailable("memory:", "away")] * 2

        def away(operation: Operation, moment: Moment, _subject: str) -> None:
            if operation == "append" and moment == "asked" and refusals:
                raise refusals.pop()

        made.log.interference = away
        made.send(started())
        await made.answer(FinishAttempt(failed=False, message="done"))

    assert [report.log_trouble is not None and bool(report.log_trouble) for report in made.reports] == [True, False, False]


async def test_a_process_that_sends_faster_than_the_log_takes_waits() -> None:
    async with attended(events_max=10) as made:
        await made.answer(StartAttempt())
        away = True
        made.keep_log_away(lambda: away)
        sent = 0
        while True:
            try:
                made.send(started(f"task-{sent}"))
            except BlockingIOError:
                break
            sent += 1
        assert sent < 100 * attempt_session.PIECES_AT_ONCE
        away = False
        await anyio.wait_writable(made.channel)
        await made.answer(FinishAttempt(failed=False, message="done"))

        names = [name for commit in await made.commits() for name in commit]
        assert names.count("task_run.started") == sent


def limited(seconds: float, event: TaskRunEvent | None) -> TimeLimited:
    return TimeLimited(seconds, 0.0, signal.SIGURG, "It took too long.", event)  # type: ignore[arg-type]


async def test_a_process_that_outlives_its_time_limit_is_ended_and_the_run_goes_on_in_another() -> None:
    retried = TaskRunRetryScheduled(slug="load", at=NOW, due_at=NOW + timedelta(minutes=5), run_count=1)
    async with attended() as made:
        made.send(Begun(NO_PROCESS))
        await made.answer(StartAttempt())
        made.send(started())
        made.send(limited(0.0, retried))
        await made.hear(Answered)

        *_, load, suspension = [recorded.events for recorded in await made.log.events.read(subjects.run(made.run_id))]
        (recorded,) = [event for event in load if isinstance(event, TaskRunRetryScheduled)]
        assert recorded.at > NOW
        assert recorded.due_at - recorded.at == timedelta(minutes=5)
        assert [event_type(event) for event in suspension] == ["run.scheduled"]
        assert [report.message for report in made.reports] == ["It took too long."]
        (lines,) = [message.lines for message in await made.log.logs.read(made.run_id)]
        assert [(line.message, line.task) for line in lines] == [("It took too long.", "load")]


async def test_a_time_limit_ends_with_its_task_however_late_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_session, "PIECES_AT_ONCE", 4)
    async with attended(events_max=1) as made:
        await made.answer(StartAttempt())
        away = True
        made.keep_log_away(lambda: away)
        # What follows the limit is read only when the log takes events again, which is after its time.
        for number in range(3):
            made.send(started(f"task-{number}"))
        made.send(limited(0.0, None))
        made.send(TimeLimitOver())
        while not any(report.log_trouble for report in made.reports):
            await anyio.lowlevel.checkpoint()
        away = False
        await made.answer(FinishAttempt(failed=False, message="done"))

        assert [report.state for report in made.reports if report.log_trouble is None] == ["Success"]


async def test_a_task_run_whose_end_is_not_recorded_again_ends_its_process_alone() -> None:
    async with attended() as made:
        await made.answer(StartAttempt())
        made.send(limited(0.0, None))
        await made.hear(Answered)

        assert (await made.commits())[-1] == ["run.scheduled"]


async def test_a_process_is_interrupted_again_and_again_though_nothing_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signals go to this process, which plays the run's."""
    monkeypatch.setattr(time_limit, "RING_AGAIN_SECONDS", 0.01)
    rings: list[int] = []
    before = signal.signal(signal.SIGURG, lambda number, _: rings.append(number))
    try:
        async with attended(events_max=1) as made:
            made.send(Begun(os.getpid()))
            await made.answer(StartAttempt())
            made.keep_log_away(lambda: len(rings) < 3)
            made.send(TimeLimited(0.0, 3600.0, signal.SIGURG, "It took too long."))
            for number in range(3):
                made.send(started(f"task-{number}"))
            await made.answer(FinishAttempt(failed=False, message="done"))

        assert len(rings) >= 3
    finally:
        signal.signal(signal.SIGURG, before)


async def test_a_process_that_never_stops_talking_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "PIECES_SURELY_READ", 50)
    async with attended() as made:
        made.send(Begun(NO_PROCESS))
        await made.answer(StartAttempt())
        made.send(limited(0.0, None))
        while not made.reports:
            for _ in range(200):
                with suppress(BlockingIOError):
                    made.send(Logged(LogLine(NOW, 20, "chatty", "more")))
            await anyio.lowlevel.checkpoint()

        assert [report.message for report in made.reports] == ["It took too long."]


async def test_a_process_that_closed_its_channel_is_ended_all_the_same() -> None:
    async with attended() as made:
        made.send(Begun(NO_PROCESS))
        await made.answer(StartAttempt())
        made.send(TimeLimited(0.05, 0.05, signal.SIGURG, "It took too long."))
        made.channel.close()
        while not made.reports:
            await anyio.lowlevel.checkpoint()

        assert [report.message for report in made.reports] == ["It took too long."]
