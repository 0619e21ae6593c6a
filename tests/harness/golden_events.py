"""One event of every kind with every field set, for the golden files: what was stored once must be read for ever.

    python tests/harness/golden_events.py     write the golden file of each event type that has none yet

A golden file that exists is never rewritten. When the shape of an event changes, the catalogue gets a new version (see
core/log/upcasters.py), its files go into a folder of their own, and the old files stay.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import msgspec

from headwater.core.events import (
    AgentLost,
    AgentRegistered,
    AgentStopped,
    AnyEvent,
    BackfillCancelRequested,
    BackfillChoice,
    BackfillEnded,
    BackfillRequested,
    BackfillRunEnded,
    BackfillRunsStarted,
    BackfillTime,
    ConcurrencySet,
    EdgeSpec,
    Event,
    Failure,
    FlowAttemptsLimited,
    FlowDefaultParametersSet,
    FlowDeleted,
    FlowDescribed,
    FlowLabelsSet,
    FlowRegistered,
    FlowVersionArchived,
    Frame,
    KeyValueDeleted,
    KeyValueSet,
    Missed,
    NameClaimed,
    NameReleased,
    OpenRun,
    Origin,
    Overlap,
    ParameterSpec,
    Pause,
    PauseCause,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectRenamed,
    QueueLimitSet,
    QueueOpened,
    RegistrationPart,
    RegistrationParts,
    ResultReference,
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
    ScheduleCaughtUp,
    ScheduledBy,
    ScheduleDefinition,
    ScheduleDeleted,
    ScheduleFired,
    SchedulePaused,
    SchedulePolicies,
    ScheduleProgress,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
    ScheduleSpec,
    SkipReason,
    SlotFreed,
    SlotsAfter,
    SlotTaken,
    StorageReference,
    TaskRunArtifactCreated,
    TaskRunArtifactDeleted,
    TaskRunArtifactUpdated,
    TaskRunCached,
    TaskRunCancelled,
    TaskRunFailed,
    TaskRunLooped,
    TaskRunMapped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunSkipped,
    TaskRunStarted,
    TaskRunStateSet,
    TaskRunSucceeded,
    TaskRunTimedOut,
    TaskRunTriggerFailed,
    TaskRunValidationFailed,
    TaskSpec,
    event_type,
)
from headwater.core.log.codec import encode
from headwater.core.log.commit import CATALOGUE_VERSION, Commit

EVENTS_FOLDER = Path(__file__).parents[1] / "histories" / "events"

_AT = datetime(2026, 5, 17, 12, 30, 15, 250_000, tzinfo=UTC)
_LATER = _AT + timedelta(minutes=10)
_BEFORE = _AT - timedelta(days=1)
_PROJECT = "0197a3c0-6d1f-7c52-9e06-1b2f3a4c5d6e"
_GROUP = "8f14e45f-ceea-867a-9a36-dedd00000000"
_FLOW = "8f14e45f-ceea-867a-9a36-dedd00000002"
_RUN = "0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f"
_AGENT = "0197a3c0-ffff-7abc-8def-0123456789ab"
_REGISTRATION = "0197a3c0-aaaa-7bbb-8ccc-dddddddddddd"
_ARTIFACT = "0197a3c1-2222-7333-8444-555566667777"
_SCHEDULE = "5d3c0f51-6d0a-5f0e-9a5b-0a4e8e0f7c11"
_OTHER_RUN = "0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e10"
_QUEUE = "6c1d1f0e5b3a49d28f70"

_STORAGE = StorageReference(
    type="Local",
    location="/home/ana/.headwater/flows/hello-flow/2026-05-17",
    flow_name="hello-flow",
    stored_as_script=True,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    python_version="3.11.7",
    options={"add_default_labels": False},
)
_TASK = TaskSpec(
    slug="say_hello-1",
    name="say_hello",
    type="headwater.tasks.FunctionTask",
    tags=("greeting", "Grüße"),
    max_retries=3,
    retry_delay_seconds=10.5,
    timeout_seconds=60.0,
    trigger="any_failed",
    mapped=True,
    reference=True,
    settings={"checkpoint": True, "cache_for": None},
)
_EDGE = EdgeSpec(upstream="names-1", downstream="say_hello-1", key="name", mapped=True, flattened=True)
_FAILURE = Failure(
    type="ValueError",
    message="no such person: 'Bob' 🌊",
    traceback=(Frame("hello_flow.py", 12, "say_hello"), Frame("people.py", 3, "find", "return known[name]")),
)
_RESULT = ResultReference(
    type="LocalResult", location="/results/say_hello-1", value={"count": 3, "names": ["Ana"]}, serializer={"type": "JSONSerializer"}
)

_SPEC = ScheduleSpec(
    {"clocks": [{"type": "CronClock", "cron": "0 6 * * MON-FRI"}]},
    SchedulePolicies(
        missed=Missed.MERGE,
        window_seconds=3600.0,
        overlap=Overlap.QUEUE_ONE,
        jitter_seconds=30.0,
        pause_on_failure=3,
        end=_LATER,
        max_runs=100,
    ),
)
_PROGRESS = ScheduleProgress(
    decided=_AT,
    generation=4,
    pause=Pause(PauseCause.USER, _AT, _LATER, "The warehouse moves."),
    open_runs=(OpenRun(_RUN, "5f0e9a5b0a4e", True),),
    failures=1,
    runs_made=12,
    last_runs=(_RUN,),
)
_DEFINITION = ScheduleDefinition(
    schedule_id=_SCHEDULE, flow_group_id=_GROUP, project_id=_PROJECT, slug="nightly", registered=_SPEC, user=_SPEC
)

GOLDEN_EVENTS: tuple[Event, ...] = (
    ProjectCreated(project_id=_PROJECT, name="Hello, World!", description="The tutorial's."),
    ProjectRenamed(name="tutorial"),
    ProjectDescribed(description="Other words."),
    ProjectDeleted(),
    KeyValueSet(_PROJECT, "last day/Grüße", {"day": "2026-05-17", "rows": [1, 2.5, None, True]}),
    KeyValueDeleted(_PROJECT, "last day/Grüße"),
    NameClaimed(kind="project", name="Hello, World!", owner_id=_PROJECT),
    NameReleased(kind="project", name="Hello, World!", owner_id=_PROJECT),
    FlowRegistered(
        flow_id=_FLOW,
        flow_group_id=_GROUP,
        project_id=_PROJECT,
        name="hello-flow",
        flow_version=2,
        task_count=1,
        edge_count=1,
        storage=_STORAGE,
        tasks=(_TASK,),
        edges=(_EDGE,),
        parts=RegistrationParts(registration_id=_REGISTRATION, count=2, sha256="5e884898da28047151d0e56f8dc62927"),
        parameters=(ParameterSpec(name="name", required=True, default="world"),),
        labels=("gpu", "host-1"),
        run_config={"type": "LocalRun", "working_dir": "/tmp"},
        schedule={"clocks": [{"type": "CronClock", "cron": "0 0 * * *"}]},
        serialized_hash="2cf24dba5fb0a30e26e83b2ac5b9e29e",
        idempotency_key="release-7",
        environment={"headwater": "0.1.0"},
        archives=("8f14e45f-ceea-867a-9a36-dedd00000001",),
    ),
    RegistrationPart(registration_id=_REGISTRATION, number=1, tasks=(_TASK,), edges=(_EDGE, EdgeSpec("a-1", "b-1"))),
    FlowVersionArchived(flow_id=_FLOW, flow_version=2),
    FlowDeleted(reason="moved"),
    FlowAttemptsLimited(attempts_max=5),
    FlowDescribed(description="Loads the orders of the *day*."),
    FlowLabelsSet(labels=("gpu", "host-1")),
    FlowDefaultParametersSet(parameters={"name": "Ana", "times": 3, "deep": {"list": [1, 2.5, None, True]}}),
    ConcurrencySet(limit=2, after=SlotsAfter(2, {_RUN: 1})),
    SlotTaken(run_id=_RUN, attempt=2, after=SlotsAfter(2, {_RUN: 2})),
    SlotFreed(run_id=_RUN, after=SlotsAfter(2, {})),
    BackfillRequested(
        backfill_id=_REGISTRATION,
        schedule_id=_SCHEDULE,
        flow_group_id=_GROUP,
        project_id=_PROJECT,
        name="quiet-heron",
        since=_BEFORE,
        until=_AT,
        choice=BackfillChoice.FAILED,
        times=(BackfillTime(nominal=_BEFORE, clock="5f0e9a5b0a4e", parameters={"region": "north"}, labels=("gpu",)),),
        limit=3,
        parameters={"full": True},
    ),
    BackfillRunsStarted(count=2),
    BackfillRunEnded(run_id=_RUN, state="Failed", detail="The flow has no parameter 'region'."),
    BackfillCancelRequested(reason="wrong data"),
    BackfillEnded(cancelled=True),
    ScheduleSet(
        schedule_id=_SCHEDULE,
        flow_group_id=_GROUP,
        project_id=_PROJECT,
        slug="nightly",
        origin=Origin.USER,
        spec=_SPEC,
        since=_BEFORE,
        until=_AT,
        flow_version=2,
        after=_PROGRESS,
        definition=_DEFINITION,
    ),
    ScheduleDeleted(origin=Origin.REGISTERED, since=_BEFORE, until=_AT, after=_PROGRESS, definition=_DEFINITION),
    SchedulePaused(cause=PauseCause.USER, since=_AT, until=_LATER, note="The warehouse moves.", after=_PROGRESS, definition=_DEFINITION),
    ScheduleResumed(at=_AT, note="It has moved.", after=_PROGRESS, definition=_DEFINITION),
    ScheduleFired(
        nominal=_AT,
        run_id=_RUN,
        flow_id=_FLOW,
        due_at=_LATER,
        clock="5f0e9a5b0a4e",
        parameters={"region": "north"},
        labels=("gpu",),
        after_run_id=_OTHER_RUN,
        cancels=(_OTHER_RUN,),
        interval_start=_BEFORE,
        after=_PROGRESS,
        definition=_DEFINITION,
    ),
    ScheduleSkipped(
        nominal=_AT,
        because=SkipReason.OVERLAP,
        clock="5f0e9a5b0a4e",
        run_id=_OTHER_RUN,
        detail="It has run for two days.",
        after=_PROGRESS,
        definition=_DEFINITION,
    ),
    ScheduleCaughtUp(since=_BEFORE, until=_AT, policy=Missed.LATEST, made=1, left_out=23, after=_PROGRESS, definition=_DEFINITION),
    RunCreated(
        run_id=_RUN,
        flow_id=_FLOW,
        flow_group_id=_GROUP,
        project_id=_PROJECT,
        project_name="tutorial",
        flow_name="hello-flow",
        flow_version=2,
        name="quiet-heron",
        queue_id=_QUEUE,
        storage=_STORAGE,
        labels=("gpu", "host-1"),
        parameters={"name": "Ana", "times": 3, "deep": {"list": [1, 2.5, None, True]}},
        context={"season": "spring"},
        run_config={"type": "LocalRun"},
        idempotency_key="today",
        scheduled_by=ScheduledBy(
            schedule_id=_SCHEDULE,
            nominal=_AT,
            clock="5f0e9a5b0a4e",
            after_run_id=_OTHER_RUN,
            interval_start=_BEFORE,
            backfill_id=_REGISTRATION,
        ),
    ),
    RunScheduled(due_at=_LATER, generation=3, message="Later."),
    RunSubmitted(attempt=2, agent_id=_AGENT, agent_name="local", message="Claimed."),
    RunStarted(attempt=2, at=_AT, message="Off we go."),
    RunSucceeded(attempt=2, at=_AT, message="All well."),
    RunFailed(at=_AT, attempt=2, message="Not well.", failure=_FAILURE),
    RunCancelRequested(reason="by Ana", cause="flow_archived"),
    RunCancelled(at=_AT, message="Stopped by Ana."),
    RunAttemptLost(attempt=2, reason="The agent did not answer.", released=True),
    RunAttemptsLimited(attempts_max=7),
    RunRestarted(reason="fixed the password", from_task="load-1", tasks=("load-1", "report-1"), task_runs=(("say_hello-1", 4),)),
    RunPaused(attempt=2, at=_AT, message="Waits for Ana."),
    RunStateSet(state="Success", before="Failed", reason="It does not matter."),
    RunRenamed(name="loud-heron"),
    RunDeleted(reason="a trial"),
    TaskRunStarted(slug="say_hello-1", at=_AT, map_index=4, message="Running.", run_count=2),
    TaskRunSucceeded(slug="say_hello-1", at=_AT, map_index=4, message="Done.", result=_RESULT),
    TaskRunFailed(slug="say_hello-1", at=_AT, map_index=4, message="Failed.", failure=_FAILURE),
    TaskRunTimedOut(slug="say_hello-1", at=_AT, map_index=4, message="Too long."),
    TaskRunTriggerFailed(slug="say_hello-1", at=_AT, map_index=4, message="Upstream failed."),
    TaskRunValidationFailed(slug="say_hello-1", at=_AT, map_index=4, message="Not a name.", failure=_FAILURE),
    TaskRunRetryScheduled(slug="say_hello-1", at=_AT, map_index=4, message="Again.", due_at=_LATER, run_count=2, failure=_FAILURE),
    TaskRunSkipped(slug="say_hello-1", at=_AT, map_index=4, message="Not needed."),
    TaskRunCached(
        slug="say_hello-1", at=_AT, map_index=4, message="Known.", result=_RESULT, expires_at=_LATER, cache={"parameters": {"name": "Ana"}}
    ),
    TaskRunMapped(slug="say_hello-1", at=_AT, map_index=4, message="Mapped.", child_count=12),
    TaskRunLooped(slug="say_hello-1", at=_AT, map_index=4, message="Once more.", loop_count=3, result=_RESULT),
    TaskRunPaused(slug="say_hello-1", at=_AT, map_index=4, message="Waiting.", due_at=_LATER),
    TaskRunResumed(slug="say_hello-1", at=_AT, map_index=4, message="Go on."),
    TaskRunCancelled(slug="say_hello-1", at=_AT, map_index=4, message="Stopped."),
    TaskRunStateSet(
        slug="say_hello-1", at=_AT, map_index=4, message="Done by hand.", state="Success", before="Failed", ended_at=_LATER, result=_RESULT
    ),
    TaskRunNamed(slug="say_hello-1", at=_AT, map_index=4, message="Named.", name="hello-ana"),
    TaskRunArtifactCreated(
        slug="say_hello-1",
        at=_AT,
        map_index=4,
        artifact_id=_ARTIFACT,
        message="For Ana.",
        kind="markdown",
        data={"markdown": "# Grüße\n\n*Ana*"},
    ),
    TaskRunArtifactUpdated(
        slug="say_hello-1", at=_LATER, map_index=4, artifact_id=_ARTIFACT, message="For Ana.", data={"markdown": "# Bye"}
    ),
    TaskRunArtifactDeleted(slug="say_hello-1", at=_LATER, map_index=4, artifact_id=_ARTIFACT, message="For Ana."),
    QueueOpened(queue_id=_QUEUE, labels=("gpu", "host-1")),
    QueueLimitSet(limit=3),
    AgentRegistered(agent_id=_AGENT, name="local", kind="local", labels=("gpu",), hostname="host-1", pid=4711, version="0.1.0", limit=8),
    AgentStopped(reason="Ctrl-C"),
    AgentLost(reason="No heartbeat."),
)


def golden_commit(event: Event) -> Commit:
    """A commit of this event alone, with every field set."""
    return Commit(
        id="0197a3c1-1111-7222-8333-444455556666",
        at=_AT,
        actor="cli:ana@host-1",
        cause="0197a3c1-0000-7000-8000-000000000000",
        events=(cast("AnyEvent", event),),
    )


def golden_file(event: Event) -> Path:
    return EVENTS_FOLDER / f"v{CATALOGUE_VERSION}" / f"{event_type(event)}.json"


def write_missing() -> None:
    """Write the golden files that do not exist yet."""
    for event in GOLDEN_EVENTS:
        path = golden_file(event)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(msgspec.json.format(encode(golden_commit(event)), indent=2) + b"\n")
            print(f"wrote {path}")


if __name__ == "__main__":
    write_missing()
