"""Watching a run: its states and log lines as they come, from the log's live feed, until it ends."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import anyio
import typer

from headwater.cli.connection import with_client
from headwater.cli.output import LEVEL_COLOURS, ask_confirmation, coloured, echo_stderr, local_time, state_words, warn
from headwater.core.errors import LogError
from headwater.core.events import AnyEvent, RunAttemptLost, RunRenamed, RunSubmitted
from headwater.core.log import subjects
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.states import SUCCESSFUL, StateName

if TYPE_CHECKING:
    from headwater.sdk.client.async_client import AsyncClient

UNCLAIMED_SECONDS = 5.0
UNCLAIMED_AGAIN_SECONDS = 30.0
_SETTLE_SECONDS = 0.15
"""How long a line waits for an earlier one from the other feed. Well below what a person notices."""
_LAST_LINES_SECONDS = 2.0


@dataclass(frozen=True)
class RunLine:
    """What is shown of one moment of a run."""

    at: datetime
    level: int
    words: str


class RunWatch:
    """Follows one run. `show` gets its lines in the order of their times; `watch` returns the run as it ended.

    `on_unclaimed` gets words about a run that no agent takes, first after `unclaimed_seconds` and then after every
    `unclaimed_again_seconds`.
    """

    def __init__(
        self,
        client: AsyncClient,
        run_id: str,
        show: Callable[[RunLine], None],
        *,
        logs: bool = True,
        on_unclaimed: Callable[[str], None] = warn,
        unclaimed_seconds: float = UNCLAIMED_SECONDS,
        unclaimed_again_seconds: float = UNCLAIMED_AGAIN_SECONDS,
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._show = show
        self._logs = logs
        self._on_unclaimed = on_unclaimed
        self._unclaimed_seconds = unclaimed_seconds
        self._unclaimed_again_seconds = unclaimed_again_seconds
        self._run: Run = RULES.initial
        self._held: list[tuple[datetime, int, float, RunLine]] = []
        self._count = 0
        self._state_news = anyio.Event()
        self._line_news = anyio.Event()
        self._lines_seen = 0

    async def watch(self) -> Run:
        """Show the run until it ends, and return it. Survives lost connections; ends only with the run, or when cancelled."""
        with unwrap_exception_group():
            async with anyio.create_task_group() as group:
                group.start_soon(self._print_in_order)
                group.start_soon(self._warn_while_unclaimed)
                if self._logs:
                    group.start_soon(self._follow_logs)
                await self._follow_states()
                if self._logs:
                    await self._last_lines()
                group.cancel_scope.cancel()
        self._flush(math.inf)
        return self._run

    async def _follow_states(self) -> None:
        async with self._client.log.events.follow(subjects.run(self._run_id)) as commits:
            async for batch in commits:
                for recorded in batch:
                    for event in recorded.commit.events:
                        self._take(event, recorded.commit.at)
                if self._run.ended:
                    return

    def _take(self, event: AnyEvent, at: datetime) -> None:
        before, self._run = self._run, RULES.evolve(self._run, event)
        self._state_news.set()
        self._state_news = anyio.Event()
        words = words_of(event, before, self._run)
        if words:
            is_loss = isinstance(event, RunAttemptLost) and not event.released
            self._hold(RunLine(at, logging.WARNING if is_loss else logging.INFO, words))

    async def _follow_logs(self) -> None:
        async with self._client.log.logs.follow(self._run_id) as messages:
            async for batch in messages:
                for recorded in batch:
                    self._lines_seen = recorded.position
                    for line in recorded.lines:
                        self._hold(RunLine(line.at, line.level, line.message))

    async def _last_lines(self) -> None:
        """Wait until the lines that were stored when the run ended have come by the feed."""
        stored = await self._client.log.logs.read(self._run_id, after=self._lines_seen)
        last = stored[-1].position if stored else 0
        with anyio.move_on_after(_LAST_LINES_SECONDS):
            while self._lines_seen < last:
                await self._line_news.wait()

    def _hold(self, line: RunLine) -> None:
        self._count += 1
        heappush(self._held, (line.at, self._count, anyio.current_time(), line))
        self._line_news.set()
        self._line_news = anyio.Event()

    async def _print_in_order(self) -> None:
        while True:
            if not self._held:
                await self._line_news.wait()
            await anyio.sleep_until(self._held[0][2] + _SETTLE_SECONDS)
            self._flush(anyio.current_time() - _SETTLE_SECONDS)

    def _flush(self, arrived_before: float) -> None:
        while self._held and self._held[0][2] <= arrived_before:
            self._show(heappop(self._held)[3])

    async def _warn_while_unclaimed(self) -> None:
        """Say why no agent takes the run, once it waits too long."""
        patience, waited_seconds = self._unclaimed_seconds, 0.0
        while True:
            news = self._state_news
            waited_for = self._run
            seconds = patience
            if self._run.waits and self._run.due_at is not None:
                seconds += max(0.0, (self._run.due_at - datetime.now(UTC)).total_seconds())
            with anyio.move_on_after(seconds) as waiting:
                await news.wait()
            if not waiting.cancelled_caught:
                patience, waited_seconds = self._unclaimed_seconds, 0.0
            elif waited_for.waits:
                waited_seconds += patience
                self._on_unclaimed(await self._why(waited_seconds))
                patience = self._unclaimed_again_seconds

    async def _why(self, seconds: float) -> str:
        """Return why the run still waits after so many seconds."""
        from headwater.audit import explain_run

        waited = f"The run has waited for {seconds:.0f} s."
        try:
            found = await explain_run(self._client.log, self._run_id, format_time=local_time)
        except LogError as error:
            return f"{waited} The reason cannot be determined now: {error}"
        return f"{waited} {found.words}{f' {found.hint}' if found.hint else ''}"


def words_of(event: AnyEvent, before: Run, after: Run) -> str | None:
    """Return what is shown of an event of a run; None for those that are about its tasks."""
    match event:
        case RunAttemptLost():
            what = "handed back" if event.released else "lost"
            return f"Attempt {event.attempt} was {what}{f' ({event.reason})' if event.reason else ''}; the run waits for the next one."
        case RunRenamed():
            return f"Renamed to {event.name!r}."
        case RunSubmitted():
            by = f" to agent {event.agent_name!r}" if event.agent_name else ""
            return _entered(after, f"{event.message}{by}, attempt {event.attempt}.")
    if after.state is before.state and after.message == before.message:
        return None
    if after.waits and after.due_at is not None and after.due_at > datetime.now(UTC):
        return _entered(after, f"{after.message} It is due at {local_time(after.due_at)}.")
    return _entered(after, after.message)


def _entered(run: Run, message: str) -> str:
    return f"Entered state <{state_words(run.state)}>: {message}"


def print_line(line: RunLine) -> None:
    """Print a line the way `run --watch` shows it."""
    level = logging.getLevelName(line.level)
    time = line.at.astimezone().strftime("%H:%M:%S")
    print(f"└── {time} | {coloured(f'{level:<7}', LEVEL_COLOURS.get(level, 'white'))} | {line.words}", flush=True, file=sys.stdout)


def watch_to_the_end(context: typer.Context, run_id: str, *, logs: bool, quiet: bool) -> int:
    """Show the run until it ends; return 0 where it succeeded, else 1. Ctrl-C asks whether to cancel it."""
    if not quiet:
        echo_stderr("Watching flow run execution...")
    try:
        ended = with_client(context, lambda client: RunWatch(client, run_id, print_line, logs=logs).watch())
    except KeyboardInterrupt:
        _offer_to_cancel(context, run_id)
        raise
    if ended.state in SUCCESSFUL:
        print(coloured("Flow run succeeded!", "green"))
        return 0
    words = {StateName.FAILED: "Flow run failed!", StateName.CANCELLED: "Flow run was cancelled."}
    print(coloured(words.get(ended.state, f"Flow run ended as {ended.state}."), "red"))
    return 1


def _offer_to_cancel(context: typer.Context, run_id: str) -> None:
    if not sys.stdin.isatty():
        echo_stderr(f"\nThe run goes on. `headwater cancel {run_id}` cancels it.")
        return
    if ask_confirmation("\nCancel the run?", default=True):
        with_client(context, lambda client: client.cancel_flow_run(run_id, "Interrupted in the terminal that watched it."))
        echo_stderr("Cancelled.")
    else:
        echo_stderr(f"The run goes on. `headwater cancel {run_id}` cancels it.")
