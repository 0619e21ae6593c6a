"""Explain a schedule: why it did, or did not, have a run at a moment; told from its events, and from its calendar.

`explain_moment` is pure: the caller gives the record; `audit.schedule_context` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from headwater.audit.expected_times import ExpectedTimes
from headwater.audit.explanation import Evidence
from headwater.audit.schedule_explanation import TimeContext, TimeExplanation, TimeReason
from headwater.audit.schedule_record import TimeRecord, Told
from headwater.core.calendar.phrases import schedule_phrase
from headwater.core.events import (
    Missed,
    PauseCause,
    ScheduleCaughtUp,
    ScheduleFired,
    SchedulePaused,
    ScheduleSet,
    ScheduleSkipped,
    ScheduleSpec,
    SkipReason,
)
from headwater.core.hint_codec import encode_hint
from headwater.core.hints import ExplainRunAction, Hint, RunDoctorAction, ShowServerStatusAction, hint
from headwater.core.hints import words as in_words
from headwater.core.schedules.describe import PAUSE_PHRASES, SKIP_PHRASES
from headwater.core.schedules.due import wake_at
from headwater.core.values.phrases import because

LATE_SECONDS = 60.0
"""A run that was made so much later than its time was made late."""
_LOOKED_BACK = tuple(timedelta(seconds=seconds) for seconds in (60, 3_600, 86_400, 8 * 86_400, 32 * 86_400, 400 * 86_400, 1_500 * 86_400))
_COUNTED_MAX = 50_000
_LEFT_OUT = {
    Missed.LATEST: "of times that were missed, the newest alone has a run",
    Missed.ALL: "it was older than the schedule makes up for",
    Missed.NONE: "times that were missed have no runs",
    Missed.MERGE: "one run stands for all the times that were missed",
}


def explain_moment(
    schedule_id: str, record: TimeRecord, around: TimeContext, now: datetime, *, format_time: Callable[[datetime], str] = datetime.isoformat
) -> TimeExplanation:
    """Return what became of the moment of this record, or what is to become of it."""
    return _Explaining(schedule_id, record, around, now, format_time).explain()


def time_before(spec: ScheduleSpec, moment: datetime) -> datetime | None:
    """Return the last time before a moment, looked for in the four years before it; None where there is none."""
    expected = ExpectedTimes(spec)
    for span in _LOOKED_BACK:
        before = None
        for count, each in enumerate(expected.between(moment - span, moment)):
            if each.nominal >= moment or count > _COUNTED_MAX:
                break
            before = each.nominal
        if before is not None:
            return before
    return None


class _Explaining:
    def __init__(
        self, schedule_id: str, record: TimeRecord, around: TimeContext, now: datetime, format_time: Callable[[datetime], str]
    ) -> None:
        self.id, self.record, self.around, self.now, self.at = schedule_id, record, around, now, format_time
        self.moment = record.moment
        self.expected = ExpectedTimes(record.spec)

    def explain(self) -> TimeExplanation:
        record = self.record
        outcomes = record.outcomes
        if not outcomes and record.due and not self.expected.of_instant(self.moment):
            outcomes = record.due
        if outcomes:
            return self._decided(outcomes)
        if record.spec is None:
            return self._without_times()
        occurrences = self.expected.of_instant(self.moment)
        if self.expected.problem:
            words = f"{self.expected.problem}. So no server makes runs of it."
            return self._because(TimeReason.UNREADABLE, words, record.changed)
        if not occurrences:
            return self._not_a_time()
        if record.paused and self._pause_reaches():
            return self._in_a_pause()
        if record.left_out is not None:
            return self._left_out(record.left_out)
        if record.replaced is not None:
            return self._replaced(record.replaced)
        wake = min(wake_at(each) for each in occurrences)
        if wake > self.now:
            due = min(each.due for each in occurrences)
            when = "" if due == self.moment else f", and is due at {self.at(due)}"
            return self._because(TimeReason.TO_COME, f"It is to come: its run is made at {self.at(wake)}{when}.", record.changed)
        return self._late()

    def _because(
        self, reason: TimeReason, words: str, told: list[Told], *, advice: Hint | None = None, beside: bool = False
    ) -> TimeExplanation:
        before = after = None
        if beside and self.record.spec is not None:
            before = time_before(self.record.spec, self.moment)
            following = self.expected.first_after(self.moment)
            after = None if following is None else following.nominal
        evidence: list[Evidence] = []
        for each in told:
            if each.evidence not in evidence:
                evidence.append(each.evidence)
        return TimeExplanation(
            schedule_id=self.id,
            nominal=self.moment,
            reason=reason,
            words=words,
            before=before,
            after=after,
            hint=in_words(advice) or "",
            evidence=tuple(evidence),
            advice=None if advice is None else encode_hint(advice),
        )

    # What was decided

    def _decided(self, outcomes: list[Told]) -> TimeExplanation:
        fired = [each for each in outcomes if isinstance(each.event, ScheduleFired)]
        sentences = [self._outcome(each) for each in outcomes]
        advice = None
        if fired and isinstance(fired[0].event, ScheduleFired) and fired[0].event.run_id in self.around.runs:
            advice = hint("{} tells more of the run.", ExplainRunAction(fired[0].event.run_id))
        return self._because(TimeReason.FIRED if fired else TimeReason.SKIPPED, " ".join(sentences), outcomes, advice=advice)

    def _outcome(self, told: Told) -> str:
        match told.event:
            case ScheduleFired() as event:
                return self._fired(event, told.commit.at)
            case ScheduleSkipped() as event if event.because is SkipReason.OVERLAP and event.run_id is not None:
                return f"It has no run: an earlier one, {self._run(event.run_id)}, had not ended."
            case ScheduleSkipped() as event:
                return f"It has no run: {SKIP_PHRASES[event.because]}{because(event.detail.rstrip('.'))}."
        return ""

    def _fired(self, event: ScheduleFired, made: datetime) -> str:
        words = f"It has run {self._run(event.run_id)}."
        if event.nominal != self.moment:
            words = f"The run of the time {self.at(event.nominal)} was due then: {self._run(event.run_id)}."
        elif event.due_at != event.nominal:
            words += f" It was due at {self.at(event.due_at)}."
        if event.run_id not in self.around.runs:
            words = f"It has run {event.run_id}, which is not in the log yet: a server makes it when it looks at the schedule next."
        if (made - event.nominal).total_seconds() > LATE_SECONDS:
            words += f" It was made late, at {self.at(made)}: no server was online before."
        if event.interval_start is not None:
            words += f" It stands for the time from {self.at(event.interval_start)} on."
        if event.after_run_id is not None:
            words += f" It had to wait until {self._run(event.after_run_id)} had ended."
        return words

    def _run(self, run_id: str) -> str:
        run = self.around.runs.get(run_id)
        return run_id if run is None else f"{run.name!r} ({run_id}), which is {run.state}"

    # Spans

    def _pause_reaches(self) -> bool:
        """Tell whether the moment lies in the pause: one that ends by itself may end before."""
        last = self.record.paused[-1].event
        assert isinstance(last, SchedulePaused)
        return self.record.resumed is not None or last.until is None or last.until >= self.moment

    def _in_a_pause(self) -> TimeExplanation:
        record, told = self.record, self.record.paused[-1]
        event = told.event
        assert isinstance(event, SchedulePaused)
        has = "will have" if self.moment > self.now and record.resumed is None else "has"
        who = f"{told.commit.actor} paused the schedule" if event.cause is PauseCause.USER else PAUSE_PHRASES[event.cause]
        until = "" if event.until is None else f", until {self.at(event.until)}"
        words = f"It {has} no run: {who} at {self.at(told.commit.at)}{until}{because(event.note.rstrip('.'))}."
        shown = list(record.paused)
        if record.resumed is not None:
            shown.append(record.resumed)
            by = record.resumed.commit.actor
            end = getattr(record.resumed.event, "at", record.resumed.commit.at)
            words += f" The pause ended at {self.at(end)}." if end == event.until else f" {by} resumed it at {self.at(end)}."
        elif self.moment > self.now:
            words += " If the schedule is resumed before, it has one."
        return self._because(TimeReason.PAUSED, words, shown)

    def _left_out(self, told: Told) -> TimeExplanation:
        event = told.event
        assert isinstance(event, ScheduleCaughtUp)
        words = f"It has no run: no server was online then, and {_LEFT_OUT[event.policy]}."
        if event.made:
            words += f" Up to {self.at(event.until)}, {event.made} {'was' if event.made == 1 else 'were'} made."
        return self._because(TimeReason.LEFT_OUT, words, [told])

    def _replaced(self, told: Told) -> TimeExplanation:
        what = "gave the schedule other times" if isinstance(told.event, ScheduleSet) else "took the times of the schedule away"
        words = f"It has no run: {told.commit.actor} {what} at {self.at(told.commit.at)}, before it was decided."
        return self._because(TimeReason.REPLACED, words, [told])

    # What is not one of its times, or not decided

    def _without_times(self) -> TimeExplanation:
        record = self.record
        deleted = record.changed and not isinstance(record.changed[-1].event, ScheduleSet)
        words = "The schedule had no times then: they had been taken away." if deleted else "The schedule was not set yet."
        shown = [*record.changed, *([] if record.replaced is None else [record.replaced])]
        return self._because(TimeReason.NO_TIMES, words, shown)

    def _not_a_time(self) -> TimeExplanation:
        spec = self.record.spec
        assert spec is not None
        found = self._because(TimeReason.NOT_A_TIME, "", self.record.changed, beside=True)
        near = [f"the one before it is {self.at(found.before)}"] if found.before is not None else []
        near += [f"the next is {self.at(found.after)}"] if found.after is not None else []
        words = f"It is not a time of the schedule, which has runs {schedule_phrase(spec.timetable)}"
        if spec.policies.end is not None and self.moment > spec.policies.end:
            words += f", and ended at {self.at(spec.policies.end)}"
        return TimeExplanation(
            **{**{name: getattr(found, name) for name in found.__struct_fields__}, "words": f"{words}{because(' and '.join(near))}."}
        )

    def _late(self) -> TimeExplanation:
        record, around = self.record, self.around
        if around.log_problem is not None:
            words = f"It is not decided yet: the log takes no writes: {around.log_problem.rstrip('.')}."
            return self._because(TimeReason.LATE, words, record.changed, advice=hint("{} tells more.", RunDoctorAction()))
        if not around.server_answers:
            words = "It is not decided yet: no server is online. The first one that is makes up for it as its policies say."
            return self._because(TimeReason.LATE, words, record.changed, advice=hint("{} tells more.", ShowServerStatusAction()))
        late = (self.now - self.moment).total_seconds()
        words = f"It is not decided yet: a server is online, and {late:.0f} s late with it."
        return self._because(TimeReason.LATE, words, record.changed, advice=hint("{} tells more.", RunDoctorAction()))
