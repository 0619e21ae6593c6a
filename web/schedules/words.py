"""Schedules in words: their times, their policies, why they are paused, and what became of each time."""

from __future__ import annotations

from datetime import UTC

from headwater.core.calendar.phrases import schedule_phrase
from headwater.core.events import Missed, Overlap, SchedulePolicies, ScheduleSpec
from headwater.core.queries import ScheduleOutcomeRow, ScheduleRow
from headwater.core.schedules.describe import SKIP_PHRASES
from headwater.core.values.amounts import span_words

MISSED_WORDS = {
    Missed.LATEST: "of times that were missed, the newest has a run",
    Missed.ALL: "each time that was missed has a run",
    Missed.NONE: "times that were missed have no run",
    Missed.MERGE: "all times that were missed together have one run",
}
OVERLAP_WORDS = {
    Overlap.SKIP: "no run while an earlier one has not ended",
    Overlap.QUEUE_ONE: "a run waits for the earlier one to end, one at most",
    Overlap.QUEUE_ALL: "runs wait for those before them to end",
    Overlap.CANCEL_RUNNING: "a run cancels the earlier one",
    Overlap.ALLOW: "runs may overlap",
}
PAUSE_WORDS = {
    "user": "paused",
    "registration": "registered as paused",
    "failures": "paused, since too many runs in a row failed",
    "max_runs": "paused, since it has made as many runs as it may",
    "flow_archived": "paused, since no version of the flow takes runs",
    "project_deleted": "paused, since the project was deleted",
}
"""By the cause of the pause."""
OUTCOME_WORDS = {
    "fired": "fired",
    "skipped": "skipped",
    "caught_up": "caught up",
    "set": "set",
    "deleted": "deleted",
    "paused": "paused",
    "resumed": "resumed",
}
_USUAL = SchedulePolicies()


def times_of(spec: ScheduleSpec | None) -> str:
    """Return the times in words; "none" where there are none."""
    return "none" if spec is None else schedule_phrase(spec.timetable)


def policy_words(policies: SchedulePolicies) -> list[str]:
    """Return what differs from the policies that a schedule has where nothing is said."""
    words = []
    if policies.overlap is not _USUAL.overlap:
        words.append(OVERLAP_WORDS[policies.overlap])
    if policies.missed is not _USUAL.missed:
        words.append(MISSED_WORDS[policies.missed])
    if policies.window_seconds != _USUAL.window_seconds:
        words.append(f"missed times older than {span_words(policies.window_seconds)} have no run")
    if policies.jitter_seconds:
        words.append(f"runs are due up to {span_words(policies.jitter_seconds)} later")
    if policies.pause_on_failure is not None:
        failures = "a run" if policies.pause_on_failure == 1 else f"{policies.pause_on_failure} runs in a row"
        words.append(f"pauses when {failures} failed")
    if policies.max_runs is not None:
        words.append(f"pauses after {policies.max_runs} {'run' if policies.max_runs == 1 else 'runs'}")
    if policies.end is not None:
        words.append(f"no run after {policies.end.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")
    return words


def state_words(row: ScheduleRow) -> str:
    """Return whether the schedule is active, or how it came to be paused."""
    return "active" if row.active else PAUSE_WORDS.get(row.pause_cause or "", "paused")


def outcome_words(outcome: ScheduleOutcomeRow) -> str:
    """Return why it became so, in words; may be empty."""
    because = outcome.because or ""
    match outcome.outcome:
        case "skipped":
            return _with(SKIP_PHRASES.get(because, because), outcome.detail)  # type: ignore[call-overload]
        case "caught_up":
            return _with(MISSED_WORDS.get(because, because), outcome.detail)  # type: ignore[call-overload]
        case "set" | "deleted":
            return "by a user" if because == "user" else "with a version of the flow"
        case "paused":
            return _with("" if because == "user" else PAUSE_WORDS.get(because, because).removeprefix("paused, "), outcome.detail)
        case _:
            return outcome.detail


def _with(words: str, detail: str) -> str:
    return f"{words}: {detail}" if words and detail else words or detail
