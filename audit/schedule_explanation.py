"""The explanation of a time of a schedule: why it has a run, or none, with the events that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import msgspec

from headwater.audit.explanation import Evidence
from headwater.core.hint_codec import EncodedHint
from headwater.core.values.limits import Instant


class TimeReason(StrEnum):
    """What can have become of a moment. One of them holds of every moment."""

    FIRED = "has a run"
    SKIPPED = "skipped"
    PAUSED = "in a pause"
    LEFT_OUT = "missed and left out"
    REPLACED = "replaced by other times"
    NO_TIMES = "the schedule had no times"
    NOT_A_TIME = "not a time of the schedule"
    TO_COME = "to come"
    LATE = "not decided yet"
    UNREADABLE = "times cannot be read"


class RunTold(NamedTuple):
    """A run, as a sentence names it: its name and its state."""

    name: str
    state: str


@dataclass(frozen=True, kw_only=True)
class TimeContext:
    """What is the case around a schedule. `server_answers` is False where none does; `log_problem`: why the log takes no writes.

    `runs` tells of the runs that outcomes name; one that is not in the log is left out.
    """

    runs: Mapping[str, RunTold] = field(default_factory=dict)
    server_answers: bool = True
    log_problem: str | None = None


class TimeExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a moment: one reason, a sentence or two, what to do if anything, and the events that show it.

    `before` and `after` are the times next to it, as far as there are some. `hint` is worded for this process, and `advice` is what it
    was worded from.
    """

    schedule_id: str
    nominal: Instant
    reason: TimeReason
    words: str
    before: Instant | None = None
    after: Instant | None = None
    hint: str = ""
    evidence: tuple[Evidence, ...] = ()
    advice: EncodedHint | None = None
