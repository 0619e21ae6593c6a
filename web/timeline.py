"""The timeline of a run as plain numbers: one lane for the run, one for each task, in milliseconds since its beginning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from headwater.core.queries import RunRow, RunStateRow, TaskGroupRow, TaskRunStateRow
from headwater.core.states import FAILED, FINAL, StateName

S = TypeVar("S")

LANES_MAX = 60
_LEAD = timedelta(seconds=2)
"""How much of the waiting before the first attempt the timeline shows; a run may wait for days."""

_TELLING = (StateName.RUNNING, StateName.RETRYING, StateName.PAUSED, StateName.PENDING)
"""Of a group without failures, the first of these states that occurs says most about it."""


@dataclass(frozen=True)
class Bar:
    """A time in one state. `length` is None where it lasts."""

    state: str
    start: int
    length: int | None
    note: str


@dataclass(frozen=True)
class Lane:
    """One line of the timeline: of the run where `slug` is None. `children` counts the task runs of a mapped task."""

    label: str
    slug: str | None
    state: str
    bars: tuple[Bar, ...]
    children: int = 0


@dataclass(frozen=True)
class Timeline:
    """`total` is the width in milliseconds as of now; it grows while the run goes on (`open`)."""

    begins: datetime
    total: int
    open: bool
    lanes: tuple[Lane, ...]
    left_out: int

    @property
    def shortest(self) -> int:
        """The least width of a bar, so that a task of a millisecond can be seen in a run of an hour."""
        return max(1, self.total // 250)


def timeline(
    run: RunRow, states: Sequence[RunStateRow], groups: Sequence[TaskGroupRow], changes: Iterable[TaskRunStateRow], now: datetime
) -> Timeline:
    """Lay the run out. `changes` are those of task runs that are not mapped children: these share the lane of their task.

    Beyond 60 tasks the rest is counted, not drawn.
    """
    begins = _beginning(run, states)
    total = max(1, _ms(begins, run.end_time or now))
    by_task: dict[str, list[TaskRunStateRow]] = defaultdict(list)
    for change in changes:
        by_task[change.slug].append(change)
    lanes = [Lane("run", None, run.state, tuple(_run_bars(states, begins, run)))]
    for group in groups[:LANES_MAX]:
        bars = _task_bars(by_task[group.slug], begins) if group.child_count is None else _span(group, begins)
        lanes.append(Lane(group.name, group.slug, telling_state(group.counts), tuple(bars), group.child_count or 0))
    return Timeline(begins, total, run.end_time is None, tuple(lanes), max(0, len(groups) - LANES_MAX))


def telling_state(counts: Mapping[str, int]) -> str:
    """Return the state that says most about a group: what failed, else what still runs or waits, else the most common one."""
    failed = sorted(state for state in counts if state in FAILED)
    if failed:
        return StateName.FAILED if StateName.FAILED in failed else failed[0]
    for state in _TELLING:
        if state in counts:
            return state
    return max(counts, key=lambda state: counts[state], default=StateName.PENDING)


def _beginning(run: RunRow, states: Sequence[RunStateRow]) -> datetime:
    """Return the first claim, or start, with a little of the waiting before it."""
    first_work = next((state.at for state in states if state.state not in {StateName.SCHEDULED, StateName.PENDING}), None)
    if first_work is None:
        return run.created
    return max(run.created, first_work - _LEAD)


def _followed(changes: Sequence[S]) -> Iterable[tuple[S, S | None]]:
    """Yield each with the one that follows it."""
    return zip(changes, [*changes[1:], None], strict=False)


def _ms(since: datetime, at: datetime) -> int:
    return round((at - since).total_seconds() * 1000)


def _run_bars(states: Sequence[RunStateRow], begins: datetime, run: RunRow) -> Iterable[Bar]:
    for state, following in _followed(states):
        if state.state in FINAL:
            continue
        start = max(0, _ms(begins, state.at))
        end = following.at if following is not None else run.end_time
        if end is None:
            yield Bar(state.state, start, None, state.message)
        elif (length := _ms(begins, end) - start) >= 0:
            yield Bar(state.state, start, length, state.message)


def _task_bars(changes: Sequence[TaskRunStateRow], begins: datetime) -> Iterable[Bar]:
    """Yield a bar for each execution, in the colour of how it ended, and one for each wait between two."""
    for change, following in _followed(changes):
        start = max(0, _ms(begins, change.at))
        length = None if following is None else max(0, _ms(begins, following.at) - start)
        if change.state == StateName.RUNNING and following is not None:
            ended = StateName.FAILED if following.state == StateName.RETRYING else following.state
            yield Bar(ended, start, length, following.message)
        elif change.state in {StateName.RUNNING, StateName.RETRYING, StateName.PAUSED}:
            yield Bar(change.state, start, length, change.message)
        elif change.state in FINAL and len(changes) == 1:
            yield Bar(change.state, start, 0, change.message)


def _span(group: TaskGroupRow, begins: datetime) -> Iterable[Bar]:
    """Yield one bar from the first child's start to the last one's end."""
    if group.start_time is None:
        return
    start = max(0, _ms(begins, group.start_time))
    length = None if group.end_time is None else max(0, _ms(begins, group.end_time) - start)
    yield Bar(telling_state(group.counts), start, length, f"{group.child_count} mapped task runs")
