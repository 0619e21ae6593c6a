"""Resuming a run: which of its task runs go on, and what a user is shown who resumes what does not wait."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.core.errors import IllegalTransition, NotFound
from headwater.core.events import TaskRunResumed
from headwater.core.runs.commands import ResumeTaskRuns
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.runs.task_runs import TaskRuns
from headwater.core.states import StateName

RESUMED = "Resumed."
RESUMED_BEFORE = "It had been resumed before its attempt was lost."
_NAMED_MAX = 5


def resumed(task_runs: TaskRuns, command: ResumeTaskRuns) -> list[TaskRunResumed]:
    """Return what resuming leads to; nothing where all of it goes on already.

    Raises:
        NotFound: the run has recorded no such task run.
        IllegalTransition: one of those named, or the whole run, is not paused.

    """
    keys = sorted(set(command.task_runs)) or paused(task_runs)
    if not keys and not any(found.state is StateName.RESUME for found in task_runs.values()):
        raise IllegalTransition("No task run of the run is paused: there is nothing to resume.")
    events = []
    for key in keys:
        found = task_runs.get(key)
        if found is None:
            waiting = ", ".join(format_task_run_key(each) for each in paused(task_runs)[:_NAMED_MAX])
            raise NotFound("task run", format_task_run_key(key), hint=f"Paused are: {waiting or 'none'}.")
        if found.state is StateName.RESUME:
            continue
        if found.state is not StateName.PAUSED:
            raise IllegalTransition(f"Task run {format_task_run_key(key)} is {found.state}; only one that is Paused can be resumed.")
        events.append(TaskRunResumed(slug=key[0], map_index=key[1], at=command.at, message=command.reason or RESUMED))
    return events


def paused(task_runs: TaskRuns) -> list[TaskRunKey]:
    """Return the task runs that wait for a user, or for the end of their pause."""
    return sorted(key for key, found in task_runs.items() if found.state is StateName.PAUSED)


def has_new_resume(task_runs: TaskRuns, known: frozenset[TaskRunKey]) -> bool:
    """Tell whether a task run was resumed and its attempt does not know."""
    return any(found.state is StateName.RESUME and key not in known for key, found in task_runs.items())


def format_task_run_key(key: TaskRunKey) -> str:
    """Return a task run as people write it: `load-1`, or `load-1[3]`."""
    return key[0] if key[1] < 0 else f"{key[0]}[{key[1]}]"


def waits_for_approval(task_runs: Iterable[TaskRun]) -> bool:
    """Tell whether a task run is paused without an end."""
    return any(found.state is StateName.PAUSED and found.due_at is None for found in task_runs)
