"""Commands about a backfill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headwater.core.events import BackfillChoice, BackfillTime


@dataclass(frozen=True, kw_only=True)
class RequestBackfill:
    """Let these times have runs, in this order, at most `limit` of them unfinished at once."""

    backfill_id: str
    schedule_id: str
    flow_group_id: str
    project_id: str
    name: str
    since: datetime
    until: datetime
    choice: BackfillChoice
    times: tuple[BackfillTime, ...]
    limit: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StartRuns:
    """Let the next `number` times have their runs: at most so many that the limit is kept."""

    number: int


@dataclass(frozen=True)
class NoteRunEnded:
    """Take in how a run of the backfill ended."""

    run_id: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class CancelBackfill:
    reason: str = ""


@dataclass(frozen=True)
class FinishBackfill:
    """End it, if nothing of it is left to be done."""


BackfillCommand = RequestBackfill | StartRuns | NoteRunEnded | CancelBackfill | FinishBackfill
