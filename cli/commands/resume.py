"""`headwater resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import echo_stderr, examples

if TYPE_CHECKING:
    from headwater.core.aggregates import CommandResult
    from headwater.core.runs.state import Run
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples("headwater resume quiet-heron --reason 'the numbers are right'", "headwater resume quiet-heron --task load[3]")
)
def resume(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME", help="A paused task, by name or slug; NAME[3] is a mapped child. May repeat; without, all."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit trail shows it.")] = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show states and log lines as they come, until the run ends.")] = False,
) -> None:
    """Let the paused tasks of a run go on: what asked for a person has been seen by one."""

    async def work(client: AsyncClient) -> tuple[str, CommandResult[Run]]:
        from headwater.cli.lookup import find_run_id

        run_id = await find_run_id(client, run)
        return run_id, await client.headwater.runs.resume(run_id, tasks=task or (), reason=reason)

    run_id, outcome = with_client(context, work)
    state = outcome.state
    if outcome.commit is None:
        echo_stderr(f"{state.name} ({run_id}): had been resumed already; it is {state.state}.")
    else:
        from headwater.core.events import TaskRunResumed
        from headwater.core.runs.resume import format_task_run_key, paused

        names = [format_task_run_key((event.slug, event.map_index)) for event in outcome.commit.events if isinstance(event, TaskRunResumed)]
        left = paused(state.task_runs)
        more = f" Still paused: {', '.join(map(format_task_run_key, left))}." if left else ""
        print(f"{state.name} ({run_id}): resumed {', '.join(names)}.{more}")
    if watch:
        from headwater.cli.watch import watch_to_the_end

        raise typer.Exit(watch_to_the_end(context, run_id, logs=True, quiet=False))
