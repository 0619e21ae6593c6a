"""The rules of a schedule: it is set, paused, resumed and deleted, and each of its times gets exactly one outcome.

A time is fired (it has a run), skipped (an event says why), or lies in a span that has one outcome as a whole: a pause, times that were
missed and left out, times that were replaced by others. Nothing before `decided` is ever decided again.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from headwater.core.calendar.policies import check_policies
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import (
    AnyEvent,
    Missed,
    OpenRun,
    Origin,
    Overlap,
    Pause,
    PauseCause,
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleEvent,
    ScheduleFired,
    SchedulePaused,
    SchedulePolicies,
    ScheduleProgress,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
    SkipReason,
)
from headwater.core.rules import Rules
from headwater.core.schedules.commands import (
    DecideTimes,
    DeleteSchedule,
    PauseSchedule,
    ResumeSchedule,
    RunStanding,
    ScheduleCommand,
    SetSchedule,
    TimeDue,
)
from headwater.core.schedules.overlaps import OPEN_RUNS_MAX, Fire, Skip, resolve_overlap, still_open
from headwater.core.schedules.state import ScheduleState, evolve
from headwater.core.values.json_bytes import json_bytes

DEFINITION_TOLD_MAX = 4_096
"""A schedule of at most so many bytes is repeated in each of its events."""
NOTE_LENGTH_MAX = 2_000
PAUSES_BY_THE_FLOW = frozenset({PauseCause.FLOW_ARCHIVED, PauseCause.PROJECT_DELETED})
_PAUSES_FOR = {SkipReason.FLOW_ARCHIVED: PauseCause.FLOW_ARCHIVED, SkipReason.PROJECT_DELETED: PauseCause.PROJECT_DELETED}


def decide(state: ScheduleState, command: ScheduleCommand) -> Sequence[AnyEvent]:
    match command:
        case SetSchedule():
            events, progress = _set(state, command)
        case _ if state.progress is None or not state.exists:
            raise NotFound("schedule", "")
        case DeleteSchedule():
            events, progress = _delete(state, state.progress, command)
        case PauseSchedule():
            events, progress = _pause(state.progress, command)
        case ResumeSchedule():
            pause = state.progress.pause
            if pause is None or (command.causes is not None and pause.cause not in command.causes):
                return []
            events, progress = _resume(state.progress, pause, command, _max_runs(state))
        case DecideTimes():
            events, progress = _decide_times(state, state.progress, command)
    return _with_what_is_after(state, events, progress)


def _with_what_is_after(state: ScheduleState, events: list[ScheduleEvent], progress: ScheduleProgress) -> list[AnyEvent]:
    """Let the last event tell how the schedule is after it, and what it is where that is short."""
    if not events:
        return []
    definition = Rules(state, evolve, decide).fold(events).definition
    told = definition if len(json_bytes(definition)) <= DEFINITION_TOLD_MAX else None
    return [*events[:-1], replace(events[-1], after=progress, definition=told)]


def _set(state: ScheduleState, command: SetSchedule) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    check_policies(command.spec.policies)
    before = state.progress or ScheduleProgress(decided=command.at)
    held = state.definition
    had = None if held is None else (held.user if command.origin is Origin.USER else held.registered)
    events: list[ScheduleEvent] = []
    progress = before
    if had is None or json_bytes(had) != json_bytes(command.spec):
        event = ScheduleSet(
            schedule_id=command.schedule_id,
            flow_group_id=command.flow_group_id,
            project_id=command.project_id,
            slug=command.slug,
            origin=command.origin,
            spec=command.spec,
            since=before.decided,
            until=before.decided,
            flow_version=command.flow_version,
        )
        spec = evolve(state, event).spec
        if spec != state.spec:
            progress = replace(progress, generation=before.generation + 1)
        if spec is not None and state.spec is not None and spec.policies.max_runs != state.spec.policies.max_runs:
            progress = replace(progress, runs_made=0)  # so many from now on
        if spec is not None and (state.spec is None or json_bytes(spec.timetable) != json_bytes(state.spec.timetable)):
            # What was missed of the former times is not made up for by the new ones, which begin now.
            progress = replace(progress, decided=max(before.decided, command.at))
            event = replace(event, until=progress.decided)
        events.append(event)
    more, progress = _activate(progress, command, _max_runs(RULES.fold(events, state)))
    return [*events, *more], progress


def _activate(progress: ScheduleProgress, command: SetSchedule, max_runs: int | None) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    pause = progress.pause
    registered = command.origin is Origin.REGISTERED
    if command.activate is False and pause is None:
        cause = PauseCause.REGISTRATION if registered else PauseCause.USER
        return _pause(progress, PauseSchedule(command.at, cause=cause))
    if pause is not None and (command.activate or (command.activate is None and registered and pause.cause in PAUSES_BY_THE_FLOW)):
        return _resume(progress, pause, ResumeSchedule(command.at), max_runs)
    return [], progress


def _max_runs(state: ScheduleState) -> int | None:
    return None if state.spec is None else state.spec.policies.max_runs


def _delete(state: ScheduleState, progress: ScheduleProgress, command: DeleteSchedule) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    held = state.definition
    assert held is not None
    if (held.user if command.origin is Origin.USER else held.registered) is None:
        return [], progress
    event = ScheduleDeleted(origin=command.origin, since=progress.decided, until=progress.decided)
    if evolve(state, event).spec != state.spec:
        progress = replace(progress, decided=max(progress.decided, command.at), generation=progress.generation + 1)
        event = replace(event, until=progress.decided)
    return [event], progress


def _pause(progress: ScheduleProgress, command: PauseSchedule) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    if command.until is not None and command.until <= command.at:
        raise InvalidArgument(f"The pause would end at {command.until.isoformat()}, which is not in the future.")
    if len(command.note) > NOTE_LENGTH_MAX:
        raise InvalidArgument(f"The note has {len(command.note)} characters; at most {NOTE_LENGTH_MAX} are allowed.")
    since = progress.decided if progress.pause is None else progress.pause.since
    pause = Pause(command.cause, since, command.until, command.note)
    if pause == progress.pause:
        return [], progress
    event = SchedulePaused(cause=command.cause, since=since, until=command.until, note=command.note)
    return [event], replace(progress, pause=pause, generation=progress.generation + 1)


def _resume(
    progress: ScheduleProgress, pause: Pause, command: ResumeSchedule, max_runs: int | None
) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    at = max(progress.decided, command.at)
    runs_made = 0 if pause.cause is PauseCause.MAX_RUNS or (max_runs is not None and progress.runs_made >= max_runs) else progress.runs_made
    resumed = replace(progress, decided=at, pause=None, generation=progress.generation + 1, failures=0, runs_made=runs_made)
    return [ScheduleResumed(at=at, note=command.note)], resumed


def _decide_times(state: ScheduleState, progress: ScheduleProgress, command: DecideTimes) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    assert state.spec is not None
    policies = state.spec.policies
    pause = progress.pause
    if pause is not None:
        over = pause.until is not None and pause.until <= command.at
        return (
            _resume(progress, pause, ResumeSchedule(pause.until), policies.max_runs) if over and pause.until is not None else ([], progress)
        )
    progress = _with_standing(progress, command)
    if policies.pause_on_failure is not None and progress.failures >= policies.pause_on_failure:
        return _pause(progress, PauseSchedule(command.at, cause=PauseCause.FAILURES))
    if not command.times and command.left_out == 0:
        return [], progress
    if command.problem is not None and command.times:
        events, after = _stop(progress, command, command.problem)
    else:
        events, after = _fire(policies, replace(progress, decided=max(progress.decided, command.until)), command)
    if command.missed:
        made = sum(isinstance(event, ScheduleFired) for event in events)
        span = ScheduleCaughtUp(since=progress.decided, until=after.decided, policy=policies.missed, made=made, left_out=command.left_out)
        events.insert(0, span)
    return events, after


def _stop(progress: ScheduleProgress, command: DecideTimes, problem: SkipReason) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    """Skip the first of the times, of all clocks that have it, and pause the schedule: its flow takes no runs."""
    first = min(due.nominal for due in command.times)
    skipped = [_skipped(due, problem) for due in command.times if due.nominal == first]
    paused, progress = _pause(replace(progress, decided=first), PauseSchedule(command.at, cause=_PAUSES_FOR[problem]))
    return [*skipped, *paused], progress


def _with_standing(progress: ScheduleProgress, command: DecideTimes) -> ScheduleProgress:
    """Take in how the open runs ended since."""
    failures = progress.failures
    for run in progress.open_runs:
        match command.standing.get(run.run_id):
            case RunStanding.SUCCEEDED:
                failures = 0
            case RunStanding.FAILED:
                failures += 1
            case _:
                pass
    return replace(progress, open_runs=still_open(progress.open_runs, command.standing), failures=failures)


def _fire(policies: SchedulePolicies, progress: ScheduleProgress, command: DecideTimes) -> tuple[list[ScheduleEvent], ScheduleProgress]:
    """Let each time have its run, or say why it has none."""
    events: list[ScheduleEvent] = []
    progress = replace(progress, last_runs=())
    catches_up = command.missed and policies.missed is Missed.ALL
    for number, due in enumerate(command.times, start=1):
        resolved = resolve_overlap(policies.overlap, due.clock, progress.open_runs, command.standing, catches_up=catches_up)
        match resolved:
            case _ if due.refused:
                events.append(_skipped(due, SkipReason.REFUSED, detail=due.refused))
            case Skip(run_id):
                events.append(_skipped(due, SkipReason.OVERLAP, run_id=run_id))
            case Fire(after_run_id, cancels):
                events.append(_fired(due, after_run_id, cancels))
                opened = OpenRun(due.run_id, due.clock, after_run_id is not None)
                open_runs = (*progress.open_runs, opened)[-OPEN_RUNS_MAX:] if policies_need_runs(policies) else ()
                progress = replace(
                    progress, open_runs=open_runs, runs_made=progress.runs_made + 1, last_runs=(*progress.last_runs, due.run_id)
                )
        # Of one time, all clocks are decided together: the pause begins after it.
        is_last = all(other.nominal != due.nominal for other in command.times[number : number + 1])
        if is_last and policies.max_runs is not None and progress.runs_made >= policies.max_runs:
            progress = replace(progress, decided=due.nominal)
            paused, progress = _pause(progress, PauseSchedule(command.at, cause=PauseCause.MAX_RUNS))
            return [*events, *paused], progress
    return events, progress


def policies_need_runs(policies: SchedulePolicies) -> bool:
    """Tell whether what becomes of a time depends on how earlier runs stand."""
    return policies.overlap is not Overlap.ALLOW or policies.pause_on_failure is not None


def _fired(due: TimeDue, after_run_id: str | None, cancels: tuple[str, ...]) -> ScheduleFired:
    return ScheduleFired(
        nominal=due.nominal,
        run_id=due.run_id,
        flow_id=due.flow_id,
        due_at=due.due_at,
        clock=due.clock,
        parameters=dict(due.parameters),
        labels=due.labels,
        after_run_id=after_run_id,
        cancels=cancels,
        interval_start=due.interval_start,
    )


def _skipped(due: TimeDue, because: SkipReason, *, run_id: str | None = None, detail: str = "") -> ScheduleSkipped:
    return ScheduleSkipped(nominal=due.nominal, because=because, clock=due.clock, run_id=run_id, detail=detail)


def tells_all(event: AnyEvent) -> bool:
    """Tell whether the event says the whole state: what the schedule is, and how far."""
    return isinstance(event, ScheduleEvent) and event.after is not None and event.definition is not None


RULES = Rules(ScheduleState(), evolve, decide, tells_all)
