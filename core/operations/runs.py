"""What people and programs do with runs: create, cancel, rename, delete, restart and reschedule them, and set their states."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import Conflict, InvalidArgument, VersionConflict
from headwater.core.events import CancelCause, EdgeSpec, ResultReference, TaskSpec
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, WorkItem
from headwater.core.operations.cancellation import cancel_children, cancel_with_children
from headwater.core.operations.flow_lookup import registration, tasks_and_edges
from headwater.core.operations.run_creation import CreatedRun, RunCreation, RunRequest, complete_creation
from headwater.core.operations.run_lookup import load_run
from headwater.core.operations.task_names import slug_of, task_run_key
from headwater.core.operations.wake_ups import schedule_wake_up, settle_wake_up
from headwater.core.runs import set_state
from headwater.core.runs.commands import (
    CancelRun,
    DeleteRun,
    RenameRun,
    RescheduleRun,
    RestartRun,
    ResumeTaskRuns,
    RunCommand,
    SetRunState,
    SetTaskRunState,
)
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRunKey
from headwater.core.states import StateName
from headwater.core.values.moments import instant


class Runs:
    """The runs of one log, as one actor changes them."""

    def __init__(self, log: Log, actor: Actor, creation: RunCreation) -> None:
        self._log = log
        self._events = log.events
        self._queues = log.queues
        self._actor = actor
        self._creation = creation

    async def load(self, run_id: str) -> Aggregate[Run, RunCommand]:
        """Return the run, folded.

        Raises:
            InvalidArgument: this is not an id.
            NotFound: there is no such run.

        """
        return await load_run(self._events, run_id)

    async def create(self, flow_id: str, request: RunRequest) -> CreatedRun:
        """Create a run of this flow version (or of the newest, where the id is a flow group's). It is on disk when this returns.

        Raises:
            NotFound, FlowArchived, InvalidArgument, InvalidName: nothing was written.
            LogError: as the log's `append`; where the outcome is unknown, repeating with an idempotency key is safe.

        """
        return await self._creation.create(flow_id, request, self._actor)

    async def complete_creation(self, item: WorkItem) -> Aggregate[Run, RunCommand] | None:
        """Return the run that a wake-up is for, creating it from the wake-up where its creator did not get that far.

        Returns None where the run neither exists nor can be made: the wake-up means nothing.

        Raises:
            CommitUnreadable: what the wake-up carries is not the creation of this run, and nothing but that.

        """
        return await complete_creation(self._events, item)

    async def schedule_wake_up(self, state: Run, *, now: datetime | None = None, released: bool = False) -> None:
        """Set the wake-up that a waiting run needs: its timer, or an item where it is due. Does nothing for any other run.

        A run that waits for another one of its schedule gets one where it is `released`.
        """
        await schedule_wake_up(self._queues, state, now=now or self._actor.clock(), released=released)

    async def cancel(self, run_id: str, *, reason: str = "", cause: CancelCause = CancelCause.USER) -> CommandResult[Run]:
        """Ask that the run ends. Without an attempt it is final when this returns; with one, its agent stops it.

        A run that has ended, or is being cancelled, stays as it is; the result tells which. The runs that its tasks created, and that
        have not ended, are cancelled with it. `cause` is what programs go by, `reason` what people read.

        Raises:
            InvalidArgument, NotFound: there is no such run.

        """
        command = CancelRun(self._actor.clock(), reason, cause)
        return await cancel_with_children(self._log, await self.load(run_id), command, self._actor)

    async def cancel_children(self, run: Run, *, more: Collection[str] = ()) -> None:
        """Ask that the runs end which tasks of this one created, and theirs. `more` are ids that its events lack."""
        await cancel_children(self._log, run, self._actor, more=more)

    async def rename(self, run_id: str, name: str) -> CommandResult[Run]:
        """Give the run another name.

        Raises:
            InvalidArgument, NotFound, InvalidName: nothing was changed.

        """
        return await (await self.load(run_id)).execute(RenameRun(name), self._actor, refresh=False)

    async def delete(self, run_id: str, *, reason: str = "") -> CommandResult[Run]:
        """Take a run that has ended off lists and counts; its history stays in the log.

        Raises:
            InvalidArgument, NotFound: there is no such run.
            IllegalTransition: it has not ended.

        """
        return await (await self.load(run_id)).execute(DeleteRun(reason), self._actor, refresh=False)

    async def restart(self, run_id: str, *, from_task: str | None = None, reason: str = "") -> CommandResult[Run]:
        """Execute a run that has ended once more, as its next attempt.

        What failed or was cancelled is executed again, and so is everything that follows it; `from_task` (a slug, or the name of the
        only task called so) and what follows it too. The other tasks keep what they have.

        Raises:
            InvalidArgument, NotFound: there is no such run, or its flow has no such task.
            Ambiguous: several tasks are called so.
            IllegalTransition: the run has not ended, or it succeeded and no task is named.

        """
        loaded = await self.load(run_id)
        tasks, edges = await self._tasks_and_edges(loaded.state)
        slug = "" if from_task is None else slug_of(from_task, tasks)
        slugs = tuple(task.slug for task in tasks)
        return await self._execute(loaded, RestartRun(self._actor.clock(), slugs, edges, slug, reason))

    async def reschedule(self, run_id: str, due_at: datetime) -> CommandResult[Run]:
        """Let a run that waits start at another time (in the past: now; without a zone: in UTC). Its former wake-ups mean nothing then.

        Raises:
            InvalidArgument, NotFound: there is no such run.
            IllegalTransition: the run does not wait.

        """
        return await self._execute(await self.load(run_id), RescheduleRun(max(instant(due_at), self._actor.clock())))

    async def resume(self, run_id: str, *, tasks: Iterable[str] = (), reason: str = "") -> CommandResult[Run]:
        """Let paused task runs go on: those named (`load`, `load-1`, or `load[3]` for a mapped child), or all that are paused.

        Where no attempt has the run, its next one is scheduled at once. What goes on already stays as it is; the result tells.

        Raises:
            InvalidArgument, NotFound, Ambiguous: there is no such run, or no such task run in it.
            IllegalTransition: it is not paused.

        """
        loaded = await self.load(run_id)
        named = tuple(tasks)
        keys: tuple[TaskRunKey, ...] = ()
        if named:
            specs, _ = await self._tasks_and_edges(loaded.state)
            keys = tuple(task_run_key(each, specs) for each in named)
        return await self._execute(loaded, ResumeTaskRuns(self._actor.clock(), keys, reason))

    async def set_state(
        self, run_id: str, state: str, *, reason: str = "", due_at: datetime | None = None, position: Position | None = None
    ) -> CommandResult[Run]:
        """Set the state of a run: Success, Failed, Cancelled, or Scheduled to have it executed (at `due_at`).

        A run that an attempt executes can be cancelled this way, as `cancel` does it, and nothing else. With `position` the command is
        refused unless the last commit on the run is there.

        Raises:
            InvalidArgument, NotFound: there is no such run, or no such state.
            IllegalTransition: an attempt executes the run, or it is paused and is to be scheduled.
            VersionConflict: the run has changed since.

        """
        wanted = set_state.run_state(state)
        loaded = await self.load(run_id)
        specs: Sequence[TaskSpec] = ()
        edges: tuple[EdgeSpec, ...] = ()
        if wanted is StateName.SCHEDULED:
            specs, edges = await self._tasks_and_edges(loaded.state)
        elif due_at is not None:
            raise InvalidArgument(f"A run that is set to {wanted} has no start time.")
        at = self._actor.clock()
        due = None if due_at is None else max(instant(due_at), at)
        return await self._execute(loaded, SetRunState(at, wanted, reason, due, tuple(task.slug for task in specs), edges), position)

    async def set_task_run_state(
        self,
        run_id: str,
        task: str,
        state: str,
        *,
        map_index: int | None = None,
        reason: str = "",
        result: ResultReference | None = None,
        position: Position | None = None,
    ) -> CommandResult[Run]:
        """Set the state of a task run: Success (with an inline result, if any), Skipped, Failed, TimedOut, Cancelled, Pending, or Resume.

        The run's own state stays: restart it, or set its state. Where it waits for this task run, it goes on at once. `task` names the
        task run as in `resume`; `position` is as in `set_state`.

        Raises:
            InvalidArgument, NotFound, Ambiguous: there is no such run, task run or state.
            IllegalTransition: an attempt executes the run, or the task was mapped.
            VersionConflict: the run has changed since.

        """
        wanted = set_state.task_run_state(state)
        loaded = await self.load(run_id)
        specs, _ = await self._tasks_and_edges(loaded.state)
        slug, index = task_run_key(task, specs) if map_index is None else (slug_of(task, specs), map_index)
        slugs = tuple(spec.slug for spec in specs)
        return await self._execute(loaded, SetTaskRunState(self._actor.clock(), slug, index, wanted, reason, slugs, result), position)

    async def _execute(self, run: Aggregate[Run, RunCommand], command: RunCommand, position: Position | None = None) -> CommandResult[Run]:
        """Execute the command and let the run have the wake-up that it needs then; with a position only there."""
        try:
            outcome = await run.execute(command, self._actor, refresh=False, expected_position=position)
        except Conflict as conflict:
            if position is None:
                raise
            raise VersionConflict(subjects.address(run.subject).id, expected=position, found=conflict.found or run.position) from conflict
        await settle_wake_up(self._queues, outcome.state, now=self._actor.clock())
        return outcome

    async def _tasks_and_edges(self, run: Run) -> tuple[Sequence[TaskSpec], tuple[EdgeSpec, ...]]:
        return await tasks_and_edges(self._events, await registration(self._events, run.created.flow_id))
