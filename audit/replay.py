"""Replay: fold the log up to a moment and say what was the case then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from headwater.audit.moment import Moment, includes, recorded_until
from headwater.audit.snapshot import snapshot_of
from headwater.audit.state_at import Key, StateAt
from headwater.core.errors import NotFound
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog
from headwater.core.values.identifiers import parsed_uuid

OnProgress = Callable[[Position], None]


class Replayed(msgspec.Struct, frozen=True):
    """What was the case after the commit at `position`, recorded at `time`: by kind, facts as plain data (see `snapshot_of`).

    `commits` counts what was folded. `unreadable` names commits that this version cannot read: position, subject, reason.
    """

    position: Position
    time: datetime | None
    commits: int
    projects: list[dict[str, Any]] = []
    key_values: list[dict[str, Any]] = []
    flows: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    queues: list[dict[str, Any]] = []
    agents: list[dict[str, Any]] = []
    unreadable: list[tuple[Position, str, str]] = []


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
    return _replayed(state, commits)


async def replay(log: EventLog, *, as_of: Moment = None, on_progress: OnProgress = lambda _: None) -> Replayed:
    """Return what was the case with everything. Reads the whole log up to that moment.

    Raises:
        LogError: the log could not be read.

    """
    state, commits = await _fold(log, as_of, on_progress)
    return _replayed(state, commits)


async def replay_project(log: EventLog, project: str, *, as_of: Moment = None, on_progress: OnProgress = lambda _: None) -> Replayed:
    """Return what was the case with the project of this name or id, its flows and its runs. Reads the whole log up to that moment.

    Of several projects that bore the name, one that was not deleted comes before the others, and then the newest.

    Raises:
        NotFound: there was no such project at that moment.
        LogError: the log could not be read.

    """
    state, commits = await _fold(log, as_of, on_progress)
    named = [
        (not state.deleted, number, project_id)
        for number, ((kind, project_id), state) in enumerate(state.states.items())
        if kind == "project" and project in {state.name, project_id}
    ]
    if not named:
        raise NotFound("project", project, hint="It did not exist at that moment." if as_of is not None else None)
    chosen = max(named)[2]

    def belongs(key: Key, state: Any) -> bool:
        match key:
            case ("project", project_id):
                return project_id == chosen
            case ("flow" | "kv", _):
                return bool(state.project_id == chosen)
            case ("run", _):
                return bool(state.exists and state.created.project_id == chosen)
            case _:
                return False

    state.states = {key: state for key, state in state.states.items() if belongs(key, state)}
    return _replayed(state, commits)


async def _fold(log: EventLog, as_of: Moment, on_progress: OnProgress) -> tuple[StateAt, int]:
    state, commits = StateAt(), 0
    async for recorded in recorded_until(log, as_of):
        state.fold(recorded)
        commits += 1
        if commits % 1000 == 0:
            on_progress(state.position)
    return state, commits


def _replayed(state: StateAt, commits: int) -> Replayed:
    def of(wanted: str) -> list[dict[str, Any]]:
        return [snapshot_of(kind, aggregate_id, state) for (kind, aggregate_id), state in state.states.items() if kind == wanted]

    return Replayed(
        state.position,
        state.time,
        commits,
        projects=of("project"),
        key_values=of("kv"),
        flows=of("flow"),
        runs=of("run"),
        queues=of("queue"),
        agents=of("agent"),
        unreadable=state.unreadable,
    )
