"""`headwater schedules set`: give a flow times, or change its policies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, coloured, examples, local_time, print_json
from headwater.core.events import Missed, Overlap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headwater.cli.schedule_lookup import NamedSchedule
    from headwater.cli.schedule_options import PoliciesWanted, TimesWanted
    from headwater.core.aggregates import CommandResult
    from headwater.core.schedules.state import ScheduleState
    from headwater.sdk.client.async_client import AsyncClient

EXAMPLES = examples(
    'headwater schedules set nightly-load "0 6 * * MON-FRI" --timezone Europe/Berlin --project etl',
    "headwater schedules set nightly-load --interval 10m --overlap queue_one --project etl",
    'headwater schedules set load/north "@daily" --param region=north --project etl',
    "headwater schedules set nightly-load --missed all --window 2d --project etl",
)


def set_(
    context: typer.Context,
    *,
    schedule: Annotated[str, typer.Argument(metavar="SCHEDULE", help="The flow's name; FLOW/SLUG is another schedule of it.")],
    cron: Annotated[str | None, typer.Argument(metavar="CRON", help="A cron expression in quotes, such as '0 6 * * MON-FRI'.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")] = None,
    interval: Annotated[str | None, typer.Option("--interval", metavar="SPAN", help="A time each 90s, 10m, 1h30m, 2d or 1w.")] = None,
    rrule: Annotated[
        str | None, typer.Option("--rrule", metavar="RULE", help="A rule of RFC 5545: 'RRULE:FREQ=MONTHLY;BYDAY=2TU'.")
    ] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", metavar="ZONE", help="Whose clocks count; UTC by default.")] = None,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="No time is earlier; on the clock of --timezone.")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="TIME", help="No time is later; on the clock of --timezone.")] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=JSON", help="A parameter of its runs; bare words need no quotes; may repeat."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", metavar="LABEL", help="Labels of its runs, instead of the flow's; may repeat.")
    ] = None,
    missed: Annotated[Missed | None, typer.Option(help="What becomes of times that passed while no server was online.")] = None,
    window: Annotated[str | None, typer.Option("--window", metavar="SPAN", help="A missed time older than this has no run.")] = None,
    overlap: Annotated[Overlap | None, typer.Option(help="What becomes of a time while an earlier run has not ended.")] = None,
    jitter: Annotated[
        str | None, typer.Option("--jitter", metavar="SPAN", help="Runs are due up to so much later than their times.")
    ] = None,
    pause_on_failure: Annotated[
        str | None, typer.Option("--pause-on-failure", metavar="N", help="Pause it when N runs in a row failed; `none`: do not.")
    ] = None,
    max_runs: Annotated[
        str | None, typer.Option("--max-runs", metavar="N", help="Pause it when it has made N runs; `none`: no limit.")
    ] = None,
    active: Annotated[
        bool | None,
        typer.Option("--active/--paused", help="End a pause, or begin one; by default that stays as it is.", show_default=False),
    ] = None,
    output: Output = OutputForm.TABLE,
) -> None:
    """Give a flow times, over all its versions and whatever it was registered with; or change what becomes of them.

    Give CRON, --interval or --rrule for other times, which begin now; policies that are not named stay as they are.
    """
    from headwater.cli.schedule_options import PoliciesWanted, TimesWanted

    times = TimesWanted(
        cron=cron,
        interval=interval,
        rrule=rrule,
        timezone=timezone,
        start=start,
        end=end,
        param=tuple(param or ()),
        label=tuple(label or ()),
    )
    policies = PoliciesWanted(
        missed=missed, window=window, overlap=overlap, jitter=jitter, pause_on_failure=pause_on_failure, max_runs=max_runs
    )
    _require_sense(context, times, policies, active=active)
    # Read before anything is looked up: it may be wrong.
    timetable = times.timetable() if times.are_given else None
    changes = policies.changes()
    named, outcome = with_client(context, lambda client: _set(client, schedule, project, timetable, changes, active=active))
    _print(named, outcome, output)


def _require_sense(context: typer.Context, times: TimesWanted, policies: PoliciesWanted, *, active: bool | None) -> None:
    if sum(each is not None for each in (times.cron, times.interval, times.rrule)) > 1:
        context.fail("Give the times in one way: CRON, --interval or --rrule.")
    if not times.are_given and times.details:
        says = "says" if len(times.details) == 1 else "say"
        context.fail(f"{', '.join(times.details)} {says} more of times: give these, too, by CRON, --interval or --rrule.")
    if not times.are_given and not policies.are_given and active is None:
        context.fail("Say what to set: times by CRON, --interval or --rrule; or policies, such as --missed all.")


async def _set(
    client: AsyncClient,
    schedule: str,
    project: str | None,
    timetable: Mapping[str, Any] | None,
    changes: Mapping[str, Any],
    *,
    active: bool | None,
) -> tuple[NamedSchedule, CommandResult[ScheduleState]]:
    from msgspec.structs import replace

    from headwater.cli.schedule_lookup import find_flow_of, find_schedule
    from headwater.cli.schedule_options import as_data
    from headwater.core.events import SchedulePolicies

    named = await (find_schedule if timetable is None else find_flow_of)(client, schedule, project)
    spec = (await client.headwater.schedules.of(named.id).refresh()).spec
    kept = SchedulePolicies() if spec is None else spec.policies
    if timetable is None:
        assert spec is not None
        timetable = spec.timetable
    data = as_data(timetable, replace(kept, **changes))
    return named, await client.headwater.schedules.set(named.group_id, data, slug=named.slug, active=active)


def _print(named: NamedSchedule, outcome: CommandResult[ScheduleState], output: OutputForm) -> None:
    from headwater.cli.schedule_words import next_times, print_times, times_words
    from headwater.core.schedules.policy_phrases import policy_phrases

    state = outcome.state
    assert state.spec is not None
    assert state.progress is not None
    times = next_times(state.spec, max(state.progress.decided, datetime.now(UTC)))
    if output is OutputForm.JSON:
        import msgspec

        facts = {"id": named.id, "called": named.called, "project_name": named.project, "changed": outcome.changed}
        spec = msgspec.to_builtins(state.spec)
        words = {"words": times_words(state.spec), "active": state.is_active, "next_times": [each.nominal for each in times]}
        print_json({**facts, **words, "spec": spec})
        return
    print(f"{named.called}: {times_words(state.spec)}{'' if outcome.changed else ', as before'}.")
    for phrase in policy_phrases(state.spec.policies):
        print(f"  {phrase}")
    if (pause := state.progress.pause) is not None:
        until = "until it is resumed" if pause.until is None else f"until {local_time(pause.until)}"
        print(f"It is {coloured('paused', 'yellow')}: no time has a run {until}.")
    heading = "Next times:" if state.is_active else "Times to come:"
    print(heading if times else "It has no times to come.")
    print_times(state.spec, times, indent="  ")
