"""Finding a task run that a person names, with all that the views hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headwater.cli.lookup import find_run_id, with_latest_views
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.operations.task_names import task_run_key
from headwater.core.queries import ArtifactRow, ListArtifacts, ListTaskRuns, RunRow, TaskRunRow, TaskRunStateRow
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import parsed_task_run_id

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient


@dataclass(frozen=True)
class TaskRunFound:
    """A task run with its run, the states it was in, and the artifacts that it left."""

    run: RunRow
    row: TaskRunRow
    states: list[TaskRunStateRow]
    artifacts: list[ArtifactRow]


def task_run_of_id(text: str) -> tuple[str, str, int] | None:
    """Return the run's id, the slug and the map index that the id of a task run tells; None where the text is none."""
    try:
        return parsed_task_run_id(text)
    except InvalidArgument:
        return None


async def find_task_run(client: AsyncClient, run: str, task: str | None) -> TaskRunFound:
    """Return the task run that is meant by `load`, `load-1` or `load[3]` of a run; without a task, the one whose id stands for the run.

    Raises:
        InvalidArgument: no task was named, and this is not the id of a task run.
        NotFound: there is no such run, or no such task run in it.
        Ambiguous: several runs, or several tasks, are called so.
        ViewsUnavailable: the views do not answer.

    """
    named = task_run_of_id(run) if task is None else None
    if task is None and named is None:
        raise InvalidArgument(
            f"{run!r} is not the id of a task run.", hint="Name its task behind the run, or give the task run's id alone."
        )
    run_id = named[0] if named is not None else await find_run_id(client, run)

    async def ask(views: ViewsClient, at_least: int) -> TaskRunFound:
        found = await views.run(run_id, at_least=at_least)
        if named is not None:
            _, slug, map_index = named
        else:
            slug, map_index = task_run_key(task or "", await views.flow_tasks(found.flow_id, at_least=at_least))
        rows = await views.ask(ListTaskRuns(run_id=run_id, slug=slug, map_index=map_index), TaskRunRow, at_least=at_least)
        if not rows:
            raise NotFound("task run", task or run, hint=f"`headwater get task-runs {run_id}` lists them.")
        states = await views.task_run_states(run_id, slug=slug, map_index=map_index, at_least=at_least)
        wanted = ListArtifacts(run_id=run_id, slug=slug, map_index=map_index)
        return TaskRunFound(found, rows[0], states, await views.ask(wanted, ArtifactRow, at_least=at_least))

    return await with_latest_views(client, ask)
