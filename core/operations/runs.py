"""Looking at runs that exist; waking, cancelling, renaming, restarting and deleting them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import anyio

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import Ambiguous, HeadwaterError, NotFound
from headwater.core.events import CancelCause, RunDeleted
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, RunQueues, WorkItem
from headwater.core.operations.flows import registration, tasks_and_edges
from headwater.core.runs import rules as run_rules
from headwater.core.runs.commands import CancelRun, DeleteRun, RenameRun, RescheduleRun, RestartRun, RunCommand
from headwater.core.runs.state import Run
from headwater.core.states import StateName
from headwater.core.values.identifiers import parsed_uuid
from headwater.core.values.moments import instant

CHILD_RUN_RESULT = "ChildRunResult"
"""The kind of result by which a task run says that its value is the id of a run that it created."""
CHILDREN_AT_ONCE = 20
_log = logging.getLogger(__name__)


def run(log: EventLog, run_id: str) -> Aggregate[Run, RunCommand]:
    return Aggregate(log, subjects.run(run_id), run_rules.RULES)


async def load_run(log: EventLog, run_id: str) -> Aggregate[Run, RunCommand]:
    """Return the run, folded.

    Raises:
        InvalidArgument: this is not an id.
        NotFound: there is no such run.

    """
    loaded = run(log, str(parsed_uuid(run_id, kind="run id")))
    if (await loaded.refresh()).created is None:
        raise NotFound("run", run_id, hint="`headwater get flow-runs` lists runs with their ids.")
    return loaded


async def schedule_wake_up(queues: RunQueues, state: Run, *, now: datetime) -> None:
    """Set the wake-up that a waiting run needs: its timer, or an offer where it is due. Does nothing for any other run."""
    if state.created is None or state.state is not StateName.SCHEDULED or state.held or state.start_time is None:
        return
    item = WorkItem(run_id=state.created.run_id, queue_id=state.created.queue_id, generation=state.generation)
    if state.start_time > now:
        await queues.set_timer(item, due=state.start_time)
    else:
        await queues.cancel_timer(item.run_id)
        await queues.enqueue(item)


async def cancel_run(
    log: EventLog, queues: RunQueues, run_id: str, actor: Actor, *, reason: str = "", cause: CancelCause = CancelCause.USER
) -> CommandResult[Run]:
    """Ask that the run ends. Without an attempt it is final when this returns; with one, its agent stops it.

    A run that has ended, or is being cancelled, stays as it is; the outcome tells which. The runs that its tasks created, and that have
    not ended, are cancelled with it. `cause` is what programs go by, `reason` what people read.

    Raises:
        InvalidArgument, NotFound: there is no such run.

    """
    return await _cancel(log, queues, await load_run(log, run_id), CancelRun(actor.clock(), reason, cause), actor)


async def _cancel(
    log: EventLog, queues: RunQueues, cancelled: Aggregate[Run, RunCommand], command: CancelRun, actor: Actor
) -> CommandResult[Run]:
    outcome = await cancelled.execute(command, actor, refresh=False)
    state = outcome.state
    if state.ended and state.created is not None:
        await queues.cancel_timer(state.created.run_id)
    if outcome.changed:
        await cancel_children(log, queues, state, actor)
    return outcome


async def cancel_children(log: EventLog, queues: RunQueues, run: Run, actor: Actor, *, more: Iterable[str] = ()) -> None:
    """Ask that the runs end which tasks of this one created, and theirs; nobody waits for that. `more` are ids that its events lack.

    What of it fails is told in a log line of this program: the run itself is cancelled all the same.
    """
    created = {str(found.result.value) for found in run.task_runs.values() if found.result and found.result.type == CHILD_RUN_RESULT}
    turn = anyio.CapacityLimiter(CHILDREN_AT_ONCE)

    async def cancel(child_id: str) -> None:
        try:
            async with turn:
                child = await load_run(log, child_id)
                await _cancel(log, queues, child, CancelRun(actor.clock(), *_why_with_parent(run, child.state)), actor)
        except HeadwaterError as error:
            _log.warning("Run %s, which run %r created, could not be cancelled: %s", child_id, run.name, error)

    async with anyio.create_task_group() as group:
        for child_id in sorted(created.union(more)):
            group.start_soon(cancel, child_id)


def _why_with_parent(parent: Run, child: Run) -> tuple[str, str]:
    """Return reason and cause of a cancel that follows that of the parent: where their project was deleted, that is why."""
    asked = parent.cancel_request
    if asked is not None and asked.cause == CancelCause.PROJECT_DELETED and _project_of(parent) == _project_of(child):
        return asked.reason, asked.cause
    return f"Its parent run {parent.name!r} was cancelled.", CancelCause.PARENT_CANCELLED


def _project_of(run: Run) -> str | None:
    return None if run.created is None else run.created.project_id


async def rename_run(log: EventLog, run_id: str, name: str, actor: Actor) -> CommandResult[Run]:
    """Give the run another name.

    Raises:
        InvalidArgument, NotFound, InvalidName: nothing was changed.

    """
    return await (await load_run(log, run_id)).execute(RenameRun(name), actor, refresh=False)


async def delete_run(log: EventLog, run_id: str, actor: Actor, *, reason: str = "") -> CommandResult[Run]:
    """Take a run that has ended off lists and counts; its history stays in the log.

    Raises:
        InvalidArgument, NotFound: there is no such run.
        IllegalTransition: it has not ended.

    """
    return await (await load_run(log, run_id)).execute(DeleteRun(reason), actor, refresh=False)


class NamedTask(Protocol):
    """A task of a flow, in its registration or in the views."""

    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class DeletedRun:
    """A run that was deleted, as it was then; when that was, and who did it for which reason. `position` is that of the deletion."""

    run: Run
    at: datetime
    actor: str
    reason: str
    position: Position

    @property
    def words(self) -> str:
        """What happened, as a sentence."""
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.run.name!r} was deleted at {self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC by {self.actor}{because}."


async def find_deleted_run(log: EventLog, run_id: str) -> DeletedRun | None:
    """Return the run if it was deleted, which only the log knows; None where it was not, or never was."""
    state, found = run_rules.RULES.initial, None
    for recorded in await log.read(subjects.run(run_id)):
        state = run_rules.RULES.fold(recorded.events, state)
        for event in recorded.events:
            if isinstance(event, RunDeleted):
                found = (recorded.commit.at, recorded.commit.actor, event.reason, recorded.position)
    return None if found is None else DeletedRun(state, *found)


async def restart_run(
    log: EventLog, queues: RunQueues, run_id: str, actor: Actor, *, from_task: str | None = None, reason: str = ""
) -> CommandResult[Run]:
    """Execute a run that has ended once more, as its next attempt.

    What failed or was cancelled is executed again, and so is everything that follows it; `from_task` (a slug, or the name of the only
    task called so) and what follows it too. The other tasks keep what they have.

    Raises:
        InvalidArgument, NotFound: there is no such run, or its flow has no such task.
        Ambiguous: several tasks are called so.
        IllegalTransition: the run has not ended, or it succeeded and no task is named.

    """
    loaded = await load_run(log, run_id)
    created = loaded.state.created
    assert created is not None
    tasks, edges = await tasks_and_edges(log, await registration(log, created.flow_id))
    slug = "" if from_task is None else slug_of(from_task, tasks)
    command = RestartRun(actor.clock(), tuple(task.slug for task in tasks), edges, slug, reason)
    outcome = await loaded.execute(command, actor, refresh=False)
    await schedule_wake_up(queues, outcome.state, now=actor.clock())
    return outcome


def slug_of(task: str, tasks: Sequence[NamedTask]) -> str:
    """Return the slug of the task that is meant by a slug, or by the name of the only task called so. Raises Ambiguous."""
    if any(each.slug == task for each in tasks):
        return task
    named = [each.slug for each in tasks if each.name == task]
    if len(named) > 1:
        raise Ambiguous(f"Several tasks are called {task!r}.", hint=f"Say which by its slug: {', '.join(named)}.")
    return named[0] if named else task


async def reschedule_run(log: EventLog, queues: RunQueues, run_id: str, start_time: datetime, actor: Actor) -> CommandResult[Run]:
    """Let a run that waits start at another time (in the past: now; without a zone: in UTC). Its former wake-ups mean nothing from here on.

    Raises:
        InvalidArgument, NotFound: there is no such run.
        IllegalTransition: the run does not wait.

    """
    loaded = await load_run(log, run_id)
    outcome = await loaded.execute(RescheduleRun(max(instant(start_time), actor.clock())), actor, refresh=False)
    await schedule_wake_up(queues, outcome.state, now=actor.clock())
    return outcome
