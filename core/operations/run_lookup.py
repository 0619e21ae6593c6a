"""Runs as the log has them: folded, and also those that were deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from headwater.core.aggregates import Aggregate
from headwater.core.errors import NotFound
from headwater.core.events import RunDeleted
from headwater.core.hints import ListRunsAction, hint
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.runs import rules as run_rules
from headwater.core.runs.commands import RunCommand
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import parsed_uuid


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
