"""Runs as the log has them: folded, and also those that were deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from msgspec.structs import replace

from headwater.core.aggregates import Aggregate
from headwater.core.errors import NotFound
from headwater.core.events import RunCreated, RunDeleted, RunEvent, TaskRunEvent
from headwater.core.hints import ListRunsAction, hint
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.log.undecoded import may_hold
from headwater.core.runs import rules as run_rules
from headwater.core.runs import run_head
from headwater.core.runs.commands import RunCommand
from headwater.core.runs.run_head import RunHead
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import parsed_uuid

may_tell_of_runs = may_hold(*(kind for kind in get_args(RunEvent) if not issubclass(kind, get_args(TaskRunEvent))))
"""Tells of the bytes of a commit on a run whether it may be about the run as a whole, and not about task runs alone."""


def run(log: EventLog, run_id: str) -> Aggregate[Run, RunCommand]:
    return Aggregate(log, subjects.run(run_id), run_rules.RULES)


async def load_run(log: EventLog, run_id: str) -> Aggregate[Run, RunCommand]:
    """Return the run, folded.

    Raises:
        InvalidArgument: this is not an id.
        NotFound: there is no such run.

    """
    loaded = run(log, str(parsed_uuid(run_id, kind="run id")))
    if not (await loaded.refresh()).exists:
        raise NotFound("run", run_id, hint=hint("{} lists runs with their ids.", ListRunsAction()))
    return loaded


async def load_head(log: EventLog, run_id: str) -> tuple[RunHead, Position]:
    """Return the run without its task runs, of which it may have very many, and up to where it was read. One that is not there is empty.

    What it was given is left out: it decides nothing, and may be large.
    """
    head, position = RunHead(), 0
    for recorded in await log.read(subjects.run(run_id)):
        position = recorded.position
        if may_tell_of_runs(recorded.data):
            for event in recorded.events:
                head = run_head.evolve(head, event)
    if head.exists:
        head = replace(head, creation=replace(head.created, parameters={}, context={}, run_config={}))
    return head, position


async def run_in_the_way(log: EventLog, run: RunHead) -> str | None:
    """Return the run that must end before this one may start, by the order in which their schedule made them; None where there is none.

    A run before it that was never executed, as one that was cancelled while it waited, tells nothing: the one before that counts.
    """
    earlier, seen = run.queued_after, set()
    while earlier is not None and earlier not in seen:  # strangers may write a circle
        seen.add(earlier)
        head, _ = await load_head(log, earlier)
        if head.exists and not head.ended:
            return earlier
        earlier = _after(head.created) if head.exists and not head.attempt else None
    return None


def _after(created: RunCreated) -> str | None:
    return None if created.scheduled_by is None else created.scheduled_by.after_run_id


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
