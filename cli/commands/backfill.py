"""`headwater backfill`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, TableColumn, echo_stderr, examples, print_json, print_table

if TYPE_CHECKING:
    from headwater.core.backfills.state import Backfill
    from headwater.core.queries.backfill_plan import BackfillPlan
    from headwater.core.schedules.state import ScheduleState
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)

EXAMPLES = examples(
    "headwater backfill nightly-load --project etl --from 2026-11-01 --to 2026-11-08 --dry-run",
    "headwater backfill nightly-load --project etl --from 2026-11-01 --failed --limit 3 --watch",
    "headwater backfill load/north --project etl --from 2026-11-01 --all --reverse --param full=true",
)


@app.command(epilog=EXAMPLES)
def backfill(
    context: typer.Context,
    *,
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow's name; FLOW/SLUG is another schedule of it.")],
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="The first time, such as 2026-11-01 or 2026-11-01T06:00.")],
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="The last time; now by default.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="The flow's project.")] = None,
    schedule: Annotated[str | None, typer.Option("--schedule", metavar="SLUG", help="The schedule, where the flow has several.")] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Times that have no run (the default).")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Times whose last run failed or was cancelled.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="All times of the span.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="So many of its runs are unfinished at once, at most.")] = 1,
    reverse: Annotated[bool, typer.Option("--reverse", help="Begin with the newest time.")] = False,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=JSON", help="A parameter of all its runs; may repeat.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which times would have runs, and do nothing.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Watch the runs end; exit 1 unless all succeed.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the backfill's id alone.")] = False,
    output: OutputForm = Output.TABLE,
) -> None:
    """Let times of a schedule that are over have runs.

    Its runs wait while other runs wait for an agent. `headwater cancel ID` cancels the whole backfill.
    """
    from datetime import UTC, datetime

    from headwater.cli.values import parsed_pairs, parsed_time
    from headwater.core.events import BackfillChoice

    if missing + failed + all_ > 1:
        context.fail("Choose one of --missing, --failed and --all.")
    choice = BackfillChoice.FAILED if failed else BackfillChoice.ALL if all_ else BackfillChoice.MISSING
    begins = parsed_time(since, option="--from").astimezone(UTC)
    now = datetime.now(UTC)
    ends = now if until is None else parsed_time(until, option="--to").astimezone(UTC)
    values = parsed_pairs(param or [], option="--param")
    if ends > now:
        echo_stderr("Times to come have their runs by the schedule: the backfill ends now.")
        ends = now
    called = flow if schedule is None else f"{flow}/{schedule}"

    async def work(client: AsyncClient) -> tuple[BackfillPlan, Backfill | None]:
        from headwater.cli.lookup import with_latest_views
        from headwater.cli.schedule_lookup import find_schedule
        from headwater.core.queries.backfill_plan import plan_backfill

        named = await find_schedule(client, called, project)
        state: ScheduleState = await client.headwater.schedules.of(named.id).refresh()
        definition = state.definition
        assert definition is not None
        plan = await with_latest_views(
            client,
            lambda views, at_least: plan_backfill(views, definition, begins, ends, choice, reverse=reverse, at_least=at_least),
        )
        if dry_run or not plan.times:
            return plan, None
        request = client.headwater.backfills.request
        return plan, (await request(definition, begins, ends, choice, plan.times, limit=limit, parameters=values)).state

    plan, requested = with_client(context, work)
    if requested is None:
        _show_plan(plan, output, dry_run=dry_run)
        return
    _show_requested(requested, output, quiet=quiet)
    if watch:
        from headwater.cli.backfill_watch import watch_backfill_to_the_end

        raise typer.Exit(watch_backfill_to_the_end(context, requested.requested.backfill_id, quiet=quiet or output is Output.JSON))


def _show_plan(plan: BackfillPlan, output: Output, *, dry_run: bool) -> None:
    if output is Output.JSON:
        print_json(
            [
                {"nominal": time.nominal, "last_state": plan.last_state(time), "parameters": time.parameters, "labels": time.labels}
                for time in plan.times
            ]
        )
        return
    if not plan.times:
        print("Nothing to backfill: no time of the span is to have a run.")
        return
    columns = [TableColumn("TIME"), TableColumn("LAST RUN", is_state=True), TableColumn("PARAMETERS")]
    print_table(columns, [[time.nominal, plan.last_state(time) or "-", _given(time.parameters)] for time in plan.times])
    if dry_run:
        times = "1 time" if len(plan.times) == 1 else f"{len(plan.times):,} times"
        print(f"{times} would have runs, in this order. Nothing was done.")


def _given(parameters: dict[str, object]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in parameters.items())


def _show_requested(backfill: Backfill, output: Output, *, quiet: bool) -> None:
    request = backfill.requested
    if output is Output.JSON:
        print_json({"id": request.backfill_id, "name": request.name, "times": [time.nominal for time in request.times]})
        return
    if quiet:
        print(request.backfill_id, flush=True)
        return
    times = "1 time" if len(request.times) == 1 else f"{len(request.times):,} times"
    print(f"Backfill {request.name}: {times} {'has' if len(request.times) == 1 else 'have'} runs, at most {request.limit} at once.")
    print(f"└── ID: {request.backfill_id}", flush=True)
