"""The timeline of a run as plain numbers: one lane for the run, one for each task, in milliseconds since its beginning."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from headwater.core.queries import RunRow, RunStateRow, TaskRunRow, TaskRunStateRow
from headwater.core.states import FINAL, StateName

S = TypeVar("S")

LANES_MAX = 60
_LEAD = timedelta(seconds=2)
"""How much of the waiting before the first attempt the timeline shows; a run may wait for days."""


@dataclass(frozen=True)
class Bar:
    """A time in one state. `length` is None where it lasts."""

    state: str
    start: int
    length: int | None
    note: str


@dataclass(frozen=True)
class Lane:
    """One line of the timeline."""

    label: str
    slug: str | None
    map_index: int
    state: str
    bars: tuple[Bar, ...]
    children: int = 0


@dataclass(frozen=True)
class Timeline:
    """`total` is the width in milliseconds as of `now`; it grows while the run goes on (`open`)."""

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
    run: RunRow, states: Sequence[RunStateRow], task_runs: Sequence[TaskRunRow], changes: Iterable[TaskRunStateRow], now: datetime
) -> Timeline:
    """Lay out the run. Mapped children share the lane of their task; beyond 60 tasks the rest is counted, not drawn."""
    begins = _beginning(run, states)
    total = max(1, _ms(begins, run.end_time or now))
    by_task: dict[tuple[str, int], list[TaskRunStateRow]] = defaultdict(list)
    for change in changes:
        by_task[change.slug, change.map_index].append(change)
    children: dict[str, list[TaskRunRow]] = defaultdict(list)
    parents: list[TaskRunRow] = []
    for task_run in task_runs:
        (children[task_run.slug] if task_run.map_index >= 0 else parents).append(task_run)
    lanes = [Lane("run", None, -1, run.state, tuple(_run_bars(states, begins, run)))]
    for parent in parents[:LANES_MAX]:
        mapped = children.get(parent.slug, [])
        bars = _span(mapped, begins) if mapped else _task_bars(by_task[parent.slug, -1], begins)
        lanes.append(Lane(parent.name or parent.task_name, parent.slug, -1, _lane_state(parent, mapped), tuple(bars), len(mapped)))
    return Timeline(begins, total, run.end_time is None, tuple(lanes), max(0, len(parents) - LANES_MAX))


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
        if change.state == StateName.RUNNING:
            if following is None:
                yield Bar(change.state, start, None, f"execution {change.run_count}")
            else:
                ended = StateName.FAILED if following.state == StateName.RETRYING else following.state
                yield Bar(ended, start, max(0, _ms(begins, following.at) - start), following.message)
        elif change.state in {StateName.RETRYING, StateName.PAUSED}:
            yield Bar(change.state, start, None if following is None else max(0, _ms(begins, following.at) - start), change.message)
        elif change.state in FINAL and len(changes) == 1:
            yield Bar(change.state, start, 0, change.message)


def _span(mapped: Sequence[TaskRunRow], begins: datetime) -> Iterable[Bar]:
    """Yield one bar from the first child's start to the last one's end."""
    started = [child.start_time for child in mapped if child.start_time is not None]
    if not started:
        return
    start = max(0, _ms(begins, min(started)))
    ends = [child.end_time for child in mapped]
    last = None if any(end is None for end in ends) else max(end for end in ends if end is not None)
    yield Bar(_worst(mapped), start, None if last is None else max(0, _ms(begins, last) - start), f"{len(mapped)} mapped task runs")


def _lane_state(parent: TaskRunRow, mapped: Sequence[TaskRunRow]) -> str:
    return _worst(mapped) if mapped else parent.state


def _worst(mapped: Sequence[TaskRunRow]) -> str:
    """Return the state that says most about a group: what failed, else what still runs or waits, else the common one."""
    states = {child.state for child in mapped}
    for state in (
        StateName.FAILED,
        StateName.TIMED_OUT,
        StateName.TRIGGER_FAILED,
        StateName.RUNNING,
        StateName.RETRYING,
        StateName.PENDING,
    ):
        if state in states:
            return state
    return next(iter(sorted(states)))
