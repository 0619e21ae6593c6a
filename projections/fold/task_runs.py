"""The fold over what happened to task runs: most events of any log. What each means is said by the rules of the core."""

from __future__ import annotations

from headwater.core.events import (
    AnyEvent,
    RunRestarted,
    TaskRunCached,
    TaskRunEvent,
    TaskRunNamed,
    TaskRunStateSet,
)
from headwater.core.log.commit import Position
from headwater.core.runs import task_run
from headwater.core.runs.state import NO_TASK_RUN
from headwater.core.runs.task_run import STATE_AFTER, TaskRunKey
from headwater.core.runs.task_runs import changed_with_run
from headwater.projections.fold.changes import Changes
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.stored_values import text
from headwater.projections.tables import CachedResult, TaskRunStateEntry

TASK_RUN_EVENTS: frozenset[type] = frozenset({*STATE_AFTER, TaskRunNamed, TaskRunStateSet})
"""What can happen to a task run."""

_NEVER_CHANGED = (0, 0)


def task_run_key(event: TaskRunEvent) -> TaskRunKey:
    """Return which task run the event is about, by its slug as PostgreSQL keeps it."""
    return text(event.slug), event.map_index


def fold_task_run(changes: Changes, run: KnownRun, position: Position, seq: int, event: TaskRunEvent) -> None:
    """Fold an event of a task run: its row, and unless it only names it, its history."""
    slug = event.slug if "\0" not in event.slug else text(event.slug)
    key = (slug, event.map_index)
    run_id = run.run_id
    before = run.task_runs.get(key)
    if before is None:
        before = NO_TASK_RUN
        changes.new_task_runs.add((run_id, *key))
    else:
        changes.changed_task_runs.add((run_id, *key))
    after = run.task_runs[key] = task_run.evolve(before, event)
    kind = type(event)
    if kind is TaskRunNamed:
        run.changed_in[key] = (run.changed_in.get(key, _NEVER_CHANGED)[0], position)
        return
    attempt = run.head.attempt
    run.changed_in[key] = (attempt, position)
    changes.task_run_states.append(TaskRunStateEntry(run_id, position, seq, slug, event, after, attempt))
    if kind is TaskRunCached and event.cache:  # type: ignore[attr-defined]
        changes.cached_results.append(CachedResult(run_id, position, seq, event))  # type: ignore[arg-type]


def fold_run_into_task_runs(changes: Changes, run: KnownRun, event: AnyEvent) -> None:
    """Fold what an event of the run makes of its task runs, all of which are known where it makes something of them."""
    if isinstance(event, RunRestarted):
        named = tuple((text(slug), index) for slug, index in event.task_runs)
        event = RunRestarted(event.reason, event.from_task, tuple(map(text, event.tasks)), named)
    if changed := changed_with_run(run.task_runs, event):
        run.task_runs.update(changed)
        changes.changed_task_runs.update((run.run_id, *key) for key in changed)
