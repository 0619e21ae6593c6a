"""What is to be read to explain a moment of a schedule: the commits that say something of it, the runs they name, and who is online."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from headwater.audit.expected_times import ExpectedTimes
from headwater.audit.schedule_explain import explain_moment, time_before
from headwater.audit.schedule_explanation import RunTold, TimeContext, TimeExplanation, TimeReason
from headwater.audit.schedule_record import TimeRecord
from headwater.core.events import (
    ScheduleCaughtUp,
    ScheduleDeleted,
    ScheduleFired,
    SchedulePaused,
    ScheduleResumed,
    ScheduleSet,
    ScheduleSkipped,
)
from headwater.core.log import subjects
from headwater.core.log.health import ask_health
from headwater.core.log.protocol import EventLog, Log, Recorded
from headwater.core.log.undecoded import may_hold
from headwater.core.operations.run_lookup import load_head
from headwater.core.operations.schedules import schedule

_OF_MANY_TIMES = [may_hold(kind) for kind in (ScheduleSet, ScheduleDeleted, SchedulePaused, ScheduleResumed, ScheduleCaughtUp)]


async def explain_schedule(
    log: Log,
    schedule_id: str,
    moment: datetime | None = None,
    *,
    now: datetime | None = None,
    format_time: Callable[[datetime], str] = datetime.isoformat,
) -> TimeExplanation:
    """Return what became of a moment of the schedule; without one, of its last time, or of the next where there was none.

    Raises:
        LogError: the log could not be read.

    """
    now = now or datetime.now(UTC)
    if moment is not None:
        return await _explain(log, schedule_id, moment, now, format_time)
    last, following = await _last_and_next(log.events, schedule_id, now)
    if last is None:
        return await _explain(log, schedule_id, following or now, now, format_time)
    found = await _explain(log, schedule_id, last, now, format_time)
    was_none = found.reason in {TimeReason.NO_TIMES, TimeReason.NOT_A_TIME}  # its times were set after that
    return await _explain(log, schedule_id, following, now, format_time) if was_none and following is not None else found


async def _explain(log: Log, schedule_id: str, moment: datetime, now: datetime, format_time: Callable[[datetime], str]) -> TimeExplanation:
    record = TimeRecord(moment)
    async for recorded in _commits(log.events, schedule_id, moment):
        record.take(recorded)
    runs = {}
    for told in (*record.outcomes, *record.due):
        for run_id in (getattr(told.event, "run_id", None), getattr(told.event, "after_run_id", None)):
            head = None if run_id is None else (await load_head(log.events, run_id))[0]
            if run_id is not None and head is not None and head.exists:
                runs[run_id] = RunTold(head.name, str(head.state))
    found = explain_moment(schedule_id, record, TimeContext(runs=runs), now, format_time=format_time)
    if found.reason is not TimeReason.LATE:
        return found
    health = await ask_health(log)
    around = TimeContext(runs=runs, server_answers=health is not None, log_problem=None if health is None else health.log.problem)
    return explain_moment(schedule_id, record, around, now, format_time=format_time)


async def _last_and_next(log: EventLog, schedule_id: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the last time of the schedule, by its calendar or by what was decided last, and the next one; None where there is none."""
    found = schedule(log, schedule_id)
    await found.refresh()
    spec, last = found.state.spec, await _last_outcome(log, schedule_id)
    following = ExpectedTimes(spec).first_after(now)
    before = None if spec is None else time_before(spec, now)
    newest = max((each for each in (before, last) if each is not None), default=None)
    return newest, None if following is None else following.nominal


async def _last_outcome(log: EventLog, schedule_id: str) -> datetime | None:
    last = await log.last(subjects.schedule(schedule_id))
    told = [] if last is None else [each.nominal for each in last.events if isinstance(each, ScheduleFired | ScheduleSkipped)]
    return max(told, default=None)


async def _commits(log: EventLog, schedule_id: str, moment: datetime) -> AsyncIterator[Recorded]:
    """Yield the commits of the schedule that may say something of the moment, in order. Of millions, few are held or decoded."""
    subject = subjects.schedule(schedule_id)
    last = await log.last(subject)
    if last is None:
        return
    written = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}".encode()
    async with log.follow(subject) as batches:
        async for batch in batches:
            for recorded in batch:
                if written in recorded.data or any(may(recorded.data) for may in _OF_MANY_TIMES):
                    yield recorded
            if batch and batch[-1].position >= last.position:
                return
