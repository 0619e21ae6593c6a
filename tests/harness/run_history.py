"""Histories of one run, in events, for tests of its rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headwater.core.events import AnyEvent, Failure, RunCreated, RunFailed, RunScheduled, RunStarted, RunSubmitted, StorageReference
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
CREATED = RunCreated(
    run_id="r",
    flow_id="f",
    flow_group_id="g",
    project_id="p",
    project_name="tutorial",
    flow_name="hello-flow",
    flow_version=1,
    name="quiet-heron",
    queue_id="q",
    storage=StorageReference(type="Local"),
)
WAITING = (CREATED, RunScheduled(NOON, 1))
CLAIMED = (*WAITING, RunSubmitted(1, "agent-1", "mill"))
RUNNING = (*CLAIMED, RunStarted(1, NOON))
FAILURE = Failure("ValueError", "no")
FAILED = (*RUNNING, RunFailed(at=NOON, attempt=1, message="It went wrong.", failure=FAILURE))


def given(*events: AnyEvent) -> Run:
    return RULES.fold(events)
