"""`headwater delete ...`: projects, and runs that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import ask_confirmation, coloured, echo_stderr, examples

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def delete() -> None:
    """Delete projects, and runs that have ended."""


@app.command(epilog=examples("headwater delete project tutorial", "headwater delete project tutorial --yes"))
def project(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The project's name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a project: its flows take no new runs, its unfinished runs are cancelled. Its history stays in the log."""

    async def find(client: AsyncClient) -> str:
        from headwater.core.operations.project_lookup import find_project

        return await find_project(client.log.events, name)

    async def work(client: AsyncClient) -> bool:
        return await client.delete_project(name)

    # An unknown name is an error before the user is asked to confirm.
    with_client(context, find)
    if not yes and not ask_confirmation(f"Delete project {name!r} with its flows?", default=False):
        echo_stderr("Nothing was deleted; --yes deletes without asking.")
        raise typer.Exit(1)
    with_client(context, work)
    print(coloured(f"{name} deleted", "green"))


@app.command("flow-run", epilog=examples("headwater delete flow-run quiet-heron --reason 'a trial'"))
def flow_run(
    context: typer.Context,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the audit trail shows it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a run that has ended: it leaves lists and counts. Its history stays in the log."""

    async def find(client: AsyncClient) -> tuple[str, str]:
        from headwater.cli.lookup import find_run_id
        from headwater.core.operations.run_lookup import load_run

        run_id = await find_run_id(client, run)
        return run_id, (await load_run(client.log.events, run_id)).state.name

    async def work(client: AsyncClient) -> bool:
        return await client.delete_flow_run(run_id, reason)

    run_id, name = with_client(context, find)
    if not yes and not ask_confirmation(f"Delete run {name!r} ({run_id})?", default=False):
        echo_stderr("Nothing was deleted; --yes deletes without asking.")
        raise typer.Exit(1)
    if with_client(context, work):
        print(coloured(f"{name} ({run_id}) deleted", "green"))
    else:
        echo_stderr(f"{name} ({run_id}) had been deleted before.")


# The listing's word, for those who type the plural.
app.command("flow-runs", hidden=True)(flow_run)
