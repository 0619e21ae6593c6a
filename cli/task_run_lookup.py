"""Finding a task run that a person names, with all that the views hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.cli.finding import find_run_id, fresh
from headwater.core.errors import NotFound
from headwater.core.operations.run_states import task_run_key
from headwater.core.queries import ArtifactRow, ListArtifacts, ListTaskRuns, RunRow, TaskRunRow, TaskRunStateRow
from headwater.core.query_client import Views

if TYPE_CHECKING:
    from headwater.client.async_client import AsyncClient


@dataclass(frozen=True)
class TaskRunFound:
    """A task run with its run, the states it was in, and the artifacts that it left."""

    run: RunRow
    row: TaskRunRow
    states: list[TaskRunStateRow]
    artifacts: list[ArtifactRow]


async def find_task_run(client: AsyncClient, run: str, task: str) -> TaskRunFound:
    """Return the task run that is meant by `load`, `load-1` or `load[3]`.

    Raises:
        NotFound: there is no such run, or no such task run in it.
        Ambiguous: several runs, or several tasks, are called so.
        ViewsUnavailable: the views do not answer.

    """
    run_id = await find_run_id(client, run)

    async def ask(views: Views, at_least: int) -> TaskRunFound:
        found = await views.run(run_id, at_least=at_least)
        slug, map_index = task_run_key(task, await views.flow_tasks(found.flow_id, at_least=at_least))
        rows = await views.ask(ListTaskRuns(run_id=run_id, slug=slug, map_index=map_index), TaskRunRow, at_least=at_least)
        if not rows:
            raise NotFound("task run", task, hint=f"`headwater get task-runs {run_id}` lists them.")
        states = await views.task_run_states(run_id, slug=slug, map_index=map_index, at_least=at_least)
        wanted = ListArtifacts(run_id=run_id, slug=slug, map_index=map_index)
        return TaskRunFound(found, rows[0], states, await views.ask(wanted, ArtifactRow, at_least=at_least))

    return await fresh(client, ask)
