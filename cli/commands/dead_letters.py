"""`headwater projections dead-letters`: messages that were set aside; each can be looked at and tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, TableColumn, coloured, echo_stderr, examples, local_time, print_json, print_table
from headwater.core.queries import DEAD_LETTERS_MAX, DeadLetterSource, RetryOutcome, RetryRow
from headwater.core.text import printable

if TYPE_CHECKING:
    from headwater.core.queries import DeadLetterDetail, DeadLetterRow
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List, show and retry messages that could not be read or applied.")

Letter = Annotated[
    str, typer.Argument(metavar="NAME", help="The name it has in the list, such as events:17; a number alone is among the events.")
]


@app.command("list", epilog=examples("headwater projections dead-letters list", "headwater projections dead-letters list -o json"))
def list_letters(
    context: typer.Context,
    source: Annotated[DeadLetterSource | None, typer.Option(help="Only those among the facts, the log lines, or the work items.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-l", metavar="N", min=1, max=DEAD_LETTERS_MAX, help="List at most this many.")] = 50,
    output: Output = OutputForm.TABLE,
) -> None:
    """List messages that were set aside, the newest first: among the facts, the log lines and the work items."""

    async def work(client: AsyncClient) -> tuple[list[DeadLetterRow], int]:
        status = await client.views.status(set_aside_limit=0)
        return await client.views.dead_letters(source=source, limit=limit), status.dead_letter_count

    found, total = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    if not found:
        echo_stderr("There are no dead letters.")
        return
    columns = [
        TableColumn("NAME", whole=True),
        TableColumn("TIME", whole=True),
        TableColumn("EVENT"),
        TableColumn("REASON"),
        TableColumn("SUBJECT"),
    ]
    rows = [(each.key, each.recorded_at, each.event or "-", printable(each.reason), printable(each.subject)) for each in found]
    print_table(columns, rows)
    if source is None and total > len(found):
        echo_stderr(f"{total - len(found)} more; --limit shows more of them.")


@app.command(epilog=examples("headwater projections dead-letters show events:17", "headwater projections dead-letters show work:3 -o json"))
def show(context: typer.Context, name: Letter, output: Output = OutputForm.TABLE) -> None:
    """Show one with its bytes: where it lay, who found it, and why it was set aside."""

    async def work(client: AsyncClient) -> DeadLetterDetail:
        return await client.views.dead_letter(name)

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
        return
    rows = [
        ("Name", found.key),
        ("Subject", printable(found.subject)),
        ("Time", local_time(found.recorded_at)),
        ("Reason", printable(found.reason)),
        ("Event", found.event or "-"),
        ("Found by", found.reported_by or "the server"),
        ("Size", "-" if found.size is None else f"{found.size} bytes"),
    ]
    for heading, words in rows:
        print(f"{heading:<10} {words}")
    if found.data is None:
        echo_stderr("Its bytes are kept no longer.")
        return
    print()
    print(printable(found.data.decode(errors="backslashreplace")))
    if found.size is not None and found.size > len(found.data):
        echo_stderr(f"These are its first {len(found.data)} bytes.")


@app.command(epilog=examples("headwater projections dead-letters retry events:17", "headwater projections dead-letters retry --all"))
def retry(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The name it has in the list, such as events:17.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help=f"Try all of them, up to {DEAD_LETTERS_MAX}.")] = False,
    output: Output = OutputForm.TABLE,
) -> None:
    """Try one again, as after an upgrade, and say what came of it; exit code 1 where one is a dead letter still.

    Of a fact that can be read now the views are rebuilt, beside those in use, which this waits for; log lines are added; a work item goes
    back to its queue.
    """
    if (name is None) is not every:
        raise typer.BadParameter("give the NAME of one, or --all", ctx=context)

    async def work(client: AsyncClient) -> list[RetryRow]:
        names = [name] if name is not None else [each.key for each in await client.views.dead_letters(limit=DEAD_LETTERS_MAX)]
        found = [await _retried(client, each, only=name is not None) for each in names]
        return await _after_the_rebuild(client, found) if any(each.outcome is RetryOutcome.REBUILDING for each in found) else found

    found = with_client(context, work)
    if output is OutputForm.JSON:
        print_json(found)
    elif not found:
        echo_stderr("There are no dead letters.")
    else:
        width = max(len(each.key) for each in found)
        for each in found:
            colour = "yellow" if each.outcome.is_dead_still else "green"
            print(f"{each.key:<{width}}  {coloured(f'{each.outcome:<10}', colour)}  {printable(each.message)}")
    if any(each.outcome.is_dead_still for each in found):
        raise typer.Exit(1)


async def _retried(client: AsyncClient, name: str, *, only: bool) -> RetryRow:
    from headwater.core.errors import NotFound

    try:
        return await client.views.retry_dead_letter(name)
    except NotFound:
        if only:
            raise
        return RetryRow(key=name, outcome=RetryOutcome.GONE, message="It is not among the dead letters any more.")


async def _after_the_rebuild(client: AsyncClient, found: list[RetryRow]) -> list[RetryRow]:
    """Wait for the rebuild of the views, and tell of the facts it was for what came of them."""
    import msgspec

    from headwater.core.queries.rebuild_client import follow_rebuild

    ended = await follow_rebuild(client.log)
    left = {letter.key: letter.reason for letter in await client.views.dead_letters(limit=DEAD_LETTERS_MAX)}

    def told(row: RetryRow) -> RetryRow:
        if row.outcome is not RetryOutcome.REBUILDING:
            return row
        if ended is not None and ended.state == "failed":
            return msgspec.structs.replace(row, outcome=RetryOutcome.REFUSED, message=f"The views could not be rebuilt: {ended.reason}")
        if row.key in left:
            return msgspec.structs.replace(row, outcome=RetryOutcome.REFUSED, message=f"It was set aside again: {left[row.key]}")
        return msgspec.structs.replace(row, outcome=RetryOutcome.APPLIED, message="The views were rebuilt with it in its place.")

    return [told(row) for row in found]
