"""The explanation of a run: the reason why it is as it is, with the events that show it; and what must be known to give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from headwater.core.hint_codec import EncodedHint
from headwater.core.log.commit import Position
from headwater.core.queries import AgentRow
from headwater.core.slots.state import Slots


class Reason(StrEnum):
    """What can be the reason. One of them holds of every run at every moment."""

    SUCCEEDED = "succeeded"
    TASKS_FAILED = "tasks failed"
    NOT_STARTED = "could not be started"
    CRASHED = "crashed too often"
    FLOW_ARCHIVED = "flow archived"
    FLOW_DELETED = "flow deleted"
    PROJECT_DELETED = "project deleted"
    PARENT_CANCELLED = "parent run cancelled"
    BACKFILL_CANCELLED = "backfill cancelled"
    REPLACED = "replaced by its schedule's next run"
    CANCELLED = "cancelled"
    SET_BY_HAND = "set by hand"
    CANCELLING = "being cancelled"
    HOLDER_SILENT = "its agent is silent"
    WAITS_FOR_RETRY = "waits for a retry"
    PAUSED = "paused"
    STARTING = "is being started"
    RUNNING = "runs"
    LOG_TAKES_NOTHING = "the log takes no writes"
    NOT_DUE = "not due yet"
    EARLIER_RUN = "waits for an earlier run"
    LIMIT_REACHED = "the flow's limit is reached"
    QUEUE_LIMIT_REACHED = "the limit of its labels is reached"
    NO_AGENT = "no agent with these labels"
    AGENTS_FULL = "agents are full"
    AGENTS_SILENT = "agents are silent"
    AGENTS_CANNOT = "agents cannot start processes"
    AGENTS_UNKNOWN = "agents are unknown"
    NOT_OFFERED = "not offered"
    OFFERED = "offered"


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What is the case around a run. `agents` are those online, None where that is not known; `answering`: those of them that answered.

    `troubles`: what those of them said that cannot start processes. `holds` is what the holder said when it was asked whether it holds the
    attempt; None: nothing. `slot_names` maps the ids of runs that
    have slots of the flow to their names. `waits_in_broker`: something will wake an agent for it.
    """

    agents: Sequence[AgentRow] | None = None
    answering: frozenset[str] = frozenset()
    troubles: Mapping[str, str] = field(default_factory=dict)
    holds: bool | None = None
    lease_seconds: float | None = None
    slots: Slots = field(default_factory=Slots)
    slot_names: Mapping[str, str] = field(default_factory=dict)
    waits_in_broker: bool = True
    queue_limit: int | None = None
    queue_runs: Sequence[str] = ()
    """The names of the runs with the same labels that are executed now."""
    earlier_run: tuple[str, str] | None = None
    """Id and name of the run of the same schedule that must end before it may start."""
    log_problem: str | None = None
    """Why the log takes no writes, as far as a server knows."""


class Evidence(msgspec.Struct, frozen=True):
    """An event that shows the reason."""

    position: Position
    at: datetime
    actor: str
    words: str


class Explanation(msgspec.Struct, frozen=True):
    """Why a run is as it is: one reason, one or two sentences, what to do if anything, and the events that show it.

    `hint` is worded for this process, `advice` is what it was worded from, for programs and other front ends.
    """

    run_id: str
    name: str
    state: str
    reason: Reason
    words: str
    hint: str = ""
    evidence: tuple[Evidence, ...] = ()
    advice: EncodedHint | None = None
