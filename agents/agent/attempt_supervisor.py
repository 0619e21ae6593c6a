"""The supervisor of one attempt: starts, watches and ends its process, and records its end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

import anyio

from headwater.agents.agent.agent_context import AgentContext
from headwater.agents.agent.attempt_ends import crash_pause, duration, ends_attempt
from headwater.agents.agent.held_runs import HeldRun
from headwater.agents.agent.outage import Waiting
from headwater.agents.agent.start_failures import StartFailures
from headwater.agents.attempt_spec import attempt_actor
from headwater.agents.errors import CannotLaunch, LauncherGone, LaunchFailed
from headwater.agents.failures import without_source
from headwater.agents.launcher import AttemptListener, AttemptReport, ChildProcess, ExitResult, Launcher, LaunchSpec
from headwater.core.aggregates import Aggregate
from headwater.core.errors import CommitUnreadable, IllegalTransition
from headwater.core.log.commit import Position
from headwater.core.log.protocol import LogLine, Recorded
from headwater.core.runs.commands import ConfirmCancelled, FailUnstartedRun, MarkAttemptLost, RunCommand
from headwater.core.runs.state import Run
from headwater.core.states import StateName
from headwater.core.values.identifiers import new_id

LAUNCHES_MAX = 3
_REASON_CHARACTERS_MAX = 300
_LAGS_SECONDS = (0.1, 0.4, 1.5)
_SIGNALS_APART_SECONDS = 1.0
"""Signals to the agent and to its runs that are meant as one arrive within so long."""

Prepare = Callable[[Run, Position], LaunchSpec]
"""Makes the order to launch the attempt just claimed, at this position. Raises CannotLaunch where it can never be launched here."""


class AttemptOutcome(Enum):
    """What became of an attempt."""

    ENDED = auto()
    """The run has ended: its items are done with."""
    LOST = auto()
    """The attempt is recorded as lost: the run waits for its next one."""
    RELEASED = auto()
    """The attempt is recorded as lost, and another agent is to make the next one."""
    NO_FLOW_SLOT = auto()
    """The run waits for a slot of its flow: it is offered again when one is free."""
    SUPERSEDED = auto()
    """The run went on without us; its items are another agent's."""


