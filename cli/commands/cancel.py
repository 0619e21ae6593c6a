"""`headwater cancel`."""

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


@app.command(epilog=examples("headwater cancel 0199c0de-7a3e-7000-8000-0123456789ab", "headwater cancel quiet-heron --reason 'wrong data'"))
def cancel(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit trail shows it.")] = "",
) -> None:
    """Cancel a run. One that waits is cancelled at once; one that runs is stopped by its agent."""

    async def work(client: AsyncClient) -> tuple[str, CommandResult[Run]]:
        from headwater.cli.lookup import find_run_id

        run_id = await find_run_id(client, run)
        return run_id, await client.headwater.runs.cancel(run_id, reason=reason)

    run_id, outcome = with_client(context, work)
    state = outcome.state
    if outcome.changed:
        print(f"{state.name} ({run_id}): {'Cancelled' if state.ended else 'Cancelling; its agent stops it'}.")
    elif state.ended:
        echo_stderr(f"{state.name} ({run_id}) had ended before: {state.state}.")
        raise typer.Exit(1)
    else:
        print(f"{state.name} ({run_id}): is being cancelled already.")
