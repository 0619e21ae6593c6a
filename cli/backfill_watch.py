"""Watching a backfill: how each of its runs ends, as it does, until the last has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import typer

from headwater.cli.connection import with_client
from headwater.cli.output import ask_confirmation, coloured, echo_stderr, local_time, state_words
from headwater.core.backfills.rules import RULES
from headwater.core.backfills.state import Backfill, backfill_run_id
from headwater.core.errors import LogError
from headwater.core.events import AnyEvent, BackfillRunEnded, BackfillRunsStarted
from headwater.core.log import subjects
from headwater.core.states import SUCCESSFUL

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient


def watch_backfill_to_the_end(context: typer.Context, backfill_id: str, *, quiet: bool) -> int:
    """Watch until the backfill has ended; return the exit code: 0 where all its runs succeeded. Ctrl-C asks whether to cancel it."""
    try:
        ended = with_client(context, lambda client: _watch(client, backfill_id, quiet=quiet))
    except KeyboardInterrupt:
        if not ask_confirmation("Cancel the backfill?", default=False):
            echo_stderr(f"It goes on. `headwater cancel {backfill_id}` cancels it.")
            return 130
        with_client(context, lambda client: client.headwater.backfills.cancel(backfill_id, reason="Ctrl-C"))
        echo_stderr("The backfill is being cancelled.")
        return 130
    if not quiet:
        print(summary(ended))
    return 0 if ended.ended and all(state in SUCCESSFUL for state in ended.ended.values()) else 1


def summary(backfill: Backfill) -> str:
    """Return in words how the runs ended."""
    states = sorted(set(backfill.ended.values()))
    counts = ", ".join(f"{sum(state == each for state in backfill.ended.values())} {state_words(each)}" for each in states)
    left = len(backfill.requested.times) - len(backfill.ended)
    not_made = f"; {left} times have no run" if left else ""
    return f"Backfill {backfill.requested.name} {'was cancelled' if backfill.cancelled else 'ended'}: {counts or 'no runs'}{not_made}."


async def _watch(client: AsyncClient, backfill_id: str, *, quiet: bool) -> Backfill:
    state = RULES.initial
    while True:
        try:
            async with client.log.events.follow(subjects.backfill(backfill_id)) as commits:
                state = RULES.initial if state.over else state
                seen = RULES.initial
                async for batch in commits:
                    for recorded in batch:
                        for event in recorded.events:
                            before, seen = seen, RULES.evolve(seen, event)
                            if not quiet:
                                _show(event, before, seen)
                    if seen.over:
                        return seen
        except LogError as error:
            echo_stderr(f"The connection was lost ({error}); trying again.")
            await anyio.sleep(1)


def _show(event: AnyEvent, before: Backfill, after: Backfill) -> None:
    request = after.requested
    match event:
        case BackfillRunsStarted():
            for time in request.times[before.started : event.count]:
                print(f"└── {local_time(time.nominal)}  {coloured('started', 'blue')}  {backfill_run_id(request, time)}", flush=True)
        case BackfillRunEnded():
            found = next((time for time in request.times if backfill_run_id(request, time) == event.run_id), None)
            at = "" if found is None else local_time(found.nominal)
            detail = f"  {event.detail}" if event.detail else ""
            print(f"└── {at}  {state_words(event.state)}  {len(after.ended)} of {len(request.times)}{detail}", flush=True)
        case _:
            pass
