"""Processes of runs that are none: they record what real ones do, crash, hang, ignore signals, and die with their agent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus
from simulation.connection import Connection

from headwater.agents.attempt_spec import attempt_actor
from headwater.agents.errors import AttemptFenced
from headwater.agents.launcher import AttemptListener, AttemptReport, ExitResult, LaunchSpec
from headwater.agents.retry import retry_until_available
from headwater.agents.supervisor.attempt_writer import AttemptWriter
from headwater.core.aggregates import Actor
from headwater.core.errors import IllegalTransition
from headwater.core.events import TaskRunEvent, TaskRunFailed, TaskRunPaused, TaskRunRetryScheduled, TaskRunStarted, TaskRunSucceeded
from headwater.core.log.commit import Position
from headwater.core.operations.run_lookup import load_run
from headwater.core.operations.wake_ups import schedule_wake_up
from headwater.core.runs.commands import FinishRun, RecordTaskRuns, StartRun, SuspendRun
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRun
from headwater.core.states import FINAL, StateName

TASKS = ("extract", "transform", "load")
CRASHES, FAILURES, RETRIES, PAUSES, STUBBORN = 0.04, 0.1, 0.15, 0.1, 0.3
"""Shares of all tasks, and of all processes that get the signal to end."""
TASK_SECONDS = 3.0
KILLED, TERMINATED, REFUSED = -9, 143, 75


def prepare(run: Run, _: Position) -> LaunchSpec:
    """Tell a pretended process which attempt it is."""
    return LaunchSpec(environment={"run": run.created.run_id, "attempt": str(run.attempt)}, directory=Path())


class PretendedRun:
    """One attempt's process."""

    def __init__(self, connection: Connection, run_id: str, attempt: int, listener: AttemptListener) -> None:
        self._listener = listener
        self.connection, self.run_id, self.attempt = connection, run_id, attempt
        self._random = connection.random
        self._ended = anyio.Event()
        self._ending = ExitResult(KILLED, None)
        self._scope = anyio.CancelScope()

    async def wait(self) -> ExitResult:
        await self._ended.wait()
        return self._ending

    async def stop(self, *, grace_seconds: float) -> None:
        patience = grace_seconds if self._random.random() < STUBBORN else self._random.random() * grace_seconds
        with anyio.move_on_after(patience):
            await self._ended.wait()
        self.kill(TERMINATED if patience < grace_seconds else KILLED)
        await self._ended.wait()

    def kill(self, status: int = KILLED) -> None:
        """End it at once, whatever it is doing."""
        self.connection.dead = True
        self._ending = ExitResult(status, None)
        self._scope.cancel()
        self._ended.set()

    async def live(self) -> None:
        try:
            with self._scope:
                ending = await self._execute()
                if not self._ended.is_set():
                    self._ending = ending
        finally:
            self.connection.dead = True
            self._ended.set()

    async def _execute(self) -> ExitResult:
        run = await retry_until_available(lambda: load_run(self.connection.events, self.run_id), "the run")
        if not run.state.held or run.state.attempt != self.attempt:
            return ExitResult(0, AttemptReport(fenced=True))
        actor = Actor(attempt_actor(self.run_id, self.attempt))
        record = AttemptWriter(run, actor, self.attempt, lambda: None)
        try:
            await record.execute(StartRun(self.attempt, actor.clock()))
            self._listener.started()
            failed = False
            for slug in TASKS:
                found = run.state.task_runs.get((slug, -1))
                if found is not None and found.state in FINAL:
                    failed = failed or found.state is StateName.FAILED
                elif not failed:
                    if self._random.random() < CRASHES:
                        return ExitResult(KILLED, None)
                    if (ending := await self._pause(record, actor, slug, found)) is not None:
                        return ending
                    failed = await self._execute_task(record, actor, slug)
                    if record.stopping:
                        return ExitResult(TERMINATED, None)
            message = "Some tasks failed." if failed else "Done."
            await record.execute(FinishRun(self.attempt, actor.clock(), failed=failed, message=message))
        except AttemptFenced as fenced:
            return ExitResult(0, AttemptReport(fenced=True, message=str(fenced)))
        except IllegalTransition:
            return ExitResult(REFUSED, None)  # it would wait for a later time, and was cancelled a moment before
        return ExitResult(0, AttemptReport(state=run.state.state.value))

    async def _pause(self, record: AttemptWriter, actor: Actor, slug: str, found: TaskRun | None) -> ExitResult | None:
        """Leave the run to a later attempt, where the task is paused, or pauses now."""
        now = actor.clock()
        if found is not None and found.state is StateName.PAUSED:
            if found.due_at is not None and found.due_at <= now:
                return None
            due = found.due_at
        elif found is not None and found.state is StateName.RESUME:
            return None
        elif self._random.random() < PAUSES:
            due = self._random.choice([None, now + timedelta(seconds=self._random.random() * 10)])
            await self._record(record, TaskRunPaused(slug=slug, at=now, due_at=due))
        else:
            return None
        if self._random.random() < CRASHES:
            return ExitResult(KILLED, None)
        await record.execute(SuspendRun(self.attempt, actor.clock(), due, "waits"))
        await retry_until_available(lambda: schedule_wake_up(self.connection.queues, record.run, now=actor.clock()), "the run's timer")
        return ExitResult(0, AttemptReport(message="waits"))

    async def _execute_task(self, record: AttemptWriter, actor: Actor, slug: str) -> bool:
        """Execute it, again where it is to be retried; tell whether it failed."""
        now = actor.clock
        while True:
            await self._record(record, TaskRunStarted(slug=slug, at=now()))
            await anyio.sleep(self._random.random() * TASK_SECONDS)
            if self._random.random() >= RETRIES:
                break
            again = now() + timedelta(seconds=self._random.random())
            await self._record(record, TaskRunRetryScheduled(slug=slug, at=now(), due_at=again, run_count=1))
            await anyio.sleep(max(0.0, (again - now()).total_seconds()))
        if self._random.random() < FAILURES:
            await self._record(record, TaskRunFailed(slug=slug, at=now()))
            return True
        await self._record(record, TaskRunSucceeded(slug=slug, at=now()))
        return False

    async def _record(self, record: AttemptWriter, event: TaskRunEvent) -> None:
        await record.execute(RecordTaskRuns(self.attempt, (event,)))


class PretendedLauncher:
    """`Launcher` of such processes. `connect` makes the connection of each."""

    def __init__(self, connect: Callable[[], Connection], random: Random) -> None:
        self._connect = connect
        self._random = random
        self._group: TaskGroup | None = None
        self.runs: list[PretendedRun] = []

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        try:
            async with anyio.create_task_group() as self._group:
                task_status.started()
                await anyio.sleep_forever()
        finally:
            self.kill_all()

    async def launch(self, order: LaunchSpec, listener: AttemptListener) -> PretendedRun:
        assert self._group is not None
        await anyio.sleep(self._random.random() * 0.05)
        run = PretendedRun(self._connect(), order.environment["run"], int(order.environment["attempt"]), listener)
        self.runs.append(run)
        self._group.start_soon(run.live)
        return run

    def alive(self) -> list[PretendedRun]:
        return [run for run in self.runs if not run.connection.dead]

    def kill_all(self) -> None:
        for run in self.alive():
            run.kill()
