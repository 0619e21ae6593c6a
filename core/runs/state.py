"""A run as its events leave it, with its task runs and artifacts, and what each event makes of it."""

from __future__ import annotations

import immutables
from msgspec.structs import replace

from headwater.core.events import AnyEvent, TaskRunArtifactEvent, TaskRunEvent
from headwater.core.runs import artifact, run_head, task_run, task_runs
from headwater.core.runs.artifact import Artifacts
from headwater.core.runs.run_head import RunHead
from headwater.core.runs.task_run import TaskRun
from headwater.core.runs.task_runs import TaskRuns

NO_TASK_RUN = TaskRun()


class Run(RunHead, frozen=True, gc=False):
    """A run as its events leave it: its head, its task runs, and the artifacts that these made."""

    task_runs: TaskRuns = immutables.Map()
    artifacts: Artifacts = immutables.Map()

    @property
    def head(self) -> RunHead:
        """The run without its task runs and artifacts."""
        return RunHead(*(getattr(self, name) for name in RunHead.__struct_fields__))


def evolve(run: Run, event: AnyEvent) -> Run:
    match event:
        case TaskRunArtifactEvent():
            return replace(run, artifacts=artifact.evolve(run.artifacts, event))
        case TaskRunEvent():
            key = (event.slug, event.map_index)
            changed = task_run.evolve(run.task_runs.get(key, NO_TASK_RUN), event)
            return replace(run, task_runs=run.task_runs.set(key, changed))
        case _:
            after = run_head.evolve(run, event)
            with_it = task_runs.changed_with_run(run.task_runs, event)
            return replace(after, task_runs=run.task_runs.update(with_it)) if with_it else after
