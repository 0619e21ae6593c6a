"""`headwater events`: the audit trail, event by event, from the log itself."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import with_client
from headwater.cli.output import Output, OutputForm, coloured, echo_stderr, examples, print_json, warn
from headwater.core.describe import describe_event
from headwater.core.events import (
    AgentRegistered,
    FlowRegistered,
    KeyValueDeleted,
    KeyValueSet,
    NameClaimed,
    ProjectCreated,
    RunCreated,
    UnknownEvent,
)
from headwater.core.log import subjects

if TYPE_CHECKING:
    from headwater.core.log.commit import Position
    from headwater.core.log.protocol import EventLog, Recorded
    from headwater.sdk.client.async_client import AsyncClient

app = typer.Typer(add_completion=False)

COMMITS_SHOWN = 100
_ACTOR_WIDTH = 20
_ABOUT_WIDTH = 24


@app.command(
    epilog=examples(
        "headwater events",
        "headwater events quiet-heron",
        "headwater events --since 10m --follow",
        "headwater events 0199c0de-7a3e-7000-8000-0123456789ab --output json",
    )
)
def events(
    context: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="A run's id, or its name; without it the whole log.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with the events to come; Ctrl-C ends it.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME|SPAN|POSITION", help="From this time (2026-11-22T08:30), this long ago (10m), or this position on."),
    ] = None,
    output: Output = OutputForm.TABLE,
) -> None:
    """Show what happened: position, time, who, and the event in words. Without RUN or --since, the last 100 commits of the log."""
    from headwater.cli.values import echoed, parsed_start

    start = parsed_start(since, option="--since") if since is not None else None
    if isinstance(start, datetime):
        echo_stderr(echoed("Since", start))

    async def work(client: AsyncClient) -> None:
        from headwater.cli.lookup import find_run_id

        subject = subjects.EVENTS_ALL if run is None else subjects.run(await find_run_id(client, run))
        shown = _Printer(output, follow=follow)
        names = Names(client.log.events)
        async for batch in _batches(client, subject, start, follow=follow):
            recent = [recorded for recorded in batch if not isinstance(start, datetime) or recorded.recorded_at >= start]
            await shown.take(recent, names, whole=run is None)
        shown.end()

    with_client(context, work)


async def _batches(client: AsyncClient, subject: str, start: datetime | int | None, *, follow: bool) -> AsyncIterator[Sequence[Recorded]]:
    """Yield what the log holds on the subject, and what comes where it is followed."""
    log = client.log.events
    whole = subject == subjects.EVENTS_ALL
    tail = (await log.tail()).position if whole else 0
    after = max(0, start - 1) if isinstance(start, int) else 0
    if start is None and whole:
        after = max(0, tail - COMMITS_SHOWN)
    reached = after
    if follow:
        async with log.follow(subject, after=after) as batches:
            async for batch in batches:
                reached = _reached(batch, reached) if whole else reached
                yield batch
    elif whole:
        async for batch in log.read_all(after=after, until=tail):
            reached = _reached(batch, reached)
            yield batch
        _warn_of_a_gap(reached, tail + 1)
    else:
        yield await log.read(subject, after=after)


def _reached(batch: Sequence[Recorded], reached: Position) -> Position:
    """Return the last position of the batch, which follows what was reached; warn where commits between are missing."""
    for recorded in batch:
        _warn_of_a_gap(reached, recorded.position)
        reached = recorded.position
    return reached


def _warn_of_a_gap(before: Position, after: Position) -> None:
    if before + 1 < after:
        from headwater.audit.verify import gap

        warn(gap(before + 1, after - 1).words)


class _Printer:
    """Prints events as they are read: lines for people; JSON as one list, or as one object a line where the log is followed."""

    def __init__(self, output: OutputForm, *, follow: bool) -> None:
        self._json = output is OutputForm.JSON
        self._follow = follow
        self._collected: list[dict[str, Any]] = []
        self._printed = 0

    async def take(self, batch: Sequence[Recorded], names: Names, *, whole: bool) -> None:
        for recorded in batch:
            if self._json:
                self._take_json(recorded)
            else:
                for line in await lines(recorded, names, whole=whole):
                    print(line, flush=self._follow)
            self._printed += 1

    def _take_json(self, recorded: Recorded) -> None:
        for entry in entries(recorded):
            if self._follow:
                import msgspec

                sys.stdout.write(msgspec.json.encode(entry).decode() + "\n")
                sys.stdout.flush()
            else:
                self._collected.append(entry)

    def end(self) -> None:
        if self._json:
            print_json(self._collected)
        elif not self._printed:
            echo_stderr("No events.")


class Names:
    """What the aggregates of a log are called, learned from their first events."""

    _NAMED = (ProjectCreated, FlowRegistered, RunCreated, AgentRegistered, NameClaimed)

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._known: dict[str, str] = {}

    async def about(self, recorded: Recorded) -> str:
        """Return what the commit is about, such as `run quiet-heron`."""
        kind, identity = subjects.address(recorded.subject)
        if kind == "kv":
            named = next((each for each in recorded.events if isinstance(each, KeyValueSet | KeyValueDeleted)), None)
            return f"key {named.key}" if named is not None else "key"
        if kind not in {"project", "flow", "run", "agent"}:
            return kind
        return f"{kind} {await self._name(recorded.subject) or identity}"

    async def actor(self, actor: str) -> str:
        """Return who did it: an agent by its name, a run's process by its attempt, people as they are recorded."""
        kind, _, identity = actor.partition(":")
        if kind == "agent":
            return f"agent {await self._name(subjects.agent(identity)) or identity}"
        if kind == "run" and "#" in identity:
            return f"attempt {identity.rpartition('#')[2]}"
        return actor

    async def _name(self, subject: str) -> str:
        if subject not in self._known:
            # An actor is what the writer says, and may be no id at all.
            first = (await self._log.read(subject))[:1] if subjects.parse(subject) is not None else []
            named = [event for each in first for event in each.events if isinstance(event, self._NAMED)]
            self._known[subject] = named[0].name if named else ""
        return self._known[subject]


