"""Replay: fold the log up to a moment and say what was the case then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from headwater.audit.kept_states import WEIGHT_MAX
from headwater.audit.moment import Moment, OnProgress, includes, recorded_until
from headwater.audit.snapshot import snapshot_of
from headwater.audit.state_at import StateAt
from headwater.core.errors import NotFound
from headwater.core.log import subjects
from headwater.core.log.protocol import EventLog
from headwater.core.values.identifiers import parsed_uuid


class Replayed:
    """What was the case after the commit at `position`, recorded at `time`: by kind, facts as plain data (see `snapshot_of`).

    `commits` counts what was folded. `unreadable` names commits that this version cannot read: position, subject, reason; of very many
    the first, and `unreadable_count` tells how many there are. Facts are made while they are iterated: there may be millions.
    """

    def __init__(self, state: StateAt, commits: int, belongs: Callable[[str, str, Any], bool] = lambda _kind, _id, _state: True) -> None:
        self.position = state.position
        self.time = state.time
        self.commits = commits
        self.unreadable = state.unreadable
        self.unreadable_count = state.unreadable_count
        self._states = state.states
        self._belongs = belongs

    @property
    def projects(self) -> Iterator[dict[str, Any]]:
        return self._facts("project")

    @property
    def key_values(self) -> Iterator[dict[str, Any]]:
        return self._facts("kv")

    @property
    def flows(self) -> Iterator[dict[str, Any]]:
        return self._facts("flow")

    @property
    def runs(self) -> Iterator[dict[str, Any]]:
        return self._facts("run")

    @property
    def queues(self) -> Iterator[dict[str, Any]]:
        return self._facts("queue")

    @property
    def agents(self) -> Iterator[dict[str, Any]]:
        return self._facts("agent")

    def _facts(self, kind: str) -> Iterator[dict[str, Any]]:
        for aggregate_id, state in self._states[kind].items():
            if self._belongs(kind, aggregate_id, state):
                yield snapshot_of(kind, aggregate_id, state)


async def replay_run(log: EventLog, run_id: str, *, as_of: Moment = None) -> Replayed:
    """Return what was the case with this run.

    Raises:
        InvalidArgument: this is not an id.
        NotFound: there was no such run at that moment.
        LogError: the log could not be read.

    """
    subject = subjects.run(str(parsed_uuid(run_id, kind="run id")))
    state, commits = StateAt(), 0
    for recorded in await log.read(subject):
        if includes(as_of, recorded):
            state.fold(recorded)
            commits += 1
    if not commits:
        raise NotFound("run", run_id, hint="It did not exist at that moment." if as_of is not None else None)
    return Replayed(state, commits)


async def replay(
    log: EventLog, *, as_of: Moment = None, on_progress: OnProgress = lambda _: None, weight_max: int = WEIGHT_MAX
) -> Replayed:
    """Return what was the case with everything. Reads the whole log up to that moment.

    Raises:
        LogError: the log could not be read.
        NoRoomToFold: there is neither memory nor disk for what it tells.

    """
    return Replayed(*await _fold(log, as_of, on_progress, weight_max))


async def replay_project(log: EventLog, project: str, *, as_of: Moment = None, on_progress: OnProgress = lambda _: None) -> Replayed:
    """Return what was the case with the project of this name or id, its flows and its runs. Reads the whole log up to that moment.

    Of several projects that bore the name, one that was not deleted comes before the others, and then the newest.

    Raises:
        NotFound: there was no such project at that moment.
        LogError: the log could not be read.
        NoRoomToFold: there is neither memory nor disk for what it tells.

    """
    state, commits = await _fold(log, as_of, on_progress)
    named = [
        (not found.deleted, number, project_id)
        for number, (project_id, found) in enumerate(state.states["project"].items())
        if project in {found.name, project_id}
    ]
    if not named:
        raise NotFound("project", project, hint="It did not exist at that moment." if as_of is not None else None)
    chosen = max(named)[2]

    def belongs(kind: str, aggregate_id: str, state: Any) -> bool:
        match kind:
            case "project":
                return aggregate_id == chosen
            case "flow" | "kv":
                return bool(state.project_id == chosen)
            case "run":
                return bool(state.exists and state.created.project_id == chosen)
            case _:
                return False

    return Replayed(state, commits, belongs)


async def _fold(log: EventLog, as_of: Moment, on_progress: OnProgress, weight_max: int = WEIGHT_MAX) -> tuple[StateAt, int]:
    state, commits = StateAt(weight_max=weight_max), 0
    async for recorded in recorded_until(log, as_of):
        state.fold(recorded)
        commits += 1
        if commits % 1000 == 0:
            on_progress(state.position)
    return state, commits
