"""`headwater projections`: how far the views are, and rebuilding them."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Self

import typer

from headwater.cli.commands import dead_letters
from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, coloured, examples, print_json
from headwater.cli.streams import trusting_streams

if TYPE_CHECKING:
    from headwater.core.queries.rows import RebuildProgress, ViewsStatusRow
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at the views, rebuild them, and see the dead letters.")
app.add_typer(dead_letters.app, name="dead-letters")


@app.command(epilog=examples("headwater projections status", "headwater projections status --output json"))
def status(context: typer.Context, output: Output = OutputForm.TABLE) -> None:
    """Tell how far the views are behind the log, and which dead letters there are."""

    async def work(client: AsyncClient) -> ViewsStatusRow:
        return await client.views.status()

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    behind = coloured(f"{found.lag} commits behind", "yellow") if found.lag else coloured("up to date", "green")
    rows = [
        ("Position", f"{found.position} of {found.log_position}, {behind}"),
        ("Log lines", f"up to position {found.log_lines_position} of their stream"),
        ("Schema", f"{found.schema}, version {found.schema_version}"),
        ("Log", found.log_identity),
        (
            "Dead letters",
            f"{found.set_aside_count} facts, {found.log_dead_letters} messages of log lines, {found.work_dead_letters} work items",
        ),
    ]
    if found.problem:
        rows.append(("Problem", coloured(found.problem, "red")))
    if found.rebuild is not None:
        rows.append(("Rebuild", f"{found.rebuild.state}, position {found.rebuild.position} of {found.rebuild.target}"))
    for name, words in rows:
        print(f"{name:<13} {words}")
    for event in found.set_aside:
        print(f"{'':<13} {event.position}  {event.subject}  {event.event}: {event.reason}")


@app.command(epilog=examples("headwater projections rebuild"))
def rebuild(
    context: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Rebuild all views from the log, beside those in use, and switch to them in one statement. Queries go on meanwhile."""

    async def work(client: AsyncClient) -> RebuildProgress:
        from headwater.core.queries.rebuild_client import rebuild_views

        with _Bar(hidden=quiet or not sys.stderr.isatty()) as bar:
            return await rebuild_views(client.log, bar.show)

    done = with_client(context, work)
    print(f"Rebuilt: {done.target} commits folded into {done.schema}, which is in use now.")


class _Bar:
    """A progress bar on standard error, or none."""

    def __init__(self, *, hidden: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("Rebuilding the views"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=hidden,
        )
        self._task = self._progress.add_task("", total=None)
        self._shown = ExitStack()

    def __enter__(self) -> Self:
        self._shown.enter_context(trusting_streams())
        self._shown.enter_context(self._progress)
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def show(self, progress: RebuildProgress) -> None:
        self._progress.update(self._task, completed=progress.position, total=progress.target)
