"""Diff: what changed between two moments, aggregate by aggregate, and which commits did it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from headwater.audit.kept_states import WEIGHT_MAX, KeptStates
from headwater.audit.moment import Moment, OnProgress, position_at, recorded_until
from headwater.audit.snapshot import snapshot_of
from headwater.audit.state_at import RULES, Key, aggregate_of
from headwater.core.errors import CommitUnreadable
from headwater.core.events import ProjectCreated, RunCreated, event_type
from headwater.core.log.commit import Position
from headwater.core.log.protocol import EventLog, Recorded

_BEGINS = (RunCreated, ProjectCreated)
"""Before these there is nothing of an aggregate that the log need be asked for."""


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


@dataclass
class _Changing:
    """An aggregate while the commits between the two moments are folded. `earlier`: its facts at the first, None where there were none."""

    kind: str
    id: str
    earlier: dict[str, Any] | None
    state: Any
    exists: bool
    commits: list[CommitSummary] = field(default_factory=list)


async def diff(
    log: EventLog, before: Moment, after: Moment, *, on_progress: OnProgress = lambda _: None, weight_max: int = WEIGHT_MAX
) -> Iterator[Change]:
    """Return what changed after `before` up to and including `after`, in the order of the first change.

    Reads what lies between, and of what was there before and changed its own history.

    Raises:
        LogError: the log could not be read.
        NoRoomToFold: there is neither memory nor disk for what changed.

    """
    begin = await position_at(log, before)
    changing: KeptStates[_Changing] = KeptStates(weight_max=weight_max)
    count = 0
    async for recorded in recorded_until(log, after, after=begin):
        count += 1
        if count % 1000 == 0:
            on_progress(recorded.position)
        key = aggregate_of(recorded.subject)
        if key is None:
            continue
        name = " ".join(key)
        found = changing.get(name)
        grown_bytes = len(recorded.data)
        if found is None:
            found, earlier_bytes = await _before(log, recorded, key, begin)
            grown_bytes += earlier_bytes
        if recorded.dead_letter is None:
            found.state = RULES[found.kind].fold(recorded.events, found.state)
            found.exists = True
        found.commits.append(_commit(recorded))
        changing.set(name, found, grown_bytes=grown_bytes)
    return (_change(each) for _, each in changing.items())


async def _before(log: EventLog, recorded: Recorded, key: Key, begin: Position) -> tuple[_Changing, int]:
    """Return the aggregate as it was at the first moment, and how many bytes tell of that."""
    kind, aggregate_id = key
    state = RULES[kind].initial
    if begin == 0 or any(isinstance(event, _BEGINS) for event in recorded.events):
        return _Changing(kind, aggregate_id, None, state, exists=False), 0
    exists, size = False, 0
    for each in await log.read(recorded.subject):
        if each.position > begin:
            break
        exists = exists or each.dead_letter is None
        size += len(each.data)
        state = RULES[kind].fold(each.events, state)
    return _Changing(kind, aggregate_id, snapshot_of(kind, aggregate_id, state) if exists else None, state, exists), size


def _commit(recorded: Recorded) -> CommitSummary:
    try:
        commit = recorded.commit
    except CommitUnreadable:
        return CommitSummary(recorded.position, recorded.recorded_at.isoformat(), "?", ("?",))
    return CommitSummary(recorded.position, commit.at.isoformat(), commit.actor, tuple(event_type(event) for event in commit.events))


def _change(each: _Changing) -> Change:
    now = snapshot_of(each.kind, each.id, each.state) if each.exists else {}
    was, became = _flat(each.earlier or {}), _flat(now)
    fields = {name: (was.get(name), became.get(name)) for name in dict.fromkeys((*was, *became)) if was.get(name) != became.get(name)}
    what = "created" if each.earlier is None else "changed"
    return Change(each.kind, each.id, str(now.get("name", "")), what, fields, tuple(each.commits))


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
