"""`headwater kv`: small values under keys, one store for each project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, TableColumn, age, echo_stderr, examples, print_json, print_table

if TYPE_CHECKING:
    from headwater.core.queries import KeyValueRow
    from headwater.sdk.client.async_client import AsyncClient

Key = Annotated[str, typer.Argument(metavar="KEY", help="The key: printable text of 1 to 255 characters.")]
Project = Annotated[
    str | None, typer.Option("--project", "-p", metavar="NAME", help="The project; HEADWATER_PROJECT names one for all commands.")
]

_VALUE_SHOWN = 60

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def kv() -> None:
    """Set, get, list and delete the keys of a project: small values that runs leave for later runs."""


@app.command("set", epilog=examples("headwater kv set last_day 2026-11-26 -p etl", """headwater kv set names '["ana", "bo"]' -p etl"""))
def set_(
    context: typer.Context,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="JSON of at most 10 KB, or a bare word.")],
    project: Project = None,
) -> None:
    """Give a key a value, whatever it had before."""
    from headwater.cli.values import parsed_value

    parsed = parsed_value(key, value, option="key", example="""'["ana", "bo"]'""")

    async def work(client: AsyncClient) -> bool:

        return (await client.headwater.key_values.set(await _project_id(client, project), key, parsed)).changed

    changed = with_client(context, work)
    print(f"{key}: {'set' if changed else 'it had this value before'}.")


@app.command(epilog=examples("headwater kv get last_day --project etl", "headwater kv get names -p etl --output json"))
def get(
    context: typer.Context,
    key: Key,
    project: Project = None,
    output: Annotated[
        OutputForm, typer.Option("--output", "-o", metavar="table|json", help="Text as it is and the rest as JSON, or all as JSON.")
    ] = OutputForm.TABLE,
) -> None:
    """Print the value of a key."""

    async def work(client: AsyncClient) -> Any:

        return await client.headwater.key_values.get(await _project_id(client, project), key)

    value = with_client(context, work)
    if output is OutputForm.TABLE and isinstance(value, str):
        print(value)
    else:
        print_json(value)


@app.command(epilog=examples("headwater kv delete last_day --project etl"))
def delete(context: typer.Context, key: Key, project: Project = None) -> None:
    """Delete a key with its value. Its history stays in the log."""

    async def work(client: AsyncClient) -> None:

        await client.headwater.key_values.delete(await _project_id(client, project), key)

    with_client(context, work)
    print(f"{key}: deleted.")


@app.command("list", epilog=examples("headwater kv list --project etl", "headwater kv list -p etl --output json"))
def list_(context: typer.Context, project: Project = None, output: Output = OutputForm.TABLE) -> None:
    """List the keys of a project with their values."""

    async def work(client: AsyncClient) -> list[KeyValueRow]:
        from headwater.cli.lookup import with_latest_views
        from headwater.core.queries import KeyValueRow, ListKeyValues

        project_id = await _project_id(client, project)
        query = ListKeyValues(project_id=project_id)
        return await with_latest_views(client, lambda views, at_least: views.ask(query, KeyValueRow, at_least=at_least))

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    columns = [TableColumn("KEY"), TableColumn("VALUE"), TableColumn("UPDATED"), TableColumn("BY")]
    print_table(columns, [(row.key, _shown(row.value), age(row.updated), row.updated_by) for row in found])
    if not found:
        echo_stderr("No keys found.")


async def _project_id(client: AsyncClient, project: str | None) -> str:
    from headwater.core.errors import InvalidArgument
    from headwater.core.operations.project_lookup import find_project
    from headwater.core.program.settings import PROJECT

    name = project or PROJECT.value()
    if name is None:
        raise InvalidArgument("Which project's keys are meant was not said.", hint="Give --project, or set HEADWATER_PROJECT.")
    return await find_project(client.log.events, name)


def _shown(value: Any) -> str:
    """Return a value on one line of a table."""
    import msgspec

    from headwater.core.values.plain_values import shortened

    return shortened(value if isinstance(value, str) else msgspec.json.encode(value).decode(), _VALUE_SHOWN)
