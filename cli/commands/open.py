"""`headwater open`: the pages in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import connection, with_client
from headwater.cli.output import examples

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)


@app.command(
    "open", epilog=examples("headwater open", "headwater open quiet-heron", "headwater open hello-flow --project tutorial --print")
)
def open_page(
    context: typer.Context,
    what: Annotated[str | None, typer.Argument(metavar="WHAT", help="A run or a flow, by id or name; the dashboard by default.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address, and open nothing.")] = False,
) -> None:
    """Open the page of a run, of a flow, or the dashboard, in the browser."""
    url = connection(context).http_url if what is None else with_client(context, lambda client: _page_of(client, what, project))
    print(url)
    if not only_print:
        typer.launch(url)


async def _page_of(client: AsyncClient, what: str, project: str | None) -> str:
    """Return the address of the page of what is called so: a run, or else a flow.

    Raises:
        NotFound, Ambiguous: neither is, or several are.

    """
    from headwater.cli.lookup import find_flow_row, find_run_id, is_uuid
    from headwater.core.errors import InvalidArgument, NotFound

    if is_uuid(what):
        try:
            return client.flow_url(what)
        except InvalidArgument:
            return client.run_url(what)
    if project is None:
        try:
            return client.run_url(await find_run_id(client, what))
        except NotFound:
            # No run is called so; a flow may be.
            pass
    return client.flow_url((await find_flow_row(client, what, version=None, project=project)).id)
