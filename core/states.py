"""The names of states, and what holds in each. The SDK's state classes have the same names."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta


class StateName(StrEnum):
    """Every state a run or a task run can be in."""

    PENDING = "Pending"
    """Nothing has happened yet: a run before its first schedule, a task run before it starts or before the next attempt starts it again."""
    SCHEDULED = "Scheduled"
    """A run that waits: for its time, for an agent, for a free slot of its flow, or for its next attempt."""
    PAUSED = "Paused"
    """Waits until a user resumes it, or until its time where it has one. No process is kept for it."""
    RESUME = "Resume"
    """A task run that a user let go on after a pause; the run's next attempt executes it."""
    RETRYING = "Retrying"
    """A task run that failed and is executed again at its `retry_at`."""
    SUBMITTED = "Submitted"
    """A run that an agent has claimed; its process has not started the flow yet."""
    QUEUED = "Queued"
    """Waits for a free slot. Only flows' own code has it, as in Prefect 1: a run that waits for a slot is Scheduled."""
    RUNNING = "Running"
    """Being executed by a process."""
    CANCELLING = "Cancelling"
    """A run that was asked to end while an agent holds it; its process is ending."""
    SUCCESS = "Success"
    """Ended well. A run's reference tasks succeeded; a task run returned its value."""
    CACHED = "Cached"
    """A task run that ended well; its value was kept by an earlier run, or is kept for later ones."""
    MAPPED = "Mapped"
    """A task run that became several, one for each element of its inputs; these have states of their own."""
    SKIPPED = "Skipped"
    """A task run that did not execute its code, by choice. It counts as successful."""
    FAILED = "Failed"
    """Ended badly: by an error, by a failed reference task, or because too many attempts were lost."""
    TIMED_OUT = "TimedOut"
    """A task run that took longer than its task's timeout. It counts as failed."""
    TRIGGER_FAILED = "TriggerFailed"
    """A task run that did not start, since its trigger did not allow the states of the tasks before it. It counts as failed."""
    VALIDATION_FAILED = "ValidationFailed"
    """A task run whose value did not pass the validators of its result. It counts as failed."""
    CANCELLED = "Cancelled"
    """Ended because a user, a program or the flow's code asked for it: neither successful nor failed."""
    LOOPED = "Looped"
    """A task run that ended a round of its loop; the next round follows at once."""


KnownState = Annotated[str, Meta(pattern=rf"\A({'|'.join(StateName)})\Z")]
"""The name of a state, as text: one of those above."""

SUCCESSFUL = frozenset({StateName.SUCCESS, StateName.CACHED, StateName.MAPPED, StateName.SKIPPED})
FAILED = frozenset({StateName.FAILED, StateName.TIMED_OUT, StateName.TRIGGER_FAILED, StateName.VALIDATION_FAILED})
FINAL = SUCCESSFUL | FAILED | {StateName.CANCELLED}
"""States that nothing follows within an attempt. Cancelled is final, and neither successful nor failed."""
