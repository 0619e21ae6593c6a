"""How the runs of schedules stand that had not ended when they were looked at: read once each, then followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from headwater.core.events import OpenRun, RunCreated
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, Recorded
from headwater.core.operations.run_lookup import load_head, may_tell_of_runs
from headwater.core.runs import run_head
from headwater.core.runs.run_head import RunHead
from headwater.core.schedules.commands import RunStanding
from headwater.core.states import FAILED, SUCCESSFUL, StateName

RUNS_MAX = 100_000
"""So many runs are followed; of others it is read again how they stand."""


class OpenRuns:
    """Runs that are followed. `fold` takes every commit of the log, and tells of which schedule a run has ended."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._heads: dict[str, tuple[RunHead, Position]] = {}
        self._schedules: dict[str, str] = {}
        self._of_schedule: defaultdict[str, set[str]] = defaultdict(set)

    async def standing(self, schedule_id: str, runs: Iterable[OpenRun], now: datetime) -> Mapping[str, RunStanding]:
        """Return how these runs of the schedule stand; one that is not there yet counts as unfinished."""
        found = {}
        for run in runs:
            head, _ = self._heads.get(run.run_id) or await self._load(run.run_id, schedule_id)
            found[run.run_id] = standing_of(head, now)
        return found

    def expect(self, run_id: str, schedule_id: str) -> None:
        """Follow a run that is about to be created: all that happens to it is still to come."""
        self._follow(run_id, schedule_id, *self._heads.get(run_id, (RunHead(), 0)))

    def note_never(self, run_id: str, schedule_id: str) -> None:
        """Let a run that cannot be made count as cancelled: nothing waits for it."""
        self._follow(run_id, schedule_id, RunHead(state=StateName.CANCELLED), 0)

    def keep_only(self, schedule_id: str, run_ids: Collection[str]) -> None:
        """Follow no more runs of the schedule than these; others it decided without this server."""
        for run_id in [each for each in self._of_schedule.get(schedule_id, ()) if each not in run_ids]:
            self.forget(run_id)

    def clear(self) -> None:
        """Follow nothing: each is read again."""
        self._heads.clear()
        self._schedules.clear()
        self._of_schedule.clear()

    async def exists(self, run_id: str, schedule_id: str) -> bool:
        """Tell whether this run is there."""
        head, _ = self._heads.get(run_id) or await self._load(run_id, schedule_id)
        if not head.exists:
            self.forget(run_id)
        return head.exists

    async def _load(self, run_id: str, schedule_id: str) -> tuple[RunHead, Position]:
        # Followed first: what happens while it is read is not missed.
        self._follow(run_id, schedule_id, RunHead(), 0)
        while True:
            head, position = await load_head(self._log, run_id)
            _, followed_to = self._heads.get(run_id, (head, position))
            if followed_to <= position:
                break
        self._follow(run_id, schedule_id, head, position)
        return head, position

    def _follow(self, run_id: str, schedule_id: str, head: RunHead, position: Position) -> None:
        self._heads[run_id] = (head, position)
        self._schedules[run_id] = schedule_id
        self._of_schedule[schedule_id].add(run_id)
        while len(self._heads) > RUNS_MAX:
            self.forget(next(iter(self._heads)))

    def fold(self, recorded: Recorded) -> str | None:
        """Take a commit in; return the schedule whose run has ended by it, if it is one of those that are followed."""
        address = subjects.parse(recorded.subject)
        if address is None or address.kind != "run" or address.id not in self._heads or not may_tell_of_runs(recorded.data):
            return None
        head, position = self._heads[address.id]
        if recorded.position <= position:
            return None
        for event in recorded.events:
            # What it was given decides nothing here, and may be large.
            kept = replace(event, parameters={}, context={}, run_config={}) if isinstance(event, RunCreated) else event
            head = run_head.evolve(head, kept)
        self._heads[address.id] = (head, recorded.position)
        return self._schedules.get(address.id) if head.ended else None

    def forget(self, run_id: str) -> None:
        """Follow the run no more."""
        self._heads.pop(run_id, None)
        schedule_id = self._schedules.pop(run_id, "")
        of_schedule = self._of_schedule.get(schedule_id)
        if of_schedule is not None:
            of_schedule.discard(run_id)
            if not of_schedule:
                del self._of_schedule[schedule_id]


def standing_of(run: RunHead, now: datetime) -> RunStanding:
    """Return how a run stands as a schedule sees it."""
    if run.state in SUCCESSFUL:
        return RunStanding.SUCCEEDED
    if run.state in FAILED:
        return RunStanding.FAILED
    if run.state is StateName.CANCELLED:
        return RunStanding.CANCELLED
    waits_for_its_time = run.waits and run.queued_after is None and run.due_at is not None and run.due_at > now
    return RunStanding.WAITS_FOR_ITS_TIME if waits_for_its_time else RunStanding.UNFINISHED
