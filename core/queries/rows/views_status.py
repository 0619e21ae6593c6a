"""Rows of how the views stand against the log."""

from __future__ import annotations

from headwater.core.log.commit import Position
from headwater.core.queries.rows.dead_letters import SetAsideRow
from headwater.core.queries.rows.row import Row


class RebuildProgress(Row, frozen=True, kw_only=True):
    """How far a rebuild is. `state` is "running", "switched" or "failed"; `reason` tells why it failed."""

    schema: str
    """The PostgreSQL schema that is being built."""
    state: str
    """`running`, `switched` or `failed`."""
    position: Position
    """How far in the log it is."""
    target: Position
    """How far it has to get to be switched to."""
    reason: str = ""
    """Why it failed; empty where it did not."""


class ViewsStatusRow(Row, frozen=True, kw_only=True):
    """The views against the log.

    `position` is what the views show, `log_position` the log's tail and `lag` the difference in commits. `problem` says in words what
    keeps the views from following, or is None. `set_aside_count`, `log_dead_letters` and `work_dead_letters` count the dead letters
    among facts, log lines and work items.
    """

    schema: str
    """The PostgreSQL schema that is shown; empty where it cannot be read."""
    schema_version: int
    """The version of the tables."""
    log_identity: str
    """Which log the views are of."""
    position: Position
    """The log's position that the views show."""
    log_position: Position
    """The position of the log's tail; 0 where it cannot be read."""
    lag: int
    """How many commits the views are behind."""
    log_lines_position: Position
    """How far the views have read the stream of log lines."""
    set_aside_count: int
    """How many commits are dead letters."""
    set_aside: tuple[SetAsideRow, ...] = ()
    """The last of these; empty unless they were asked for."""
    log_dead_letters: int = 0
    """How many messages of log lines are dead letters."""
    work_dead_letters: int = 0
    """How many work items are."""
    rebuild: RebuildProgress | None = None
    """How far a rebuild is; None where there is none."""
    problem: str | None = None
    """What keeps the views from following, in words; None where nothing does."""

    @property
    def dead_letter_count(self) -> int:
        """How many dead letters there are of all kinds."""
        return self.set_aside_count + self.log_dead_letters + self.work_dead_letters
