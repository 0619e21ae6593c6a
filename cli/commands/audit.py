"""`headwater audit`: what was the case, and what changed, folded from the log alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import (
    Output,
    OutputForm,
    TableColumn,
    coloured,
    echo_stderr,
    examples,
    local_time,
    print_json,
    print_json_list,
    print_json_parts,
    print_table,
    state_words,
    warn,
)
from headwater.cli.progress_bar import folding

if TYPE_CHECKING:
    from headwater.audit import Change, Replayed, VerificationReport
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Replay, compare and check the past, from the log.")

_VALUE_WIDTH = 60


@app.command(
    epilog=examples(
        "headwater audit replay",
        "headwater audit replay quiet-heron",
        "headwater audit replay --project tutorial --as-of 2026-11-22T08:30:00+00:00",
        "headwater audit replay --as-of 1234 --output json",
    )
)
def replay(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id, or its name; without it everything.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", metavar="NAME", help="This project, its flows and its runs.")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME|POSITION", help="As it was then, by the log's own clock; now by default.")
    ] = None,
    output: Output = OutputForm.TABLE,
) -> None:
    """Fold the log up to a moment and show what was the case. No view and no database takes part."""
    if run is not None and project is not None:
        raise typer.BadParameter("give a RUN or a --project, not both", ctx=context)
    moment = _moment(as_of)

    async def work(client: AsyncClient) -> Replayed:
        from headwater import audit
        from headwater.cli.lookup import find_run_id

        log = client.log.events
        if run is not None:
            return await audit.replay_run(log, await find_run_id(client, run), as_of=moment)
        with folding((await log.tail()).position) as advance:
            if project is not None:
                return await audit.replay_project(log, project, as_of=moment, on_progress=advance)
            return await audit.replay(log, as_of=moment, on_progress=advance)

    found = with_client(context, work)
    if output is OutputForm.JSON:
        names = ("position", "time", "commits", "projects", "key_values", "flows", "runs", "queues", "agents", "unreadable")
        print_json_parts((name, getattr(found, name)) for name in (*names, "unreadable_count"))
        return
    when = f", recorded {local_time(found.time)}" if found.time is not None else ""
    print(f"As of position {found.position}{when}: {found.commits} {'commit' if found.commits == 1 else 'commits'} folded.")
    for position, subject, reason in found.unreadable:
        warn(f"commit {position} on {subject} cannot be read: {reason}")
    if found.unreadable_count > len(found.unreadable):
        warn(f"{found.unreadable_count - len(found.unreadable)} more commits cannot be read")
    if run is not None:
        _print_run(next(found.runs))
    else:
        _print_world(found)


def _print_run(facts: Mapping[str, Any]) -> None:
    print()
    width = max(len(name) for name in facts if name != "task_runs")
    for name, value in facts.items():
        if name != "task_runs":
            print(f"{name:<{width}}  {state_words(value) if name == 'state' else _words(value)}")
    if facts["task_runs"]:
        print()
        columns = [
            TableColumn("TASK RUN"),
            TableColumn("STATE", is_state=True),
            TableColumn("RUN COUNT", right=True),
            TableColumn("START TIME"),
            TableColumn("END TIME"),
        ]
        print_table(columns, [(name, t["state"], t["run_count"], t["start_time"], t["end_time"]) for name, t in facts["task_runs"].items()])


def _print_world(found: Replayed) -> None:
    tables: list[tuple[str, list[TableColumn], Iterator[tuple[Any, ...]]]] = [
        (
            "Projects",
            [TableColumn("NAME"), TableColumn("DELETED"), TableColumn("ID", whole=True)],
            ((p["name"], p["deleted"], p["id"]) for p in found.projects),
        ),
        (
            "Key-values",
            [TableColumn("KEY"), TableColumn("VALUE"), TableColumn("DELETED"), TableColumn("ID", whole=True)],
            ((k["name"], _words(k["value"]), k["deleted"], k["id"]) for k in found.key_values),
        ),
        (
            "Flows",
            [TableColumn("NAME"), TableColumn("VERSIONS"), TableColumn("ID", whole=True)],
            ((f["name"], ", ".join(f"{number} {state}" for number, state in f["versions"].items()), f["id"]) for f in found.flows),
        ),
        (
            "Runs",
            [
                TableColumn("NAME"),
                TableColumn("FLOW"),
                TableColumn("STATE", is_state=True),
                TableColumn("ATTEMPT", right=True),
                TableColumn("ID", whole=True),
            ],
            ((r["name"], r.get("flow_name"), r["state"], r["attempt"], r["id"]) for r in found.runs),
        ),
        (
            "Agents",
            [TableColumn("NAME"), TableColumn("LABELS"), TableColumn("STATUS"), TableColumn("ID", whole=True)],
            ((a["name"], a["labels"], a["status"], a["id"]) for a in found.agents),
        ),
    ]
    for title, columns, rows in tables:
        if (first := next(rows, None)) is not None:
            print(f"\n{coloured(title, 'bright_white')}")
            print_table(columns, chain((first,), rows))


@app.command(
    epilog=examples(
        "headwater audit diff 120 180", "headwater audit diff 2026-11-22T08:00 2026-11-22T09:00", "headwater audit diff 120 now"
    )
)
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(metavar="A", help="A position or a time.")],
    after: Annotated[str, typer.Argument(metavar="B", help="A later one, or `now`.")],
    output: Output = OutputForm.TABLE,
) -> None:
    """Show what changed after A, up to and including B, and which commits did it."""
    first, last = _moment(before), _moment(None if after == "now" else after)
    _require_order(first, last)

    async def work(client: AsyncClient) -> Iterator[Change]:
        from headwater import audit

        with folding((await client.log.events.tail()).position) as advance:
            return await audit.diff(client.log.events, first, last, on_progress=advance)

    changes = with_client(context, work)
    if output is OutputForm.JSON:
        print_json_list(changes)
        return
    if (first_change := next(changes, None)) is None:
        echo_stderr("Nothing changed.")
        return
    for change in chain((first_change,), changes):
        _print_change(change)


@app.command(epilog=examples("headwater audit check", "headwater audit check --facts-only", "headwater audit check --output json"))
def check(
    context: typer.Context,
    facts_only: Annotated[bool, typer.Option("--facts-only", help="Do not ask the broker whether something will wake each run.")] = False,
    output: Output = OutputForm.TABLE,
) -> None:
    """Check that the whole log keeps what is promised; exit code 1 where it does not.

    No illegal transition, attempts that strictly increase, at most one success per task run, nothing after a run's end, and a lease, an
    item or a timer for every unfinished run.
    """

    async def work(client: AsyncClient) -> VerificationReport:
        from headwater import audit

        with folding((await client.log.events.tail()).position) as advance:
            return await audit.verify(client.log, wake_ups=not facts_only, on_progress=advance)

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
    else:
        for violation in found.violations:
            positions = ", ".join(str(position) for position in violation.positions)
            print(f"{coloured('✗', 'red')} {violation.promise}: {violation.words}")
            print(coloured(f"    {violation.subject}, position {positions}", "bright_black"))
        if found.violation_count > len(found.violations):
            print(f"and {found.violation_count - len(found.violations)} more")
        verdict = coloured("kept", "green") if not found.violations else coloured(f"broken {found.violation_count} times", "red")
        print(f"{found.commits} commits, {found.runs} runs, {found.unfinished} of them unfinished: the promises are {verdict}.")
    if found.violations:
        raise typer.Exit(1)


def _print_change(change: Change) -> None:
    sign, colour = ("+", "green") if change.change == "created" else ("~", "yellow")
    kind = "key" if change.kind == "kv" else change.kind
    print(f"{coloured(f'{sign} {kind} {change.name or change.id}', colour)}  {coloured(change.id, 'bright_black')}")
    for name, (was, became) in change.fields.items():
        if change.change == "created" and became in (None, "", [], {}, False):
            continue
        print(f"    {name}: {_words(became)}" if change.change == "created" else f"    {name}: {_words(was)} → {_words(became)}")
    for commit in change.commits:
        print(coloured(f"    {commit.position:>7}  {commit.actor}  {', '.join(commit.events)}", "bright_black"))


def _require_order(first: Any, last: Any) -> None:
    from headwater.core.errors import InvalidArgument

    if first is not None and last is not None and type(first) is type(last) and first > last:
        raise InvalidArgument("A is later than B: nothing lies between them.", hint="Give the earlier one first.")


def _moment(text: str | None) -> Any:
    from datetime import datetime

    from headwater.audit import parse_moment
    from headwater.cli.values import echoed
    from headwater.core.values.moments import as_local

    moment = None if text is None else parse_moment(text, in_zone=as_local)
    if isinstance(moment, datetime):
        echo_stderr(echoed("The moment is", moment))
    return moment


def _words(value: Any) -> str:
    from datetime import datetime

    import msgspec

    if value is None:
        return "-"
    if isinstance(value, datetime):
        return local_time(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _VALUE_WIDTH else text[: _VALUE_WIDTH - 1] + "…"
