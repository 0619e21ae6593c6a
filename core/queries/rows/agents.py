"""Rows of agents, and of the queues from which they take runs."""

from __future__ import annotations

from datetime import datetime

from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row


class AgentRow(Row, frozen=True, kw_only=True):
    """An agent: "working", "stopped" or "lost", as the log says. When its last heartbeat came is not in the views."""

    id: str
    """Of this start of the agent: a restarted agent has another."""
    name: str
    """What people see."""
    kind: str
    """The kind of agent, such as `local`."""
    labels: tuple[str, ...]
    """The labels of runs that it takes, sorted."""
    hostname: str
    """The host that it runs on."""
    pid: int
    """Its process id there."""
    version: str
    """The version of Headwater that it runs."""
    limit: int | None
    """How many runs it executes at once at most; None: without limit."""
    status: str
    """`working`, `stopped` or `lost`, as the log says."""
    status_reason: str
    """Why it stopped or was lost; empty while it runs."""
    created: datetime
    """When it first registered."""
    ended: datetime | None
    """When it stopped or was lost; None while it runs."""
    held_runs: int
    """How many runs it holds now."""
    position: Position
    """The log's position of the last commit on it."""


class QueueRow(Row, frozen=True, kw_only=True):
    """A queue: the work of one label set. `scheduled_runs` counts its runs that wait in state Scheduled."""

    id: str
    """Made of its labels."""
    labels: tuple[str, ...]
    """The labels of the runs in it, sorted; empty: runs without labels."""
    created: datetime
    """When the first run with these labels came."""
    scheduled_runs: int
    """How many of its runs wait in state Scheduled."""
    position: Position
    """The log's position of the last commit on it."""
