"""Cancelling a run, and with it the runs that its tasks created."""

from __future__ import annotations

import logging
from collections.abc import Collection

import anyio

from headwater.core.aggregates import Actor, Aggregate, CommandResult
from headwater.core.errors import HeadwaterError
from headwater.core.events import CancelCause
from headwater.core.log.protocol import Log
from headwater.core.operations.holder_notices import notify_holder
from headwater.core.operations.run_lookup import load_run
from headwater.core.operations.wake_ups import settle_wake_up
from headwater.core.runs.commands import CancelRun, RunCommand
from headwater.core.runs.state import Run

CHILD_RUN_RESULT = "ChildRunResult"
"""The kind of result by which a task run says that its value is the id of a run that it created."""
CHILDREN_AT_ONCE = 20
_log = logging.getLogger(__name__)


async def cancel_with_children(log: Log, cancelled: Aggregate[Run, RunCommand], command: CancelRun, actor: Actor) -> CommandResult[Run]:
    """Ask that the run ends, and where this call asked first, that those end which its tasks created."""
    outcome = await cancelled.execute(command, actor, refresh=False)
    if outcome.state.ended:
        await settle_wake_up(log.queues, outcome.state, now=command.at)
    if outcome.changed:
        if outcome.state.held:
            await notify_holder(log, outcome.state)
        await cancel_children(log, outcome.state, actor)
    return outcome


async def cancel_children(log: Log, run: Run, actor: Actor, *, more: Collection[str] = ()) -> None:
    """Ask that the runs end which tasks of this one created, and theirs; without waiting for that. `more` are ids that its events lack.

    What of it fails is logged in a line of this program: the run itself is cancelled all the same.
    """
    created = {str(found.result.value) for found in run.task_runs.values() if found.result and found.result.type == CHILD_RUN_RESULT}
    turn = anyio.CapacityLimiter(CHILDREN_AT_ONCE)

    async def cancel(child_id: str) -> None:
        try:
            async with turn:
                child = await load_run(log.events, child_id)
                await cancel_with_children(log, child, CancelRun(actor.clock(), *_why_with_parent(run, child.state)), actor)
        except HeadwaterError as error:
            _log.warning("Run %s, which run %r created, could not be cancelled: %s", child_id, run.name, error)

    async with anyio.create_task_group() as group:
        for child_id in sorted(created.union(more)):
            group.start_soon(cancel, child_id)


def _why_with_parent(parent: Run, child: Run) -> tuple[str, str]:
    """Return reason and cause of a cancel that follows that of the parent: where their project was deleted, that is why."""
    asked = parent.cancel_request
    if asked is not None and asked.cause == CancelCause.PROJECT_DELETED and parent.created.project_id == child.created.project_id:
        return asked.reason, asked.cause
    return f"Its parent run {parent.name!r} was cancelled.", CancelCause.PARENT_CANCELLED
