"""`headwater schedules`: when flows run by themselves: list, describe, pause, resume and delete schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.commands import schedules_audit, schedules_set
from headwater.cli.connection import with_client
from headwater.cli.output import (
    Output,
    OutputForm,
    TableColumn,
    coloured,
    echo_stderr,
    examples,
    format_cell,
    local_time,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headwater.cli.schedule_lookup import NamedSchedule
    from headwater.core.aggregates import CommandResult
    from headwater.core.queries.rows import ScheduleOutcomeRow, ScheduleRow
    from headwater.core.schedules.state import ScheduleState
    from headwater.sdk.client.async_client import AsyncClient

Schedule = Annotated[str, typer.Argument(metavar="SCHEDULE", help="The flow's name; FLOW/SLUG where it has several.")]
Project = Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; it shows wherever the schedule does.")]
_OUTCOMES_SHOWN = 10

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say when flows run by themselves, and see what became of each time.")


@app.command("list", epilog=examples("headwater schedules list", "headwater schedules list --project etl --output json"))
def list_(
    context: typer.Context,
    *,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="Only those of this project.")] = None,
    flow: Annotated[str | None, typer.Option("--flow", "-f", metavar="NAME", help="Only those of this flow.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, help="List at most this many.")] = 100,
    output: Output = OutputForm.TABLE,
) -> None:
    """List the schedules: their times in words, whether they are active, and the next and the last time."""

    async def work(client: AsyncClient) -> list[ScheduleRow]:
        from headwater.cli.lookup import with_latest_views
        from headwater.core.operations.project_lookup import find_project
        from headwater.core.queries.requests import ListSchedules

        if project is not None:
            await find_project(client.log.events, project)
        query = ListSchedules(project=project, flow=flow, limit=limit)
        return await with_latest_views(client, lambda views, at_least: views.schedules(query, at_least=at_least))

    from headwater.cli.schedule_words import STATE_COLOURS, state_of, times_of_row, times_words

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json([_as_json(row, number=1) for row in found])
        return
    columns = [
        TableColumn("NAME"),
        TableColumn("TIMES"),
        TableColumn("STATE", colours=STATE_COLOURS),
        TableColumn("NEXT TIME", whole=True),
        TableColumn("LAST TIME", whole=True),
        *([] if project is not None else [TableColumn("PROJECT NAME")]),
    ]
    cells = [
        (row.called, times_words(row.spec), state_of(row), next((each.nominal for each in times_of_row(row, 1)), None), row.last_nominal)
        for row in found
    ]
    print_table(columns, [(*each, row.project_name)[: len(columns)] for each, row in zip(cells, found, strict=True)])
    if not found:
        echo_stderr("No schedules found.")


@app.command(epilog=examples("headwater schedules describe nightly-load --project etl", "headwater schedules describe load/hourly -o json"))
def describe(context: typer.Context, *, schedule: Schedule, project: Project = None, output: Output = OutputForm.TABLE) -> None:
    """Tell all about a schedule: its times and policies in words, its state, the next times, and what became of the last ones."""

    async def work(client: AsyncClient) -> tuple[ScheduleRow, list[ScheduleOutcomeRow], str]:
        from headwater.cli.lookup import with_latest_views
        from headwater.cli.schedule_lookup import find_schedule
        from headwater.core.queries.requests import ListScheduleOutcomes

        named = await find_schedule(client, schedule, project)
        row = await with_latest_views(client, lambda views, at_least: views.schedule(named.id, at_least=at_least))
        outcomes = await client.views.schedule_outcomes(ListScheduleOutcomes(schedule_id=named.id, limit=_OUTCOMES_SHOWN))
        return row, outcomes, client.flow_url(named.group_id)

    row, outcomes, url = with_client(context, work)
    if output is OutputForm.JSON:
        import msgspec

        print_json({**_as_json(row), "outcomes": msgspec.to_builtins(outcomes), "url": url})
        return
    _print_schedule(row, outcomes, url)


@app.command(
    epilog=examples(
        "headwater schedules pause nightly-load --project etl --note 'The source moves.'",
        "headwater schedules pause nightly-load -p etl --until 2026-12-01T08:00",
    )
)
def pause(
    context: typer.Context,
    *,
    schedule: Schedule,
    project: Project = None,
    note: Note = "",
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it goes on by itself; without a zone it is this machine's time.")
    ] = None,
) -> None:
    """Let times to come have no runs, until the schedule is resumed. Runs that are there go on."""
    from headwater.cli.values import parsed_time

    end = None if until is None else parsed_time(until, option="--until")

    async def work(client: AsyncClient) -> tuple[NamedSchedule, bool]:
        from headwater.cli.schedule_lookup import find_schedule

        named = await find_schedule(client, schedule, project)
        return named, (await client.headwater.schedules.pause(named.id, note=note, until=end)).changed

    named, changed = with_client(context, work)
    words = "until it is resumed" if end is None else f"until {local_time(end)}"
    print(f"{named.called}: {coloured('paused', 'yellow')} {words}{'' if changed else ', as before'}.")


@app.command(epilog=examples("headwater schedules resume nightly-load --project etl"))
def resume(context: typer.Context, *, schedule: Schedule, project: Project = None, note: Note = "") -> None:
    """Let times to come have runs again. Those of the pause have none."""

    async def work(client: AsyncClient) -> tuple[NamedSchedule, CommandResult[ScheduleState]]:
        from headwater.cli.schedule_lookup import find_schedule

        named = await find_schedule(client, schedule, project)
        return named, await client.headwater.schedules.resume(named.id, note=note)

    named, outcome = with_client(context, work)
    print(f"{named.called}: {coloured('active', 'green')}{'' if outcome.changed else ', as before'}.")
    _print_next(outcome.state)


@app.command(epilog=examples("headwater schedules delete nightly-load --project etl"))
def delete(context: typer.Context, *, schedule: Schedule, project: Project = None) -> None:
    """Take away the times that a user set. Those that the flow is registered with hold again, if it has some. Runs that are there stay."""

    async def work(client: AsyncClient) -> tuple[NamedSchedule, CommandResult[ScheduleState]]:
        from headwater.cli.schedule_lookup import find_schedule

        named = await find_schedule(client, schedule, project)
        return named, await client.headwater.schedules.delete(named.id)

    named, outcome = with_client(context, work)
    if outcome.state.spec is None:
        print(f"{named.called}: deleted.")
        return
    from headwater.cli.schedule_words import times_words

    print(f"{named.called}: the times that it is registered with hold again: {times_words(outcome.state.spec)}.")
    _print_next(outcome.state)


app.command("set", epilog=schedules_set.EXAMPLES)(schedules_set.set_)
app.command("check", epilog=schedules_audit.CHECK_EXAMPLES)(schedules_audit.check)
app.command("explain", epilog=schedules_audit.EXPLAIN_EXAMPLES)(schedules_audit.explain)


def _print_next(state: ScheduleState) -> None:
    from headwater.cli.schedule_words import next_times, print_times

    assert state.progress is not None
    times = next_times(state.spec, max(state.progress.decided, datetime.now(UTC)), 1) if state.is_active else []
    if times:
        print("Next time:")
        print_times(state.spec, times, indent="  ")


def _as_json(row: ScheduleRow, *, number: int = 5) -> dict[str, Any]:
    import msgspec

    from headwater.cli.schedule_words import times_of_row, times_words

    times = [each.nominal for each in times_of_row(row, number)]
    return {**msgspec.to_builtins(row), "called": row.called, "words": times_words(row.spec), "next_times": msgspec.to_builtins(times)}


def _print_schedule(row: ScheduleRow, outcomes: list[ScheduleOutcomeRow], url: str) -> None:
    from headwater.cli.schedule_words import OUTCOME_COLOURS, outcome_cells, print_times, state_sentence, times_of_row, times_words
    from headwater.core.schedules.policy_phrases import policy_phrases

    registered = times_words(row.registered) if row.set_by_user is not None and row.registered is not None else None
    spec = row.spec
    phrases = [] if spec is None else list(policy_phrases(spec.policies))
    facts: dict[str, Any] = {
        "Schedule": row.called,
        "Project": row.project_name,
        "Times": times_words(spec),
        "Set by": "a user, over all versions of the flow" if row.set_by_user is not None else "the flow's registration",
        "Registered": registered,
        "Policies": phrases[0] if phrases else "the defaults",
        **{" " * number: phrase for number, phrase in enumerate(phrases[1:], start=1)},
        "State": state_sentence(row),
        "Runs made": row.runs_made,
        "Last time": row.last_nominal,
        "Last run": row.last_run_id,
        "Changed": f"{local_time(row.updated)} by {row.updated_by}",
        "ID": row.id,
        "URL": url,
    }
    shown = {heading: value for heading, value in facts.items() if value is not None}
    width = max(map(len, shown)) + 1
    for heading, value in shown.items():
        name = f"{heading}:" if heading.strip() else ""
        print(f"{name:<{width}}  {value if heading == 'State' else format_cell(value)}")
    print("\nNext times:")
    times = times_of_row(row)
    print_times(spec, times, indent="  ")
    if not times:
        print("  none while it is paused" if not row.active and row.paused_until is None else "  none")
    if outcomes:
        print()
        columns = [
            TableColumn("TIME", whole=True),
            TableColumn("OUTCOME", whole=True, colours=OUTCOME_COLOURS),
            TableColumn("WHY"),
            TableColumn("RECORDED", whole=True),
        ]
        print_table(columns, outcome_cells(outcomes))
