"""Aggregates on a log: read what happened, decide, append, and begin again where another writer was first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic

from headwater.core.errors import Conflict
from headwater.core.events import AnyEvent
from headwater.core.log.commit import Commit, Position, new_commit
from headwater.core.log.protocol import EventLog
from headwater.core.rules import Command, Rules, State
from headwater.core.values.identifiers import new_id

MAX_CONFLICT_RETRIES = 64
"""How often a command is decided again before its conflict is reported. Each conflict means that another writer got on."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Actor:
    """Who writes, and by which clock. `name` appears in the audit trail, such as `cli:ana@host` or `agent:<id>`."""

    name: str
    clock: Callable[[], datetime] = utc_now

    def commit(self, events: Sequence[AnyEvent], *, cause: str | None = None, commit_id: str | None = None) -> Commit:
        return new_commit(events, at=self.clock(), actor=self.name, cause=cause, commit_id=commit_id)


@dataclass(frozen=True)
class CommandResult(Generic[State]):
    """What a command led to. `commit` is None where all it asked for held already; `position` is the aggregate's last one."""

    state: State
    position: Position
    commit: Commit | None

    @property
    def changed(self) -> bool:
        return self.commit is not None


class Aggregate(Generic[State, Command]):
    """The history of one subject, folded, and the way to add to it. Holds the fold between calls and reads only what is new."""

    def __init__(self, log: EventLog, subject: str, rules: Rules[State, Command]) -> None:
        self._log = log
        self.subject = subject
        self._rules = rules
        self.state: State = rules.initial
        self.position: Position = 0

    async def refresh(self, *, at_least: Position = 0) -> State:
        """Read what was appended since the last look, up to `at_least` or later, and return the state."""
        await self._refresh(at_least, commit_id=None)
        return self.state

    async def _refresh(self, at_least: Position, commit_id: str | None) -> bool:
        """Read what is new; tell whether the commit of this id was among it."""
        found = False
        if not self.position and commit_id is None and await self._begin_at_the_last(at_least):
            return False
        for recorded in await self._log.read(self.subject, after=self.position, at_least=at_least):
            self.state = self._rules.fold(recorded.events, self.state)
            self.position = recorded.position
            found = found or (commit_id is not None and recorded.commit_id == commit_id)
        return found

    async def _begin_at_the_last(self, at_least: Position) -> bool:
        """Fold the last commit alone; tell whether that sufficed. It does not where it cannot be read, or is of another version."""
        tells_all = self._rules.tells_all
        if tells_all is None:
            return False
        last = await self._log.last(self.subject)
        if last is None or last.position < at_least or not last.events or not tells_all(last.events[-1]):
            return False
        self.state = self._rules.fold(last.events, self.state)
        self.position = last.position
        return True

    async def execute(
        self,
        command: Command,
        actor: Actor,
        *,
        cause: str | None = None,
        commit_id: str | None = None,
        refresh: bool = True,
        expected_position: Position | None = None,
    ) -> CommandResult[State]:
        """Decide the command on the newest state and append what follows, as one commit.

        `refresh=False` decides on the state at hand first, which saves a read where it is likely the newest; a wrong guess costs a
        conflict, never a wrong append. `commit_id` makes a repeated command take effect once. `expected_position`: the command was meant
        for the aggregate at this position, and for no other.

        Raises:
            CommandRejected: the rules do not allow it.
            LogError: as the log's `append`; Conflict only after 64 lost races, or where the aggregate is not at `expected_position`.

        """
        chosen_id = commit_id or new_id()
        if refresh and await self._refresh(0, commit_id):
            return CommandResult(self.state, self.position, None)
        for _ in range(MAX_CONFLICT_RETRIES):
            if expected_position is not None and self.position != expected_position:
                raise Conflict(self.subject, expected=expected_position, found=self.position)
            events = self._rules.decide(self.state, command)
            if not events:
                return CommandResult(self.state, self.position, None)
            commit = actor.commit(events, cause=cause, commit_id=chosen_id)
            try:
                position = await self._log.append(self.subject, commit, expected=self.position)
            except Conflict as conflict:
                last = conflict
                if await self._refresh(conflict.found or self.position + 1, chosen_id):
                    return CommandResult(self.state, self.position, commit)
                continue
            self.state = self._rules.fold(events, self.state)
            self.position = position
            return CommandResult(self.state, position, commit)
        raise last
