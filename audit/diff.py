"""Diff: what changed between two moments, aggregate by aggregate, and which commits did it."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.audit.moment import Moment, position_at, recorded_until
from headwater.audit.snapshot import snapshot_of
from headwater.audit.state_at import Key, StateAt, aggregate_of
from headwater.core.errors import CommitUnreadable
from headwater.core.events import event_type
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, Recorded


class CommitSummary(msgspec.Struct, frozen=True):
    """A commit between the two moments: where, by whom, and the names of its events."""

    position: Position
    at: str
    actor: str
    events: tuple[str, ...]


class Change(msgspec.Struct, frozen=True):
    """What became of one aggregate. `fields` maps each fact that differs to what it was and what it is.

    Facts inside facts are named by a path, such as `task_runs.load.state`. `change` is "created" or "changed"; where a fact went there
    and back again, `fields` is empty, and `commits` tells it.
    """

    kind: str
    id: str
    name: str
    change: str
    fields: dict[str, tuple[Any, Any]]
    commits: tuple[CommitSummary, ...]


async def diff(log: EventLog, before: Moment, after: Moment) -> list[Change]:
    """Return what changed after `before` up to and including `after`, in the order of the first change.

    Reads what lies between, and of what changed there its own history.

    Raises:
        LogError: the log could not be read.

    """
    state = StateAt(position=await position_at(log, before))
    begin = state.position
    earlier: dict[Key, dict[str, Any]] = {}
    commits: dict[Key, list[CommitSummary]] = {}
    async for recorded in recorded_until(log, after, after=begin):
        key = aggregate_of(recorded.subject)
        if key is not None:
            if key not in commits:
                for before_it in await log.read(recorded.subject):
                    if before_it.position <= begin:
                        state.fold(before_it)
                if key in state.states:
                    earlier[key] = snapshot_of(*key, state.states[key])
            commits.setdefault(key, []).append(_commit(recorded))
        state.fold(recorded)
    return [_change(key, earlier.get(key), state, tuple(found)) for key, found in commits.items()]


def _commit(recorded: Recorded) -> CommitSummary:
    try:
        commit = recorded.commit
    except CommitUnreadable:
        return CommitSummary(recorded.position, recorded.recorded_at.isoformat(), "?", ("?",))
    return CommitSummary(recorded.position, commit.at.isoformat(), commit.actor, tuple(event_type(event) for event in commit.events))


def _change(key: Key, earlier: dict[str, Any] | None, state: StateAt, commits: tuple[CommitSummary, ...]) -> Change:
    kind, aggregate_id = key
    now = snapshot_of(kind, aggregate_id, state.states[key]) if key in state.states else {}
    was, became = _flat(earlier or {}), _flat(now)
    fields = {name: (was.get(name), became.get(name)) for name in dict.fromkeys((*was, *became)) if was.get(name) != became.get(name)}
    return Change(kind, aggregate_id, str(now.get("name", "")), "created" if earlier is None else "changed", fields, commits)


def _flat(facts: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if name == "versions":
            flat |= {f"versions.{number}": state for number, state in value.items()}
        elif name == "task_runs":
            flat |= {f"task_runs.{task_run}.{field}": each for task_run, fields in value.items() for field, each in fields.items()}
        else:
            flat[name] = value
    return flat
