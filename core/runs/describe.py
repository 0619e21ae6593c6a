"""What happened to a run, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent
from headwater.core.values.phrases import attempts_phrase, because, labels_phrase


def describe(event: AnyEvent) -> str | None:  # noqa: C901, PLR0912 - one arm per event
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.RunCreated():
            return f"run {event.name!r} of {event.flow_name!r} version {event.flow_version} was created, for {labels_phrase(event.labels)}"
        case e.RunScheduled():
            again = "" if event.generation == 1 else f" (schedule {event.generation})"
            return f"scheduled for {event.due_at:%Y-%m-%d %H:%M:%S %Z}{again}"
        case e.RunSubmitted():
            return f"claimed by agent {event.agent_name or event.agent_id} as attempt {event.attempt}"
        case e.RunStarted():
            return f"attempt {event.attempt} started"
        case e.RunSucceeded():
            return f"succeeded: {event.message}"
        case e.RunFailed():
            cause = f" ({event.failure.type}: {event.failure.message})" if event.failure else ""
            return f"failed: {event.message}{cause}"
        case e.RunCancelRequested():
            return f"cancellation was asked for{because(event.reason)}"
        case e.RunCancelled():
            return f"cancelled: {event.message}"
        case e.RunAttemptLost():
            return f"attempt {event.attempt} was {'handed back' if event.released else 'lost'}{because(event.reason)}"
        case e.RunAttemptsLimited():
            return f"fails when {attempts_phrase(event.attempts_max)} lost"
        case e.RunRestarted():
            start = f" from task {event.from_task}" if event.from_task else ""
            return f"restarted{start}{because(event.reason)}"
        case e.RunPaused():
            return f"attempt {event.attempt} ended, since the run waits for people: {event.message}"
        case e.RunStateSet():
            return f"a user set the state from {event.before} to {event.state}{because(event.reason)}"
        case e.RunRenamed():
            return f"renamed to {event.name!r}"
        case e.RunDeleted():
            return f"deleted{because(event.reason)}"
    return None
