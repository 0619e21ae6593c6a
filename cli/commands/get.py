"""`headwater get ...`: listings, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from headwater.cli.commands import schedules
from headwater.cli.connection import with_client
from headwater.cli.output import (
    LEVEL_COLOURS,
    Output,
    OutputForm,
    TableColumn,
    age,
    coloured,
    echo_stderr,
    examples,
    local_time,
    print_json,
    print_table,
)
from headwater.core.queries.requests import ListFlows, ListRuns

if TYPE_CHECKING:
    from headwater.core.queries import rows
    from headwater.core.queries.views_client import ViewsClient
    from headwater.sdk.client.async_client import AsyncClient

Row = TypeVar("Row")

Limit = Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, help="List at most this many.")]
Project = Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="Only those of this project.")]
Name = Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="Only those with this name.")]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def get() -> None:
    """List what there is."""


@app.command(epilog=examples("headwater get projects", "headwater get projects --output json"))
def projects(context: typer.Context, name: Name = None, output: Output = OutputForm.TABLE) -> None:
    """List the projects."""
    found = _ask(context, lambda views, at_least: views.projects(name=name, at_least=at_least))
    columns = [TableColumn("NAME"), TableColumn("FLOW COUNT", right=True), TableColumn("AGE"), TableColumn("DESCRIPTION")]
    _show(output, columns, found, lambda row: (row.name, row.flow_count, age(row.created), row.description), "projects")


@app.command(epilog=examples("headwater get flows --project tutorial", "headwater get flows -n hello-flow --all-versions"))
def flows(
    context: typer.Context,
    *,
    name: Name = None,
    version: Annotated[int | None, typer.Option("--version", "-v", metavar="N", help="Only this version.")] = None,
    project: Project = None,
    limit: Limit = 10,
    all_versions: Annotated[bool, typer.Option("--all-versions", help="List every version, archived ones too.")] = False,
    output: Output = OutputForm.TABLE,
) -> None:
    """List the flows: of each the newest version that takes runs."""
    found = _ask(
        context,
        lambda views, at_least: views.flows(
            ListFlows(name=name, version=version, project=project, limit=limit, all_versions=all_versions), at_least=at_least
        ),
    )
    columns = [
        TableColumn("NAME"),
        TableColumn("VERSION", right=True),
        TableColumn("AGE"),
        TableColumn("ID", whole=True),
        TableColumn("PROJECT NAME"),
    ]
    _show(output, columns, found, lambda row: (row.name, row.version, age(row.created), row.id, row.project_name), "flows")


@app.command("flow-runs", epilog=examples("headwater get flow-runs --flow hello-flow", "headwater get flow-runs --state Failed -o json"))
def flow_runs(
    context: typer.Context,
    *,
    flow: Annotated[str | None, typer.Option("--flow", "-f", metavar="NAME", help="Only runs of this flow.")] = None,
    project: Project = None,
    state: Annotated[list[str] | None, typer.Option("--state", metavar="STATE", help="Only runs in this state; may repeat.")] = None,
    started: Annotated[bool, typer.Option("--started", "-s", help="Only runs that have started, the latest start first.")] = False,
    name: Name = None,
    limit: Limit = 10,
    output: Output = OutputForm.TABLE,
) -> None:
    """List runs, the newest first."""
    states = _states(state or [])

    async def ask(views: ViewsClient, at_least: int) -> list[rows.RunRow]:
        after = datetime.min.replace(tzinfo=UTC) if started else None
        found = await views.runs(
            ListRuns(flow=flow, project=project, states=states, name=name, started_after=after, limit=limit), at_least=at_least
        )
        return sorted(found, key=lambda row: row.start_time or row.created, reverse=True) if started else found

    columns = [
        TableColumn("NAME"),
        TableColumn("FLOW NAME"),
        TableColumn("STATE", is_state=True),
        TableColumn("AGE"),
        TableColumn("START TIME"),
        TableColumn("ID", whole=True),
    ]
    _show(
        output,
        columns,
        _ask(context, ask),
        lambda row: (row.name, row.flow_name, row.state, age(row.created), row.start_time, row.id),
        "runs",
    )


@app.command("task-runs", epilog=examples("headwater get task-runs quiet-heron", "headwater get task-runs --state Failed quiet-heron"))
def task_runs(
    context: typer.Context,
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    state: Annotated[list[str] | None, typer.Option("--state", metavar="STATE", help="Only those in this state; may repeat.")] = None,
    limit: Limit = 1000,
    output: Output = OutputForm.TABLE,
) -> None:
    """List the task runs of a run."""
    states = _states(state or [])

    async def work(client: AsyncClient) -> list[rows.TaskRunRow]:
        from headwater.cli.lookup import find_run_id, with_latest_views

        run_id = await find_run_id(client, run)
        return await with_latest_views(
            client, lambda views, at_least: views.task_runs(run_id, states=states, limit=limit, at_least=at_least)
        )

    columns = [
        TableColumn("NAME"),
        TableColumn("SLUG"),
        TableColumn("STATE", is_state=True),
        TableColumn("RUN COUNT", right=True),
        TableColumn("START TIME"),
        TableColumn("END TIME"),
    ]
    _show(
        output,
        columns,
        with_client(context, work),
        lambda row: (_with_index(row.name, row.map_index), row.slug, row.state, row.run_count, row.start_time, row.end_time),
        "task runs",
    )


@app.command(epilog=examples("headwater get tasks --flow-name hello-flow", "headwater get tasks -fn hello-flow -fv 2 -p tutorial"))
def tasks(
    context: typer.Context,
    *,
    name: Name = None,
    flow_name: Annotated[str | None, typer.Option("--flow-name", "-fn", metavar="NAME", help="Only tasks of this flow.")] = None,
    flow_version: Annotated[int | None, typer.Option("--flow-version", "-fv", metavar="N", help="Only of this version.")] = None,
    project: Project = None,
    limit: Limit = 10,
    output: Output = OutputForm.TABLE,
) -> None:
    """List the tasks of flows."""

    async def ask(views: ViewsClient, at_least: int) -> list[tuple[rows.FlowRow, rows.FlowTaskRow]]:
        found: list[tuple[rows.FlowRow, rows.FlowTaskRow]] = []
        for flow in await views.flows(ListFlows(name=flow_name, version=flow_version, project=project), at_least=at_least):
            of_flow = await views.flow_tasks(flow.id, at_least=at_least)
            found += [(flow, task) for task in of_flow if name is None or task.name == name]
            if len(found) >= limit:
                break
        return found[:limit]

    found = _ask(context, ask)
    if output is OutputForm.JSON:
        import msgspec

        print_json([{"flow_name": flow.name, "flow_version": flow.version, **msgspec.to_builtins(task)} for flow, task in found])
        return
    columns = [
        TableColumn("NAME"),
        TableColumn("FLOW NAME"),
        TableColumn("FLOW VERSION", right=True),
        TableColumn("AGE"),
        TableColumn("MAPPED"),
        TableColumn("TYPE"),
    ]
    _show(
        output,
        columns,
        found,
        lambda pair: (pair[1].name, pair[0].name, pair[0].version, age(pair[0].created), pair[1].mapped, pair[1].type),
        "tasks",
    )


@app.command(
    epilog=examples("headwater get logs quiet-heron", "headwater get logs --id 0199c0de-7a3e-7000-8000-0123456789ab --level ERROR")
)
def logs(
    context: typer.Context,
    *,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="The run's id, or its name.")] = None,
    name: Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="The run's name.")] = None,
    run_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="The run's id.")] = None,
    level: Annotated[str, typer.Option("--level", metavar="LEVEL", help="Only lines of this level and above.")] = "DEBUG",
    info: Annotated[bool, typer.Option("--info", "-i", help="Show the logger and the task of each line too.")] = False,
    output: Output = OutputForm.TABLE,
) -> None:
    """Print the log lines of a run."""
    import logging

    given = [each for each in (run, name, run_id) if each is not None]
    if len(given) != 1:
        context.fail("Name one run: its name or id, or --name, or --id.")
    levels = logging.getLevelNamesMapping()
    if level.upper() not in levels:
        raise typer.BadParameter(f"{level!r} is not a level; the levels are DEBUG, INFO, WARNING, ERROR, CRITICAL.", param_hint="--level")

    async def work(client: AsyncClient) -> list[rows.LogRow]:
        from headwater.cli.lookup import find_run_id
        from headwater.sdk.client.run_logs import read_logs

        return await read_logs(client, await find_run_id(client, given[0]), min_level=levels[level.upper()])

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    for row in found:
        where = f" {row.logger}{f' ({_with_index(row.task, row.map_index)})' if row.task else ''} |" if info else ""
        name_of_level = logging.getLevelName(row.level)
        print(f"{local_time(row.at)}  {coloured(f'{name_of_level:<8}', LEVEL_COLOURS.get(name_of_level, 'white'))} {where} {row.message}")


@app.command(epilog=examples("headwater get agents", "headwater get agents --all"))
def agents(
    context: typer.Context,
    *,
    everyone: Annotated[bool, typer.Option("--all", "-a", help="List those that stopped or were lost, too.")] = False,
    limit: Limit = 100,
    output: Output = OutputForm.TABLE,
) -> None:
    """List the online agents."""
    found = _ask(context, lambda views, at_least: views.agents(status=None if everyone else "working", limit=limit, at_least=at_least))
    columns = [
        TableColumn("NAME"),
        TableColumn("KIND"),
        TableColumn("STATUS"),
        TableColumn("LABELS"),
        TableColumn("RUNS", right=True),
        TableColumn("AGE"),
        TableColumn("ID", whole=True),
    ]
    _show(
        output,
        columns,
        found,
        lambda row: (row.name, row.kind, row.status, row.labels, row.held_runs, age(row.created), row.id),
        "agents",
    )


@app.command(epilog=examples("headwater get backfills", "headwater get backfills --flow nightly-load --project etl -o json"))
def backfills(
    context: typer.Context,
    *,
    flow: Annotated[str | None, typer.Option("--flow", "-f", metavar="NAME", help="Only those of this flow.")] = None,
    project: Project = None,
    running: Annotated[bool, typer.Option("--running", help="Only those that go on.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, max=1000, help="List at most this many.")] = 10,
    output: Output = OutputForm.TABLE,
) -> None:
    """List the backfills, the newest first, with how many of their runs ended how; the JSON has all that is known of each."""

    async def ask(views: ViewsClient, at_least: int) -> list[rows.BackfillRow]:
        from headwater.core.queries import BackfillRow

        where: dict[str, Any] = {} if flow is None else {"flow_name": {"_eq": flow}}
        where |= {} if project is None else {"project_name": {"_eq": project}}
        where |= {"state": {"_in": ["running", "cancelling"]}} if running else {}
        return await views.find("backfills", BackfillRow, where, limit=limit, at_least=at_least)

    columns = [
        TableColumn("NAME"),
        TableColumn("FLOW NAME"),
        TableColumn("STATE", colours={"running": "blue", "cancelling": "yellow", "completed": "green"}),
        TableColumn("ENDED", right=True),
        TableColumn("SUCCEEDED", right=True),
        TableColumn("FAILED", right=True),
        TableColumn("CANCELLED", right=True),
        TableColumn("AGE"),
        TableColumn("ID", whole=True),
    ]

    def cells(row: rows.BackfillRow) -> Iterable[Any]:
        called = f"{row.flow_name}/{row.slug}" if row.slug else row.flow_name
        ended = f"{row.succeeded + row.failed + row.cancelled} of {row.times}"
        return (row.name, called, row.state, ended, row.succeeded, row.failed, row.cancelled, age(row.created), row.id)

    _show(output, columns, _ask(context, ask), cells, "backfills")


app.command("schedules", epilog=examples("headwater get schedules", "headwater get schedules --project etl -o json"))(schedules.list_)


def _ask(context: typer.Context, question: Callable[[ViewsClient, int], Awaitable[Row]]) -> Row:
    async def work(client: AsyncClient) -> Row:
        from headwater.cli.lookup import with_latest_views

        return await with_latest_views(client, question)

    return with_client(context, work)


def _show(
    output: OutputForm, columns: Sequence[TableColumn], found: Sequence[Row], cells: Callable[[Row], Iterable[Any]], kind: str
) -> None:
    if output is OutputForm.JSON:
        print_json(found)
        return
    print_table(columns, [tuple(cells(row)) for row in found])
    if not found:
        echo_stderr(f"No {kind} found.")


def _states(given: list[str]) -> tuple[str, ...]:
    """Return the states as they are spelled in the views, whatever their case."""
    from headwater.core.states import StateName

    known = {state.value.lower(): state.value for state in StateName}
    for state in given:
        if state.lower() not in known:
            raise typer.BadParameter(f"{state!r} is not a state; the states are {', '.join(known.values())}.", param_hint="--state")
    return tuple(known[state.lower()] for state in given)


def _with_index(name: str, map_index: int) -> str:
    return name if map_index < 0 else f"{name}[{map_index}]"
