"""`headwater projections dead-letters`: messages that were set aside because nobody could read or apply them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Column, Output, OutputForm, coloured, examples, local_time, print_json, print_table, say

if TYPE_CHECKING:
    from headwater.client.async_client import AsyncClient
    from headwater.core.queries.rows import DeadLetterDetail, RetryRow

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List, show and retry messages that were set aside.")

Key = Annotated[str, typer.Argument(metavar="KEY", help="Its key, such as events:17; a bare number is a position in the log.")]

ALL_MAX = 10_000
"""So many are tried once more at a time."""
_STILL_DEAD = {"unreadable", "refused"}
_COLOURS = {"applied": "green", "offered": "green", "rebuilding": "yellow", "gone": "yellow"}


@app.command("list", epilog=examples("headwater projections dead-letters list", "headwater projections dead-letters list --output json"))
def list_them(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, max=ALL_MAX, help="List at most this many.")] = 100,
    output: Output = OutputForm.TABLE,
) -> None:
    """List dead letters, the newest first: of the log's facts, of log lines, and of work items."""
    found = with_client(context, lambda client: client.views.dead_letters(limit=limit))
    if output is OutputForm.JSON:
        print_json(found)
        return
    columns = [Column("KEY", whole=True), Column("SET ASIDE AT"), Column("SUBJECT"), Column("EVENT"), Column("REASON")]
    print_table(columns, [(row.key, row.recorded_at, row.subject, row.event, row.reason) for row in found])
    if not found:
        say("No dead letters.")


@app.command(epilog=examples("headwater projections dead-letters show events:17", "headwater projections dead-letters show 17 -o json"))
def show(context: typer.Context, key: Key, output: Output = OutputForm.TABLE) -> None:
    """Show a dead letter: where it lay, why it was set aside, and its first bytes."""
    found = with_client(context, lambda client: client.views.dead_letter(key))
    if output is OutputForm.JSON:
        print_json(found)
        return
    for heading, value in {
        "Key": found.key,
        "Subject": found.subject,
        "Position": str(found.position),
        "Event": found.event or "-",
        "Recorded": local_time(found.recorded_at),
        "Reported by": found.reported_by or "-",
        "Size": "-" if found.size is None else f"{found.size} bytes",
        "Reason": found.reason,
    }.items():
        print(f"{heading + ':':<13}{value}")
    print()
    print(_shown_bytes(found))


def _shown_bytes(found: DeadLetterDetail) -> str:
    if found.data is None:
        return "No stream keeps its bytes any more."
    text = found.data.decode(errors="backslashreplace")
    shown = "".join(each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode() for each in text)
    cut = found.size is not None and found.size > len(found.data)
    return f"{shown}\n… ({len(found.data)} of {found.size} bytes)" if cut else shown


@app.command(
    epilog=examples("headwater projections dead-letters retry events:17", "headwater projections dead-letters retry --all --output json")
)
def retry(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="Its key, such as events:17; or --all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Try each of them.")] = False,
    output: Output = OutputForm.TABLE,
) -> None:
    """Try dead letters once more, as after an upgrade, and say what came of it. Exit code 1 where one is a dead letter still.

    A fact that can be read now is given its place by a rebuild of the views, which this waits for.
    """
    if (key is None) != everything:
        context.fail("Name one dead letter by its key, or give --all.")
    done = with_client(context, lambda client: _retry(client, key))
    if output is OutputForm.JSON:
        print_json(done)
    else:
        for row in done:
            print(f"{row.key}: {coloured(row.outcome, _COLOURS.get(row.outcome, 'red'))}. {row.message}")
        if not done:
            say("No dead letters.")
    if any(row.outcome in _STILL_DEAD for row in done):
        raise typer.Exit(1)


async def _retry(client: AsyncClient, key: str | None) -> Sequence[RetryRow]:
    """Try this one, or all; where facts need a rebuild, return when that has ended, with what came of them."""
    from headwater.core.errors import NotFound

    keys = [key] if key is not None else [row.key for row in await client.views.dead_letters(limit=ALL_MAX)]
    done = []
    for each in keys:
        try:
            done.append(await client.views.retry_dead_letter(each))
        except NotFound:
            if key is not None:
                raise
            # Somebody else was first.
    if not any(row.outcome == "rebuilding" for row in done):
        return done
    if sys.stderr.isatty():
        say("The views are being rebuilt ...")
    return await _after_the_rebuild(client, done)


async def _after_the_rebuild(client: AsyncClient, done: Sequence[RetryRow]) -> list[RetryRow]:
    import msgspec

    from headwater.core.rebuild_client import follow_rebuild

    ended = await follow_rebuild(client.log)
    left = {row.key: row for row in await client.views.dead_letters(limit=ALL_MAX)}

    def told(row: RetryRow) -> RetryRow:
        if row.outcome != "rebuilding":
            return row
        if ended is not None and ended.state == "failed":
            return msgspec.structs.replace(row, outcome="refused", message=f"The views could not be rebuilt: {ended.reason}")
        if (still := left.get(row.key)) is not None:
            return msgspec.structs.replace(row, outcome="refused", message=f"It is set aside again: {still.reason}")
        return msgspec.structs.replace(row, outcome="applied", message="The views were rebuilt with it in its place.")

    return [told(row) for row in done]
