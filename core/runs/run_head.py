"""A run without its task runs and artifacts, and what each event makes of it.

Programs that follow many runs and need each only as a whole keep this of them: the views, and the run monitor. `Run` is it with
the rest, and changes by the same `evolve`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from headwater.core.errors import NotFound
from headwater.core.events import (
    AnyEvent,
    Failure,
    RunAttemptLost,
    RunAttemptsLimited,
    RunCancelled,
    RunCancelRequested,
    RunCreated,
    RunDeleted,
    RunFailed,
    RunPaused,
    RunRenamed,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunStateSet,
    RunSubmitted,
    RunSucceeded,
)
from headwater.core.states import FINAL, StateName

ATTEMPTS_MAX = 3
"""So many attempts may be lost by default."""


class RunHead(msgspec.Struct, frozen=True, gc=False):
    """A run as its events leave it. `attempt` is the number of the last claim; `held` tells whether an agent holds it now."""

    creation: RunCreated | None = None
    """How it was created; None before that. `created` is for those who know that it was."""
    name: str = ""
    state: StateName = StateName.PENDING
    message: str = ""
    scheduled_for: datetime | None = None
    """The time that it was scheduled for last."""
    generation: int = 0
    attempt: int = 0
    held: bool = False
    attempts_lost: int = 0
    attempts_max: int = ATTEMPTS_MAX
    agent_id: str = ""
    agent_name: str = ""
    cancel_request: RunCancelRequested | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failure: Failure | None = None
    deleted: bool = False

    @property
    def exists(self) -> bool:
        """Whether it was created."""
        return self.creation is not None

    @property
    def created(self) -> RunCreated:
        """How it was created. Raises NotFound where it never was."""
        if self.creation is None:
            raise NotFound("run", "")
        return self.creation

    @property
    def ended(self) -> bool:
        return self.state in FINAL

    @property
    def queued_after(self) -> str | None:
        """The run that its schedule made it wait for: until it was claimed, or a user gave it another time."""
        scheduled_by = None if self.creation is None else self.creation.scheduled_by
        return None if scheduled_by is None or self.generation > 1 or self.attempt else scheduled_by.after_run_id

    @property
    def cancel_requested(self) -> bool:
        """Whether the run is to end, or ended, because a user or the server asked for it."""
        return self.cancel_request is not None

    @property
    def waits(self) -> bool:
        """Whether an agent must be woken for it, now or at `due_at`."""
        return self.state is StateName.SCHEDULED and not self.held

    @property
    def due_at(self) -> datetime | None:
        """When the run may start or go on, or might when it did; None where no time decides that: it waits for a user to resume it."""
        return None if self.state is StateName.PAUSED else self.scheduled_for


Head = TypeVar("Head", bound=RunHead)


def evolve(head: Head, event: AnyEvent) -> Head:  # noqa: C901, PLR0912 - one arm per event
    """Return the run after the event. What happens to its task runs and artifacts changes nothing of this."""
    match event:
        case RunCreated():
            return replace(head, creation=event, name=event.name)
        case RunScheduled():
            return replace(
                head,
                state=StateName.SCHEDULED,
                message=event.message,
                scheduled_for=event.due_at,
                generation=event.generation,
                held=False,
            )
        case RunSubmitted():
            return replace(
                head,
                state=StateName.SUBMITTED,
                message=event.message,
                attempt=event.attempt,
                held=True,
                agent_id=event.agent_id,
                agent_name=event.agent_name,
            )
        case RunStarted():
            state = StateName.CANCELLING if head.cancel_requested else StateName.RUNNING
            return replace(head, state=state, message=event.message, started_at=head.started_at or event.at)
        case RunSucceeded():
            return replace(head, state=StateName.SUCCESS, message=event.message, held=False, ended_at=head.ended_at or event.at)
        case RunFailed():
            ended_at = head.ended_at or event.at
            return replace(head, state=StateName.FAILED, message=event.message, held=False, ended_at=ended_at, failure=event.failure)
        case RunCancelRequested():
            state = StateName.CANCELLING if head.held else head.state
            return replace(head, state=state, message=event.reason or "Cancellation requested.", cancel_request=event)
        case RunCancelled():
            return replace(head, state=StateName.CANCELLED, message=event.message, held=False, ended_at=head.ended_at or event.at)
        case RunAttemptLost():
            return replace(
                head,
                state=StateName.SCHEDULED,
                message=event.reason,
                held=False,
                attempts_lost=head.attempts_lost + (not event.released),
            )
        case RunAttemptsLimited():
            return replace(head, attempts_max=event.attempts_max)
        case RunRestarted():
            return replace(
                head,
                state=StateName.PENDING,
                message=event.reason,
                attempts_lost=0,
                cancel_request=None,
                ended_at=None,
                failure=None,
            )
        case RunPaused():
            return replace(head, state=StateName.PAUSED, message=event.message, held=False)
        case RunStateSet():
            # When it ended stays so: the state that follows is another word for it.
            return replace(head, state=StateName.PENDING, message=event.reason, cancel_request=None, failure=None)
        case RunRenamed():
            return replace(head, name=event.name)
        case RunDeleted():
            return replace(head, deleted=True)
        case _:
            return head
