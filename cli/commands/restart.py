"""`headwater restart`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import examples

if TYPE_CHECKING:
    from headwater.core.runs.state import Run
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("headwater restart quiet-heron", "headwater restart quiet-heron --from load --reason 'fixed the password'"))
def restart(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    from_task: Annotated[
        str | None, typer.Option("--from", metavar="TASK", help="A task, by name or slug: it and all that follows it is executed again.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit trail shows it.")] = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show states and log lines as they come, until the run ends.")] = False,
) -> None:
    """Execute a run that has ended once more: what failed or was cancelled, and all that follows it. The rest keeps its results."""

    async def work(client: AsyncClient) -> tuple[str, Run]:
        from headwater.cli.lookup import find_run_id

        run_id = await find_run_id(client, run)
        outcome = await client.headwater.runs.restart(run_id, from_task=from_task, reason=reason)
        return run_id, outcome.state

    run_id, state = with_client(context, work)
    kept = sum(found.state != "Pending" for found in state.task_runs.values())
    print(f"{state.name} ({run_id}): restarted; {kept} of {len(state.task_runs)} recorded task runs are kept.")
    if watch:
        from headwater.cli.watch import watch_to_the_end

        raise typer.Exit(watch_to_the_end(context, run_id, logs=True, quiet=False))
