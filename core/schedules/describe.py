"""What happened to a schedule, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from headwater.core import events as e
from headwater.core.events import AnyEvent, Missed, Origin, PauseCause, SkipReason
from headwater.core.values.phrases import because, shorten

PAUSE_PHRASES = {
    PauseCause.USER: "the schedule was paused",
    PauseCause.REGISTRATION: "the schedule was registered as paused",
    PauseCause.FAILURES: "the schedule was paused, since too many of its runs in a row failed",
    PauseCause.MAX_RUNS: "the schedule was paused, since it has made as many runs as it may",
    PauseCause.FLOW_ARCHIVED: "the schedule was paused, since no version of its flow takes runs",
    PauseCause.PROJECT_DELETED: "the schedule was paused, since its project was deleted",
}
SKIP_PHRASES = {
    SkipReason.OVERLAP: "an earlier run had not ended",
    SkipReason.FLOW_ARCHIVED: "no version of the flow takes runs",
    SkipReason.PROJECT_DELETED: "the project was deleted",
    SkipReason.REFUSED: "no run can be made",
}
_POLICY_PHRASES = {
    Missed.LATEST: "the newest has a run",
    Missed.ALL: "each of the last has a run",
    Missed.NONE: "none has a run",
    Missed.MERGE: "one run stands for them",
}


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.ScheduleSet():
            whose = "by a user" if event.origin is Origin.USER else f"by version {event.flow_version or '?'} of the flow"
            return f"the schedule{f' {event.slug!r}' if event.slug else ''} was set {whose}"
        case e.ScheduleDeleted():
            return f"the schedule that {'a user set' if event.origin is Origin.USER else 'the flow had'} was deleted"
        case e.SchedulePaused():
            until = f" until {utc(event.until)}" if event.until is not None else ""
            return f"{PAUSE_PHRASES[event.cause]}{until}{because(shorten(event.note))}"
        case e.ScheduleResumed():
            return f"the schedule was resumed{because(shorten(event.note))}"
        case e.ScheduleFired():
            waits = f", after run {event.after_run_id}" if event.after_run_id is not None else ""
            return f"the time {utc(event.nominal)} has run {event.run_id}{waits}"
        case e.ScheduleSkipped():
            run = f" (run {event.run_id})" if event.run_id is not None else ""
            return f"the time {utc(event.nominal)} has no run: {SKIP_PHRASES[event.because]}{run}{because(shorten(event.detail))}"
        case e.ScheduleCaughtUp():
            left_out = "too many to count" if event.left_out is None else f"{event.left_out}"
            span = f"from {utc(event.since)} to {utc(event.until)}"
            return f"times {span} were missed: {_POLICY_PHRASES[event.policy]}; runs made: {event.made}, left out: {left_out}"
    return None


def utc(moment: datetime) -> str:
    """Return the moment as lists of events show it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
