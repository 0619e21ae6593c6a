"""`headwater describe ...`: all about one flow, run, task run or task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import OutputForm, TableColumn, examples, format_cell, print_json, print_table, state_words

if TYPE_CHECKING:
    from headwater.cli.task_run_lookup import TaskRunFound
    from headwater.core.queries import ArtifactRow, rows
    from headwater.sdk.client.async_client import AsyncClient

Form = Annotated[OutputForm, typer.Option("--output", "-o", metavar="table|json", help="Lines and tables for people, or JSON.")]
FlowName = Annotated[str | None, typer.Argument(metavar="FLOW", help="The flow's name, or the id of a version or of the flow.")]
Name = Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="The flow's name, instead of FLOW.")]
Version = Annotated[int | None, typer.Option("--version", "-v", metavar="N", help="This version; the newest by default.")]
Project = Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")]

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def describe() -> None:
    """Tell all about a flow, a run, a task run or tasks."""


@app.command(epilog=examples("headwater describe flow hello-flow", "headwater describe flow hello-flow --project tutorial --output json"))
def flow(
    context: typer.Context,
    *,
    flow: FlowName = None,
    name: Name = None,
    version: Version = None,
    project: Project = None,
    output: Form = OutputForm.TABLE,
) -> None:
    """Tell all about a flow version: parameters, labels, storage, tasks and edges."""
    wanted = _one_name(context, flow, name)

    async def work(
        client: AsyncClient,
    ) -> tuple[rows.FlowRow, list[rows.FlowTaskRow], list[rows.FlowEdgeRow], list[rows.ScheduleRow], str]:
        from headwater.cli.lookup import find_flow_row, with_latest_views
        from headwater.core.queries.requests import ListSchedules

        found = await find_flow_row(client, wanted, version=version, project=project)
        tasks = await with_latest_views(client, lambda views, at_least: views.flow_tasks(found.id, at_least=at_least))
        edges = await with_latest_views(client, lambda views, at_least: views.flow_edges(found.id, at_least=at_least))
        query = ListSchedules(flow_group_ids=(found.flow_group_id,))
        schedules = await with_latest_views(client, lambda views, at_least: views.schedules(query, at_least=at_least))
        return found, tasks, edges, schedules, client.flow_url(found.id)

    found, tasks, edges, schedules, url = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(_with(found, tasks=_built(tasks), edges=_built(edges), schedules=_built(schedules), url=url))
        return
    _print_facts(
        {
            "Name": found.name,
            "Project": found.project_name,
            "Version": f"{found.version}{' (archived)' if found.archived else ''}",
            "ID": found.id,
            "Flow group": found.flow_group_id,
            "Registered": found.created,
            "Registered by": found.created_by,
            "Description": found.description or None,
            "Labels": _set_over(found.run_labels, found.labels) if found.group_labels is not None else found.labels,
            "Parameters": ", ".join(
                f"{each.name} (required)"
                if each.required
                else f"{each.name}={each.default!r}{' (set for the flow)' if each.name in found.default_parameters else ''}"
                for each in found.run_parameters
            )
            or None,
            "Storage": f"{found.storage.type} {found.storage.location}".strip(),
            "Schedule": _in_words(schedules),
            "Tasks": found.task_count,
            "Edges": found.edge_count,
            "URL": url,
        }
    )
    if tasks:
        print()
        _print_tasks(tasks)


@app.command("flow-run", epilog=examples("headwater describe flow-run quiet-heron", "headwater describe flow-run quiet-heron -o json"))
def flow_run(
    context: typer.Context,
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name.")],
    output: Form = OutputForm.TABLE,
) -> None:
    """Tell all about a run: its states, task runs and parameters."""

    async def work(client: AsyncClient) -> tuple[rows.RunRow, list[rows.RunStateRow], list[rows.TaskRunRow], str]:
        from headwater.cli.lookup import find_run_id, with_latest_views
        from headwater.core.errors import NotFound
        from headwater.core.operations.run_lookup import find_deleted_run

        run_id = await find_run_id(client, run)
        try:
            found = await with_latest_views(client, lambda views, at_least: views.run(run_id, at_least=at_least))
        except NotFound as error:
            if (deleted := await find_deleted_run(client.log.events, run_id)) is not None:
                error.hint = f"{deleted.words} `headwater events {run_id}` shows what happened to it."
            raise
        states = await with_latest_views(client, lambda views, at_least: views.run_states(run_id, at_least=at_least))
        task_runs = await with_latest_views(client, lambda views, at_least: views.task_runs(run_id, at_least=at_least))
        return found, states, task_runs, client.run_url(run_id)

    found, states, task_runs, url = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(_with(found, states=_built(states), task_runs=_built(task_runs), url=url))
        return
    _print_facts(
        {
            "Name": found.name,
            "Flow": f"{found.flow_name} (version {found.version})",
            "Project": found.project_name,
            "State": f"{state_words(found.state)}  {found.state_message}".rstrip(),
            "ID": found.id,
            "Labels": found.labels,
            "Parameters": _pairs(found.parameters),
            "Context": _pairs(found.context),
            "Created": found.created,
            "Created by": found.created_by,
            "Scheduled for": found.scheduled_start_time,
            "Started": found.start_time,
            "Ended": found.end_time,
            "Attempt": found.attempt,
            "Agent": found.agent_name,
            "URL": url,
        }
    )
    if found.failure is not None:
        print(f"\nFailure: {found.failure.type}: {found.failure.message}")
    print()
    print_table(
        [TableColumn("STATE", is_state=True), TableColumn("SINCE"), TableColumn("MESSAGE")],
        [(each.state, each.at, each.message) for each in states],
    )
    if task_runs:
        print()
        print_table(
            [TableColumn("TASK RUN"), TableColumn("STATE", is_state=True), TableColumn("RUN COUNT", right=True), TableColumn("MESSAGE")],
            [
                (each.name if each.map_index < 0 else f"{each.name}[{each.map_index}]", each.state, each.run_count, each.state_message)
                for each in task_runs
            ],
        )


@app.command(
    "task-run",
    epilog=examples("headwater describe task-run quiet-heron load", "headwater describe task-run quiet-heron 'load[3]' -o json"),
)
def task_run(
    context: typer.Context,
    *,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or its name; or the id of a task run, alone.")],
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="The task, by name or slug; TASK[3] is a mapped child.", show_default=False)
    ] = None,
    output: Form = OutputForm.TABLE,
) -> None:
    """Tell all about a task run: its states, and the artifacts that it left."""

    async def work(client: AsyncClient) -> TaskRunFound:
        from headwater.cli.task_run_lookup import find_task_run

        return await find_task_run(client, run, task)

    found = with_client(context, work)
    row = found.row
    if output is OutputForm.JSON:
        print_json(_with(row, states=_built(found.states), artifacts=_built(found.artifacts)))
        return
    _print_facts(
        {
            "Name": row.name if row.map_index < 0 else f"{row.name}[{row.map_index}]",
            "Slug": row.slug,
            "Run": f"{found.run.name} ({found.run.id})",
            "State": f"{state_words(row.state)}  {row.state_message}".rstrip(),
            "Executions": row.run_count,
            "Started": row.start_time,
            "Ended": row.end_time,
            "Result": None if row.result is None else f"{row.result.type} {row.result.location or ''}".strip(),
        }
    )
    if row.failure is not None:
        print(f"\nFailure: {row.failure.type}: {row.failure.message}")
    if found.states:
        print()
        columns = [TableColumn("STATE", is_state=True), TableColumn("SINCE"), TableColumn("MESSAGE")]
        print_table(columns, [(each.state, each.at, each.message) for each in found.states])
    for each in found.artifacts:
        print(f"\n{each.kind.capitalize()} artifact, {format_cell(each.updated)}:")
        _print_artifact(each)


@app.command(epilog=examples("headwater describe tasks hello-flow", "headwater describe tasks hello-flow --version 2 --output json"))
def tasks(
    context: typer.Context,
    *,
    flow: FlowName = None,
    name: Name = None,
    version: Version = None,
    project: Project = None,
    output: Form = OutputForm.TABLE,
) -> None:
    """Tell all about the tasks of a flow version."""
    wanted = _one_name(context, flow, name)

    async def work(client: AsyncClient) -> list[rows.FlowTaskRow]:
        from headwater.cli.lookup import find_flow_row, with_latest_views

        found = await find_flow_row(client, wanted, version=version, project=project)
        return await with_latest_views(client, lambda views, at_least: views.flow_tasks(found.id, at_least=at_least))

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
    else:
        _print_tasks(found)


# The listings' words, for those who type the plural.
app.command("flows", hidden=True)(flow)
app.command("flow-runs", hidden=True)(flow_run)
app.command("task", hidden=True)(tasks)
app.command("task-runs", hidden=True)(task_run)


def _in_words(schedules: Sequence[rows.ScheduleRow]) -> str | None:
    """Say the times and the state of a flow's schedules, on one line; None where it has none."""
    from headwater.cli.schedule_words import state_of, times_words

    named = [f"{f'{row.slug}: ' if row.slug else ''}{times_words(row.spec)} ({state_of(row)})" for row in schedules]
    return "; ".join(named) or None


