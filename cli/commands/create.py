"""`headwater create project`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import coloured, examples

if TYPE_CHECKING:
    from headwater.core.operations.projects import ProjectChange
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def create() -> None:
    """Create projects."""


@app.command(epilog=examples("headwater create project tutorial", "headwater create project 'Hello, World!' -d 'First steps'"))
def project(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The project's name: any printable text of up to 255 characters.")],
    description: Annotated[str, typer.Option("--description", "-d", metavar="TEXT", help="What the project is for.")] = "",
    skip_if_exists: Annotated[bool, typer.Option("--skip-if-exists", help="Accept a project that is there already.")] = False,
) -> None:
    """Create a project, the place where flows are registered."""

    async def work(client: AsyncClient) -> ProjectChange:

        return await client.headwater.projects.create(name, description=description, skip_if_exists=skip_if_exists)

    change = with_client(context, work)
    print(coloured(f"{name} {'created' if change.changed else 'already exists'}", "green"))
