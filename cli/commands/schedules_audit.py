"""`headwater schedules check` and `explain`: whether every time has its one outcome, and why it has that."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, coloured, echo_stderr, examples, local_time, print_json
from headwater.cli.progress_bar import folding

if TYPE_CHECKING:
    from headwater.audit import ScheduleReport, TimeExplanation
    from headwater.cli.schedule_lookup import NamedSchedule
    from headwater.sdk.client.async_client import AsyncClient

CHECK_EXAMPLES = examples("headwater schedules check", "headwater schedules check nightly-load --project etl")
EXPLAIN_EXAMPLES = examples(
    "headwater schedules explain nightly-load --project etl",
    'headwater schedules explain nightly-load -p etl --at "2026-11-28 06:00"',
)
_COLOURS = {"has a run": "green", "to come": "blue"}


def check(
    context: typer.Context,
    *,
    schedule: Annotated[
        str | None, typer.Argument(metavar="SCHEDULE", help="FLOW or FLOW/SLUG; all of them by default.", show_default=False)
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project; or all of its schedules.")
    ] = None,
    output: Output = OutputForm.TABLE,
) -> None:
    """Check that every time of schedules has exactly one outcome, and every run of theirs its time; exit code 1 where not.

    The calendar gives the times, the log the outcomes; no view and no server takes part.
    """

    async def work(client: AsyncClient) -> tuple[ScheduleReport, dict[str, str]]:
        from headwater import audit

        only = await _meant(client, schedule, project)
        tail = await client.log.events.tail()
        with folding(tail.position) as advance:
            found = await audit.check_schedules(client.log.events, only=only, format_time=local_time, on_progress=advance)
        return found, await _names(client, {each.schedule_id for each in found.findings})

    found, names = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
    else:
        for finding in found.findings:
            print(f"{coloured('✗', 'red')} {names.get(finding.schedule_id, finding.schedule_id)}: {finding.words}")
            positions = ", ".join(map(str, finding.positions))
            print(coloured(f"    {finding.fault}; schedule {finding.schedule_id}, position {positions}", "bright_black"))
        if found.finding_count > len(found.findings):
            print(f"and {found.finding_count - len(found.findings)} more")
        _print_verdict(found)
    if found.finding_count:
        raise typer.Exit(1)


def _print_verdict(found: ScheduleReport) -> None:
    looked_at = ", ".join(
        f"{number:,} {word}{'' if number == 1 else 's'}"
        for number, word in ((found.schedules, "schedule"), (found.outcomes, "outcome"), (found.runs, "run"))
    )
    verdict = coloured(f"{found.unexplained:,} unexplained times", "red" if found.unexplained else "green")
    others = found.finding_count - sum(each.fault in {"unexplained", "overdue"} for each in found.findings)
    more = coloured(f", {others:,} other finding{'' if others == 1 else 's'}", "red") if others else ""
    print(f"{looked_at}: {verdict}{more}.")


async def _meant(client: AsyncClient, schedule: str | None, project: str | None) -> Collection[str] | None:
    """Return the ids of the schedules that are to be checked; None: all."""
    from headwater.cli.lookup import with_latest_views
    from headwater.cli.schedule_lookup import find_schedule
    from headwater.core.operations.project_lookup import find_project
    from headwater.core.queries.requests import ListSchedules

    if schedule is not None:
        return {(await find_schedule(client, schedule, project)).id}
    if project is None:
        return None
    query = ListSchedules(project=await find_project(client.log.events, project), include_deleted=True)
    return {row.id for row in await with_latest_views(client, lambda views, at_least: views.schedules(query, at_least=at_least))}


async def _names(client: AsyncClient, ids: Collection[str]) -> dict[str, str]:
    """Return what these schedules are called; nothing where the views do not answer."""
    from headwater.core.errors import ViewsError
    from headwater.core.queries.requests import ListSchedules

    try:
        rows = await client.views.schedules(ListSchedules(include_deleted=True)) if ids else []
    except ViewsError:
        rows = []
    return {row.id: f"{row.called} ({row.project_name})" for row in rows if row.id in ids}


def explain(
    context: typer.Context,
    *,
    schedule: Annotated[str, typer.Argument(metavar="SCHEDULE", help="The flow's name; FLOW/SLUG where it has several.")],
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="This moment; the last time by default. Without a zone it is this machine's.")
    ] = None,
    output: Output = OutputForm.TABLE,
) -> None:
    """Say why a flow ran, or did not, at a moment, and show the events that tell it."""
    from headwater.cli.values import parsed_time

    moment = None if at is None else parsed_time(at, option="--at")

    async def work(client: AsyncClient) -> tuple[NamedSchedule, TimeExplanation]:
        from headwater import audit
        from headwater.cli.schedule_lookup import find_schedule

        named = await find_schedule(client, schedule, project)
        return named, await audit.explain_schedule(client.log, named.id, moment, format_time=local_time)

    named, found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    reason = coloured(found.reason, _COLOURS.get(found.reason, "yellow"))
    print(f"{named.called} at {local_time(found.nominal)}: {reason}.")
    print(found.words)
    if found.evidence:
        print()
    for each in found.evidence:
        print(f"{each.position:>7}  {local_time(each.at)}  {each.words}  {coloured(each.actor, 'bright_black')}")
    if found.hint:
        echo_stderr(f"hint: {found.hint}")