def _set_over(labels: Sequence[str], registered: Sequence[str]) -> str:
    """Say the labels that were set for the flow, and those that they replace."""
    return f"{', '.join(labels) or 'none'} (set for the flow; registered with {', '.join(registered) or 'none'})"


def _one_name(context: typer.Context, argument: str | None, option: str | None) -> str:
    if (argument is None) == (option is None):
        context.fail("Name one flow, as FLOW or with --name.")
    return argument or option or ""


def _print_facts(facts: Mapping[str, Any]) -> None:
    width = max(map(len, facts)) + 1
    for heading, value in facts.items():
        if value is not None and value != ():
            print(f"{heading + ':':<{width}}  {format_cell(value)}")


def _print_tasks(tasks: Iterable[rows.FlowTaskRow]) -> None:
    columns = [
        TableColumn("TASK"),
        TableColumn("SLUG"),
        TableColumn("TRIGGER"),
        TableColumn("RETRIES", right=True),
        TableColumn("MAPPED"),
        TableColumn("TYPE"),
    ]
    print_table(columns, [(each.name, each.slug, each.trigger, each.max_retries, each.mapped, each.type) for each in tasks])


def _print_artifact(artifact: ArtifactRow) -> None:
    """Print what an artifact shows, as it is."""
    data = artifact.data
    if artifact.kind == "table":
        print_table([TableColumn(str(column)) for column in data["columns"]], data["rows"])
    else:
        print(data.get("link") or data.get("markdown") or "")


def _pairs(values: Mapping[str, Any]) -> str | None:
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or None


def _with(row: Any, **more: Any) -> dict[str, Any]:
    import msgspec

    return {**msgspec.to_builtins(row), **more}


def _built(found: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(found)