async def lines(recorded: Recorded, names: Names, *, whole: bool) -> list[str]:
    """Return one line per event of the commit, aligned; of the `whole` log each line also says what it is about."""
    place = coloured(f"{recorded.position:>7}", "bright_black")
    time = recorded.recorded_at.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    if (dead := recorded.dead_letter) is not None:
        return [f"{place}  {time}  {coloured(f'dead letter: {dead.reason}', 'red')}"]
    commit = recorded.commit
    head = f"{place}  {time}  {coloured(_fitted(await names.actor(commit.actor), _ACTOR_WIDTH), 'cyan')}  "
    if whole:
        head += f"{_fitted(await names.about(recorded), _ABOUT_WIDTH)}  "
    return [head + describe_event(event) for event in commit.events]


def _fitted(words: str, width: int) -> str:
    return f"{words:<{width}}" if len(words) <= width else words[: width - 1] + "…"


def entries(recorded: Recorded) -> list[dict[str, Any]]:
    """Return the events of a commit as plain data, each with its place in the log; of a dead letter, why it is one."""
    import msgspec

    place = {"position": recorded.position, "recorded_at": recorded.recorded_at, "subject": recorded.subject}
    if (dead := recorded.dead_letter) is not None:
        return [{**place, "commit": None, "at": None, "actor": None, "cause": None, "event": None, "words": f"dead letter: {dead.reason}"}]
    commit = recorded.commit
    return [
        {
            **place,
            "commit": commit.id,
            "at": commit.at,
            "actor": commit.actor,
            "cause": commit.cause,
            "event": {"type": event.name, **event.data} if isinstance(event, UnknownEvent) else msgspec.to_builtins(event),
            "words": describe_event(event),
        }
        for event in commit.events
    ]