class AttemptSupervisor:
    """How an agent executes what it has claimed. `stopping` is set when the agent must stop."""

    def __init__(
        self, context: AgentContext, launcher: Launcher, prepare: Prepare, *, start_failures: StartFailures, stopping: anyio.Event
    ) -> None:
        self._headwater = context.headwater
        self._log = context.headwater.log
        self._launcher = launcher
        self._prepare = prepare
        self._actor = context.headwater.actor
        self._now = context.now
        self._outage = context.outage
        self._deadline = context.deadline
        self._start_failures = start_failures
        self._stopping = stopping
        self._console_log = context.console_log
        self._grace_seconds = context.settings.grace_seconds
        self._look_seconds = context.settings.lease_seconds / 2
        self._attempts_max = context.settings.attempts_max

    async def supervise(self, run: Aggregate[Run, RunCommand], held: HeldRun) -> AttemptOutcome:
        """Execute the attempt just claimed, until its end is in the log."""
        began = time.monotonic()
        try:
            spec = self._prepare(run.state, run.position)
        except CannotLaunch as refusal:
            return await self._refuse(run, held, refusal, began)
        held.starts_failed = self._start_failures.times
        recording = Waiting(self._outage)
        try:
            held.process = await self._launch(spec, AttemptListener(recording.reported, lambda: self._note_started(held)))
            self._console_log.info(
                "Run '%s' (%s) of flow '%s' started, attempt %d.", held.name, held.created.run_id, held.created.flow_name, held.attempt
            )
            exit_result = await self._wait_for_exit(run, held, held.process)
            if exit_result.report is None or not exit_result.report.not_begun:
                self._start_failures.made_room()
        except LaunchFailed as failure:
            exit_result = ExitResult(status=1, report=AttemptReport(not_begun=failure.reason))
        except LauncherGone as gone:
            exit_result = ExitResult(status=1, report=AttemptReport(not_begun=str(gone)))
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(self._deadline.left(self._grace_seconds), shield=True):
                await self._mark_lost(run, held, "the agent was stopped", released=True)
            raise
        finally:
            held.process = None
            recording.end()
        return await self._finish(run, held, exit_result, began)

    async def release(self, run: Aggregate[Run, RunCommand], held: HeldRun, reason: str) -> AttemptOutcome:
        """Give up the attempt just claimed, before anything of it runs: the run waits for a slot of its flow."""
        await self._mark_lost(run, held, reason, released=True)
        return AttemptOutcome.ENDED if run.state.ended else AttemptOutcome.NO_FLOW_SLOT

    async def _launch(self, spec: LaunchSpec, listener: AttemptListener) -> ChildProcess:
        launches = 0
        while True:
            launches += 1
            try:
                return await self._launcher.launch(spec, listener)
            except LauncherGone:
                if launches == LAUNCHES_MAX:
                    raise

    async def _wait_for_exit(self, run: Aggregate[Run, RunCommand], held: HeldRun, process: ChildProcess) -> ExitResult:
        """Wait for the process's end; bring it about where the run is to be cancelled, or is not ours any more."""
        if held.releasing:
            await process.stop(grace_seconds=self._grace_seconds)
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_when_taken_away, run, held, process)
            exit_result = await process.wait()
            group.cancel_scope.cancel()
        return exit_result

    def _note_started(self, held: HeldRun) -> None:
        held.slot.mark_started()
        self._start_failures.over(held.starts_failed)

    async def _stop_when_taken_away(self, run: Aggregate[Run, RunCommand], held: HeldRun, process: ChildProcess) -> None:
        """Stop the process when the log says that its attempt must end: others tell so, and what they tell may be lost."""
        while True:
            with anyio.move_on_after(self._look_seconds):
                await held.told.wait()
            if held.told.is_set() or await self._others_wrote(run, held):
                held.told = anyio.Event()
                if await self._must_stop(run, held):
                    await process.stop(grace_seconds=self._grace_seconds)
                    return

    async def _others_wrote(self, run: Aggregate[Run, RunCommand], held: HeldRun) -> bool:
        """Tell whether others wrote that the attempt must end, since the last look.

        Where the last commit on the run is the attempt's own, its supervisor has seen all that precedes it.
        """
        last = await self._outage.retry_until_available(lambda: self._log.events.last(run.subject), "the run")
        if last is None or last.position <= held.seen:
            return False
        since, held.seen = max(held.seen, run.position), last.position
        if _is_of_attempt(last, held):
            return False
        news = await self._outage.retry_until_available(lambda: self._log.events.read(run.subject, after=since), "the run")
        return any(ends_attempt(recorded, held.attempt) for recorded in news)

    async def _must_stop(self, run: Aggregate[Run, RunCommand], held: HeldRun) -> bool:
        """Tell whether the log says so, too: anybody can write to the feed of news. A replica may lag behind it for a moment."""
        for pause in _LAGS_SECONDS:
            state = await self._outage.retry_until_available(run.refresh, "the run")
            if state.cancel_requested or not state.held or state.attempt != held.attempt:
                return True
            await anyio.sleep(pause)
        return False

    async def _finish(self, run: Aggregate[Run, RunCommand], held: HeldRun, exit_result: ExitResult, began: float) -> AttemptOutcome:
        report = exit_result.report
        if report is not None and report.state is not None:
            self._print_end(held, report.state, report.duration_seconds, report.message)
            return AttemptOutcome.ENDED
        state = await self._outage.retry_until_available(run.refresh, "the run")
        if held.attempt == state.attempt and state.held:
            if state.cancel_requested:
                return await self._confirm_cancelled(run, held, began)
            if held.releasing:
                return await self._record_release(run, held, "the agent was stopped", began)
            if exit_result.given_back:
                return await self._record_release(run, held, exit_result.given_back, began)
            if report is not None and report.not_begun and state.state is StateName.SUBMITTED:
                return await self._record_release(run, held, self._start_failures.found(report.not_begun), began)
            if exit_result.told_to_end and await self._is_stopping():
                return await self._record_release(run, held, f"it was told to end with its agent: {exit_result.words}", began)
            return await self._record_crash(run, held, exit_result, began)
        if state.attempt == held.attempt and not state.ended:
            # Parked: its process has set the timer, unless it died over that.
            await self._outage.retry_until_available(
                lambda: self._headwater.runs.schedule_wake_up(state, now=self._now()), "the run's timer"
            )
        return self._outcome_of(run.state, held, began)

    async def _is_stopping(self) -> bool:
        """Tell whether this agent must stop, or will have to in a moment: who ends a service signals all its processes, one by one."""
        with anyio.move_on_after(_SIGNALS_APART_SECONDS):
            await self._stopping.wait()
        return self._stopping.is_set()

    async def _record_release(self, run: Aggregate[Run, RunCommand], held: HeldRun, reason: str, began: float) -> AttemptOutcome:
        """Record that the attempt is given up, which counts for nothing: another agent may make the next one."""
        await self._mark_lost(run, held, reason, released=True)
        if run.state.ended:
            return self._outcome_of(run.state, held, began)  # it was cancelled meanwhile
        self._console_log.info("Run '%s' was handed back (%s): another agent may take it.", held.name, reason)
        return AttemptOutcome.RELEASED

    async def _record_crash(self, run: Aggregate[Run, RunCommand], held: HeldRun, exit_result: ExitResult, began: float) -> AttemptOutcome:
        """Record that the process died without an end: the run's next attempt follows, or there were too many."""
        tail = without_source(exit_result.last_lines)
        reason = f"the run's process died: {exit_result.words}"
        if said := next((line.strip() for line in reversed(tail) if line.strip()), ""):
            reason = f"{reason}, after printing: {said[:_REASON_CHARACTERS_MAX]}"
        self._console_log.error("Run '%s': attempt %d was lost: %s", held.name, held.attempt, reason)
        await self._log_crash(held, reason, tail)
        retry_at = self._now() + crash_pause(run.state.attempts_lost)
        await self._mark_lost(run, held, reason, retry_at=retry_at)
        await self._outage.retry_until_available(
            lambda: self._headwater.runs.schedule_wake_up(run.state, now=self._now()), "the run's timer"
        )
        return self._outcome_of(run.state, held, began)

    async def _log_crash(self, held: HeldRun, reason: str, tail: list[str]) -> None:
        now = self._actor.clock()
        texts = [f"Attempt {held.attempt} was lost: {reason}", *(f"last output: {line}" for line in tail)]
        lines = [LogLine(at=now, level=logging.ERROR, logger="agent", message=text) for text in texts]
        await self._outage.retry_until_available(lambda: self._log.logs.write(held.created.run_id, held.attempt, lines), "the run's log")

    async def _confirm_cancelled(self, run: Aggregate[Run, RunCommand], held: HeldRun, began: float) -> AttemptOutcome:
        await self._execute(run, ConfirmCancelled(held.attempt, self._actor.clock()))
        return self._outcome_of(run.state, held, began)

    async def _refuse(self, run: Aggregate[Run, RunCommand], held: HeldRun, refusal: CannotLaunch, began: float) -> AttemptOutcome:
        message = f"{refusal} {refusal.hint}" if refusal.hint else str(refusal)
        lines = [LogLine(at=self._actor.clock(), level=logging.ERROR, logger="agent", message=message)]
        await self._outage.retry_until_available(lambda: self._log.logs.write(held.created.run_id, held.attempt, lines), "the run's log")
        await self._execute(run, FailUnstartedRun(at=self._actor.clock(), message=message, attempt=held.attempt))
        return self._outcome_of(run.state, held, began)

    async def _mark_lost(
        self,
        run: Aggregate[Run, RunCommand],
        held: HeldRun,
        reason: str,
        *,
        retry_at: datetime | None = None,
        released: bool = False,
    ) -> None:
        await self._execute(
            run, MarkAttemptLost(held.attempt, reason, self._actor.clock(), self._attempts_max, retry_at=retry_at, released=released)
        )

    async def _execute(self, run: Aggregate[Run, RunCommand], command: RunCommand) -> None:
        """Append what the command leads to; where the run went on without us, its new state is what counts."""
        commit_id = new_id()
        try:
            await self._outage.retry_until_available(
                lambda: run.execute(command, self._actor, commit_id=commit_id), f"the end of {run.subject}"
            )
        except IllegalTransition:
            await self._outage.retry_until_available(run.refresh, "the run")

    def _outcome_of(self, state: Run, held: HeldRun, began: float) -> AttemptOutcome:
        """Say what the log says of the run now that our attempt is over."""
        if state.ended and state.attempt == held.attempt:
            self._print_end(held, state.state.value, time.monotonic() - began, state.message)
            return AttemptOutcome.ENDED
        if not state.ended and not state.held and state.attempt == held.attempt:
            return AttemptOutcome.LOST
        self._console_log.warning("Run '%s': attempt %d ended, since the run went on without it.", held.name, held.attempt)
        return AttemptOutcome.SUPERSEDED

    def _print_end(self, held: HeldRun, state: str, seconds: float, message: str) -> None:
        self._console_log.info("Run '%s' (%s) ended: %s after %s. %s", held.name, held.created.run_id, state, duration(seconds), message)


def _is_of_attempt(recorded: Recorded, held: HeldRun) -> bool:
    try:
        return recorded.commit.actor == attempt_actor(held.created.run_id, held.attempt)
    except CommitUnreadable:
        return False
