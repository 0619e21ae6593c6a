"""The names of states, and what holds in each. Views, rules and people use these words; the SDK's state classes bear the same names."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta


class StateName(StrEnum):
    """Every state a run or a task run can be in."""

    PENDING = "Pending"
    SCHEDULED = "Scheduled"
    PAUSED = "Paused"
    RESUME = "Resume"
    RETRYING = "Retrying"
    SUBMITTED = "Submitted"
    QUEUED = "Queued"
    RUNNING = "Running"
    CANCELLING = "Cancelling"
    SUCCESS = "Success"
    CACHED = "Cached"
    MAPPED = "Mapped"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    TRIGGER_FAILED = "TriggerFailed"
    VALIDATION_FAILED = "ValidationFailed"
    CANCELLED = "Cancelled"
    LOOPED = "Looped"


KnownState = Annotated[str, Meta(pattern=rf"\A({'|'.join(StateName)})\Z")]
"""The name of a state, as text: one of those above."""

SUCCESSFUL = frozenset({StateName.SUCCESS, StateName.CACHED, StateName.MAPPED, StateName.SKIPPED})
FAILED = frozenset({StateName.FAILED, StateName.TIMED_OUT, StateName.TRIGGER_FAILED, StateName.VALIDATION_FAILED})
FINAL = SUCCESSFUL | FAILED | {StateName.CANCELLED}
"""States that nothing follows within an attempt. Cancelled is final, and neither successful nor failed."""
