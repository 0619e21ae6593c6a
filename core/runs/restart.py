"""Which task runs of a run are executed again when it is restarted, and which keep what they have."""

from __future__ import annotations

from collections import defaultdict

from headwater.core.errors import NotFound
from headwater.core.events import EdgeSpec, RunRestarted
from headwater.core.runs.commands import RestartRun
from headwater.core.runs.task_run import TaskRunKey
from headwater.core.runs.task_runs import TaskRuns
from headwater.core.states import SUCCESSFUL, StateName

NAMED_TASK_RUNS_MAX = 5_000
"""Where more single task runs than this go back, their tasks go back as wholes: an event is not a place for megabytes."""


def restarted(task_runs: TaskRuns, command: RestartRun) -> RunRestarted:
    """Return what the restart sends back: what did not succeed, `from_task`, and all that follows them.

    A mapped child that follows only one child of the task before it goes back with that one alone.

    Raises:
        NotFound: there is no such task in the flow.

    """
    if command.from_task and command.from_task not in command.tasks:
        hint = f"The flow's tasks are {', '.join(command.tasks)}."
        raise NotFound("task", command.from_task, hint=hint)
    after: dict[str, list[EdgeSpec]] = defaultdict(list)
    for edge in command.edges:
        after[edge.upstream].append(edge)
    whole: set[str] = set()
    single: set[TaskRunKey] = set()
    waiting: list[tuple[str, int | None]] = [(command.from_task, None)] if command.from_task else []
    waiting += [key for key, found in task_runs.items() if found.state not in SUCCESSFUL and found.state is not StateName.PENDING]
    while waiting:
        slug, index = waiting.pop()
        if slug in whole or (index is not None and (slug, index) in single):
            continue
        if index is None:
            whole.add(slug)
        else:
            single.add((slug, index))
        for edge in after[slug]:
            child_alone = edge.mapped and not edge.flattened and index is not None and index >= 0
            waiting.append((edge.downstream, index if child_alone else None))
    single = {key for key in single if key[0] not in whole}
    if len(single) > NAMED_TASK_RUNS_MAX:
        whole |= {slug for slug, _ in single}
        single = set()
    return RunRestarted(command.reason, command.from_task, tuple(sorted(whole)), tuple(sorted(single)))
