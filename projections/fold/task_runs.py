"""The fold over what happened to task runs: most events of any log. What each means is said by the rules of the core."""

from __future__ import annotations

from msgspec.structs import replace

from headwater.core.events import (
    RunAttemptLost,
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
from headwater.projections.fold.known_run import KnownRun, ShownTaskRun
from headwater.projections.stored_values import text
from headwater.projections.tables import CachedResult, TaskRunStateEntry

TASK_RUN_EVENTS: frozenset[type] = frozenset({*STATE_AFTER, TaskRunNamed, TaskRunStateSet})
"""What can happen to a task run."""


def task_run_key(event: TaskRunEvent) -> TaskRunKey:
    """Return which task run the event is about, by its slug as PostgreSQL keeps it."""
    return text(event.slug), event.map_index


def fold_task_run(changes: Changes, run: KnownRun, position: Position, seq: int, event: TaskRunEvent) -> None:
    """Fold an event of a task run: its row, and unless it only names it, its history."""
    slug = event.slug if "\0" not in event.slug else text(event.slug)
    run_id, key = run.run_id, (slug, event.map_index)
    before = run.task_runs.get(key)
    named = type(event) is TaskRunNamed
    attempt = run.head.attempt if not named else 0 if before is None else before.attempt
    after = task_run.evolve(NO_TASK_RUN if before is None else before.task_run, event)
    shown = run.task_runs[key] = ShownTaskRun(run_id, slug, event.map_index, after, attempt, position)
    _note(changes, shown, is_new=before is None)
    if not named:
        changes.task_run_states.append(TaskRunStateEntry(run_id, position, seq, slug, event, after, attempt))
    if type(event) is TaskRunCached and event.cache:
        changes.cached_results.append(CachedResult(run_id, position, seq, event))


def _note(changes: Changes, shown: ShownTaskRun, *, is_new: bool) -> None:
    """Note that a row changes. One that the batch itself makes is written once, as it is in the end."""
    key = (shown.run_id, shown.slug, shown.map_index)
    if is_new or key in changes.new_task_runs:
        changes.new_task_runs[key] = shown
    else:
        changes.changed_task_runs[key] = shown


def fold_run_into_task_runs(changes: Changes, run: KnownRun, event: RunAttemptLost | RunRestarted) -> None:
    """Fold what an event of the run makes of its task runs, all of which are known."""
    if isinstance(event, RunRestarted):
        named = tuple((text(slug), index) for slug, index in event.task_runs)
        event = RunRestarted(event.reason, event.from_task, tuple(map(text, event.tasks)), named)
    task_runs = {key: shown.task_run for key, shown in run.task_runs.items()}
    for key, changed in changed_with_run(task_runs, event).items():
        shown = run.task_runs[key] = replace(run.task_runs[key], task_run=changed)
        _note(changes, shown, is_new=False)
