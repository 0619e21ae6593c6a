"""`headwater cancel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import echo_stderr, examples

if TYPE_CHECKING:
    from headwater.core.aggregates import CommandResult
    from headwater.core.backfills.state import Backfill
    from headwater.core.runs.state import Run
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("headwater cancel 0199c0de-7a3e-7000-8000-0123456789ab", "headwater cancel quiet-heron --reason 'wrong data'"))
def cancel(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name; or the id of a backfill.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit trail shows it.")] = "",
) -> None:
    """Cancel a run, or a whole backfill. A run that waits is cancelled at once; one that runs is stopped by its agent."""

    async def work(client: AsyncClient) -> tuple[str, CommandResult[Run] | CommandResult[Backfill]]:
        from headwater.cli.lookup import find_run_id, is_uuid
        from headwater.core.errors import NotFound

        run_id = await find_run_id(client, run)
        try:
            return run_id, await client.headwater.runs.cancel(run_id, reason=reason)
        except NotFound as no_run:
            if not is_uuid(run):
                raise
            try:
                return run_id, await client.headwater.backfills.cancel(run_id, reason=reason)
            except NotFound:
                raise no_run from None

    from headwater.core.backfills.state import Backfill

    run_id, outcome = with_client(context, work)
    state = outcome.state
    if isinstance(state, Backfill):
        _show_backfill(run_id, state, changed=outcome.changed)
        return
    if outcome.changed:
        print(f"{state.name} ({run_id}): {'Cancelled' if state.ended else 'Cancelling; its agent stops it'}.")
    elif state.ended:
        echo_stderr(f"{state.name} ({run_id}) had ended before: {state.state}.")
        raise typer.Exit(1)
    else:
        print(f"{state.name} ({run_id}): is being cancelled already.")


def _show_backfill(backfill_id: str, backfill: Backfill, *, changed: bool) -> None:
    name = backfill.requested.name
    if changed:
        print(f"Backfill {name} ({backfill_id}): is being cancelled; its unfinished runs are, too.")
    elif backfill.over:
        echo_stderr(f"Backfill {name} ({backfill_id}) had ended before.")
        raise typer.Exit(1)
    else:
        print(f"Backfill {name} ({backfill_id}): is being cancelled already.")
