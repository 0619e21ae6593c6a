"""`headwater delete project`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import coloured, confirmed, examples, say

if TYPE_CHECKING:
    from headwater.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def delete() -> None:
    """Delete projects."""


@app.command(epilog=examples("headwater delete project tutorial", "headwater delete project tutorial --yes"))
def project(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The project's name.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a project: its flows take no new runs, its unfinished runs are cancelled. Its history stays in the log."""

    async def find(client: AsyncClient) -> str:
        from headwater.core.operations.projects import find_project

        return await find_project(client.log.events, name)

    async def work(client: AsyncClient) -> bool:
        return await client.delete_project(name)

    # An unknown name is told before anybody is asked to be sure.
    with_client(context, find)
    if not yes and not confirmed(f"Delete project {name!r} with its flows?", default=False):
        say("Nothing was deleted; --yes deletes without asking.")
        raise typer.Exit(1)
    with_client(context, work)
    print(coloured(f"{name} deleted", "green"))
