"""Explain: the one reason why a run is not running, or how it ended, told from its events and from what is the case around it.

`explain` is pure: the caller (the command line, the web) gives the facts; `audit.run_context` gathers them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from headwater.audit.cancellations import advice_after, cause_of
from headwater.audit.explanation import Evidence, Explanation, Reason, RunContext
from headwater.core.describe import describe_event
from headwater.core.errors import ROOM_OR_NODES
from headwater.core.events import (
    AnyEvent,
    CancelCause,
    RunAttemptLost,
    RunCancelled,
    RunCancelRequested,
    RunCreated,
    RunFailed,
    RunPaused,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunStateSet,
    RunSubmitted,
    RunSucceeded,
    TaskRunArtifactEvent,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunTimedOut,
    TaskRunValidationFailed,
)
from headwater.core.hint_codec import encode_hint
from headwater.core.hints import (
    ExplainRunAction,
    Hint,
    RestartRunAction,
    ResumeRunAction,
    RunDoctorAction,
    SetConcurrencyAction,
    SetQueueLimitAction,
    ShowRunLogsAction,
    ShowServerStatusAction,
    StartAgentAction,
    hint,
)
from headwater.core.hints import words as in_words
from headwater.core.log.protocol import Recorded
from headwater.core.queries import AgentRow
from headwater.core.runs.resume import format_task_run_key, paused, waits_for_approval
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.states import StateName
from headwater.core.values.labels import agent_accepts

NAMED_MAX = 3


@dataclass(frozen=True)
class _Event:
    recorded: Recorded
    event: AnyEvent

    @property
    def evidence(self) -> Evidence:
        commit = self.recorded.commit
        return Evidence(self.recorded.position, commit.at, commit.actor, describe_event(self.event))


def explain(
    history: Sequence[Recorded], around: RunContext, now: datetime, *, format_time: Callable[[datetime], str] = datetime.isoformat
) -> Explanation:
    """Return why the run of this history (all its commits, in order) is as it is."""
    return _Explaining(history, around, now, format_time).explain()


class _Explaining:
    def __init__(self, history: Sequence[Recorded], around: RunContext, now: datetime, format_time: Callable[[datetime], str]) -> None:
        self.around = around
        self.now = now
        self.format_time = format_time
        events = [_Event(recorded, event) for recorded in history for event in recorded.events]
        self.run: Run = RULES.fold(each.event for each in events)
        restarts = [index for index, each in enumerate(events) if isinstance(each.event, RunRestarted)]
        self.life = events[restarts[-1] :] if restarts else events
        self.run_id = self.run.created.run_id if self.run.exists else ""

    def explain(self) -> Explanation:
        run = self.run
        if run.ended:
            return self._ended()
        if self.around.log_problem is not None:
            return self._nothing_recorded(self.around.log_problem)
        if run.held:
            return self._held()
        return self._waiting()

    def _nothing_recorded(self, problem: str) -> Explanation:
        """Say that nothing can be said of what happens now: what the log tells is from before."""
        run = self.run
        what = "No agent can take the run until it does."
        if run.held:
            agent = f"agent {run.agent_name or run.agent_id!r}"
            what = f"Attempt {run.attempt} is held by {agent}, and nothing it does is recorded until the log takes writes again."
        advice = hint(f"{ROOM_OR_NODES}; {{}} tells more.", RunDoctorAction())
        words = f"The log takes no writes: {problem.rstrip('.')}. {what}"
        return self._because(Reason.LOG_TAKES_NOTHING, words, RunScheduled, RunSubmitted, RunStarted, advice=advice, last=2)

    def _because(self, reason: Reason, words: str, *kinds: type, advice: Hint | None = None, last: int = 5) -> Explanation:
        shown = tuple(each.evidence for each in self.life if isinstance(each.event, kinds))[-last:]
        encoded = None if advice is None else encode_hint(advice)
        return Explanation(self.run_id, self.run.name, str(self.run.state), reason, words, in_words(advice) or "", shown, encoded)

    def _ended(self) -> Explanation:
        run = self.run
        by_hand = self._set_manually()
        if by_hand is not None:
            return by_hand
        match run.state:
            case StateName.SUCCESS:
                attempts = "" if run.attempt <= 1 else f" in attempt {run.attempt}"
                return self._because(Reason.SUCCEEDED, f"It succeeded{attempts}: {run.message}", RunSucceeded, RunAttemptLost)
            case StateName.CANCELLED:
                return self._cancelled()
            case _:
                return self._failed()

    def _set_manually(self) -> Explanation | None:
        """Tell who set the state in which the run is, if it was not its own end that brought it there."""
        ended = max((each for each in self.life if isinstance(each.event, _ENDS)), key=lambda each: each.recorded.position)
        marker = next((each for each in ended.recorded.commit.events if isinstance(each, RunStateSet)), None)
        if marker is None:
            return None
        why = f": {marker.reason}" if marker.reason else "."
        words = f"{ended.recorded.commit.actor} set it to {marker.state}{why}"
        restart = hint("{} executes what failed or was cancelled of it once more.", RestartRunAction(self.run_id))
        advice = restart if marker.state != StateName.SUCCESS else None
        return self._because(Reason.SET_BY_HAND, f"{words} It was {marker.before} before.", RunStateSet, *_ENDS, advice=advice, last=3)

    def _cancelled(self) -> Explanation:
        found = next((each for each in reversed(self.life) if isinstance(each.event, RunCancelRequested)), None)
        by = found.recorded.commit.actor if found is not None else "a user"
        asked = found.event if found is not None and isinstance(found.event, RunCancelRequested) else RunCancelRequested()
        cause = cause_of(asked, by)
        words = f"It was cancelled by {by}{f': {asked.reason}' if asked.reason else '.'}"
        advice = advice_after(cause, self.run.created) if self.run.exists else None
        return self._because(_REASONS.get(cause, Reason.CANCELLED), words, RunCancelRequested, RunCancelled, advice=advice)

    def _failed(self) -> Explanation:
        losses = [each for each in self.life if isinstance(each.event, RunAttemptLost) and not each.event.released]
        if losses and isinstance(self.life[-1].event, RunFailed) and losses[-1].recorded is self._last(RunFailed).recorded:
            times = "once" if len(losses) == 1 else f"{len(losses)} times"
            said = losses[-1].event
            why = said.reason if isinstance(said, RunAttemptLost) else ""
            words = f"It lost its attempt {times}, and no more than {self.run.attempts_max} are made. The last time: {why}."
            return self._because(
                Reason.CRASHED, words, RunAttemptLost, RunFailed, advice=hint("{} shows its last lines.", ShowRunLogsAction(self.run_id))
            )
        if not any(isinstance(each.event, RunStarted) for each in self.life[self._index_of_last(RunSubmitted) :]):
            where = f" on agent {self.run.agent_name!r}" if self.run.agent_name else ""
            return self._because(Reason.NOT_STARTED, f"It could not be started{where}: {self.run.message}", RunSubmitted, RunFailed)
        failed = sorted({key[0] for key, found in self.run.task_runs.items() if found.state in _TROUBLE})
        words = f"It failed: {self.run.message}"
        if failed:
            words = f"{words} What failed first: {_listed(failed)}."
        kinds = (TaskRunFailed, TaskRunTimedOut, TaskRunValidationFailed, RunFailed)
        advice = hint("{} executes what failed, and what follows it, once more.", RestartRunAction(self.run_id))
        return self._because(Reason.TASKS_FAILED, words, *kinds, advice=advice)

    def _held(self) -> Explanation:
        run, around = self.run, self.around
        agent = f"agent {run.agent_name or run.agent_id!r}"
        if run.cancel_requested:
            by = self._last(RunCancelRequested).recorded.commit.actor
            words = f"{by} asked to cancel it; {agent} is stopping attempt {run.attempt}."
            if around.holds is None:
                words = f"{by} asked to cancel it. Attempt {run.attempt} is held by {agent}, which does not answer: it ends with its lease."
            return self._because(Reason.CANCELLING, words, RunCancelRequested, RunSubmitted)
        if around.holds is not True:
            silent = "does not answer" if around.holds is None else "says that it does not hold it"
            words = f"Attempt {run.attempt} is held by {agent}, which {silent}. When its lease is over, the next attempt is made."
            return self._because(Reason.HOLDER_SILENT, words, RunSubmitted, RunStarted, last=2)
        retry = self._next_task_run(TaskRunRetryScheduled, StateName.RETRYING)
        lease = ""
        if around.lease_seconds is not None:
            lease = f", which holds its lease until {self.format_time(self.now + timedelta(seconds=around.lease_seconds))} at least"
        if self._something_runs():
            words = f"It runs: attempt {run.attempt}, on {agent}{lease}."
            return self._because(Reason.RUNNING, words, RunSubmitted, RunStarted, last=2)
        if retry is not None:
            slug, due, shown = retry
            words = f"Task {slug!r} failed and is tried again at {self.format_time(due)}. Attempt {run.attempt} waits for that on {agent}."
            return self._with(Reason.WAITS_FOR_RETRY, words, shown)
        if waits_for_approval(run.task_runs.values()):
            return self._paused()
        if run.state is StateName.SUBMITTED:
            words = f"{agent[0].upper()}{agent[1:]} took it as attempt {run.attempt} and is starting its process."
            return self._because(Reason.STARTING, words, RunSubmitted, last=1)
        return self._because(Reason.RUNNING, f"It runs: attempt {run.attempt}, on {agent}{lease}.", RunSubmitted, RunStarted, last=2)

    def _paused(self) -> Explanation:
        names = [format_task_run_key(key) for key in paused(self.run.task_runs) if self.run.task_runs[key].due_at is None]
        waits, it = ("task {} waits", "it") if len(names) == 1 else ("tasks {} wait", "them")
        words = f"It is paused: {waits.format(_listed(names))} for a person to resume {it}."
        advice = hint("{} resumes all that is paused; --task NAME one of them. The run's page does it too.", ResumeRunAction(self.run_id))
        return self._because(Reason.PAUSED, words, TaskRunPaused, TaskRunResumed, RunPaused, advice=advice)

    def _waiting(self) -> Explanation:
        run = self.run
        if run.state is StateName.PAUSED:
            return self._paused()
        lost = f" Attempt {run.attempt} was lost: {run.message}." if run.attempts_lost else ""
        if isinstance(last := self.life[-1].event, RunAttemptLost) and last.released:
            lost = f" Attempt {last.attempt} was handed back: {last.reason}."
        if run.due_at is not None and run.due_at > self.now:
            return self._not_due(run.due_at)
        created = run.created
        if self.around.earlier_run is not None:
            run_id, name = self.around.earlier_run
            words = f"It waits until run {name!r} of the same schedule has ended: its schedule lets runs follow one another."
            advice = hint("{} says why that one has not ended.", ExplainRunAction(run_id))
            return self._because(Reason.EARLIER_RUN, words, RunCreated, RunScheduled, last=2, advice=advice)
        slots = self.around.slots
        if slots.free == 0 and created.run_id not in slots.attempts:
            names = [self.around.slot_names.get(each, each) for each in slots.attempts]
            runs = "run" if slots.limit == 1 else "runs"
            limit = f"At most {slots.limit} {runs} of flow {created.flow_name!r} may be executed at once"
            words = f"{limit}; the slots are taken by {_listed(names)}.{lost}"
            advice = hint("{} changes the limit.", SetConcurrencyAction(created.flow_name, created.project_name))
            return self._because(Reason.LIMIT_REACHED, words, RunScheduled, RunAttemptLost, advice=advice)
        return self._for_an_agent(created.labels, lost)

    def _not_due(self, due_at: datetime) -> Explanation:
        run, at = self.run, self.format_time(due_at)
        retry = self._next_task_run(TaskRunRetryScheduled, StateName.RETRYING)
        if retry is not None:
            slug, due, shown = retry
            words = (
                f"Task {slug!r} failed and is tried again at {self.format_time(due)}. No process waits for that: the run goes on by itself."
            )
            return self._with(Reason.WAITS_FOR_RETRY, words, shown, self._last(RunScheduled))
        if isinstance(self.life[-1].event, RunScheduled) and len(self.life) > 1 and isinstance(self.life[-2].event, RunAttemptLost):
            words = f"Attempt {run.attempt} was lost: {run.message}. The next one starts at {at}."
            return self._because(Reason.NOT_DUE, words, RunAttemptLost, RunScheduled, last=2)
        words = f"It is not due yet: it starts at {at}."
        if run.attempt and run.message:
            words = f"{run.message} It goes on at {at}."
        advice = hint("{} lets it go on now.", ResumeRunAction(self.run_id)) if paused(run.task_runs) else None
        return self._because(Reason.NOT_DUE, words, RunScheduled, last=1, advice=advice)

    def _for_an_agent(self, labels: tuple[str, ...], lost: str) -> Explanation:
        kinds = (RunScheduled, RunAttemptLost)
        wanted = f"labels {_listed(labels)}" if labels else "no labels"
        limit, running = self.around.queue_limit, self.around.queue_runs
        if limit is not None and len(running) >= limit:
            runs = "run" if limit == 1 else "runs"
            words = f"At most {limit} {runs} with {wanted} may be executed at once, and these are: {_listed(running)}.{lost}"
            return self._because(Reason.QUEUE_LIMIT_REACHED, words, *kinds, advice=hint("{} changes the limit.", SetQueueLimitAction()))
        agents = self.around.agents
        if agents is None:
            unknown = "which agents are online is unknown, since the views do not answer"
            words = f"It waits for an agent that takes runs with {wanted}; {unknown}.{lost}"
            return self._because(Reason.AGENTS_UNKNOWN, words, *kinds)
        matching = [agent for agent in agents if agent_accepts(agent.labels, labels)]
        if not matching:
            words = f"No online agent takes runs with {wanted}. {nearest(agents, labels)}{lost}"
            return self._because(Reason.NO_AGENT, words, *kinds, advice=hint("Start one: {}", StartAgentAction(labels)))
        alive = [agent for agent in matching if agent.id in self.around.answering]
        names = _listed(agent.name for agent in matching)
        if not alive:
            it = "it does" if len(matching) == 1 else "they do"
            words = f"It is offered to {names}, but {it} not answer.{lost}"
            return self._because(Reason.AGENTS_SILENT, words, *kinds, advice=hint("Start one: {}", StartAgentAction(labels)))
        able = [agent for agent in alive if agent.id not in self.around.troubles]
        if not able:
            troubles = "; ".join(self.around.troubles[agent.id] for agent in alive[:NAMED_MAX])
            words = f"It waits for an agent that can start it: {troubles}. They try again by themselves, after pauses of up to a minute."
            return self._because(Reason.AGENTS_CANNOT, words, *kinds, advice=hint("Stop what takes up the machine, or raise the limit."))
        free = [agent for agent in able if agent.limit is None or agent.held_runs < agent.limit]
        if not free:
            full = _listed(f"{agent.name} ({agent.held_runs} of {agent.limit})" for agent in able)
            words = f"Every agent that takes runs with {wanted} is full: {full}. It starts when one of their runs ends.{lost}"
            return self._because(Reason.AGENTS_FULL, words, *kinds)
        if not self.around.waits_in_broker:
            words = f"It is in no queue at the moment; the server's run monitor notices that and enqueues it within seconds.{lost}"
            return self._because(
                Reason.NOT_OFFERED, words, *kinds, advice=hint("{} tells whether a server is running.", ShowServerStatusAction())
            )
        words = f"It is offered to {_listed(agent.name for agent in free)}, who can take it.{lost}"
        return self._because(Reason.OFFERED, words, *kinds)

    def _something_runs(self) -> bool:
        return any(found.state is StateName.RUNNING for found in self.run.task_runs.values())

    def _next_task_run(self, kind: type[TaskRunRetryScheduled], state: StateName) -> tuple[str, datetime, _Event] | None:
        """Return the task run in this state that goes on first: its slug, when, and the event that says so."""
        newest = {
            (each.event.slug, each.event.map_index): each
            for each in self.life
            if isinstance(each.event, TaskRunEvent) and not isinstance(each.event, TaskRunArtifactEvent)
        }
        waiting = [
            (each.event.due_at, key[0], each)
            for key, each in newest.items()
            if isinstance(each.event, kind) and key in self.run.task_runs and self.run.task_runs[key].state is state
        ]
        if not waiting:
            return None
        due, slug, shown = min(waiting, key=lambda entry: entry[:2])
        return slug, due, shown

    def _with(self, reason: Reason, words: str, *shown: _Event) -> Explanation:
        made = self._because(reason, words)
        return msgspec.structs.replace(made, evidence=tuple(each.evidence for each in shown))

    def _last(self, kind: type) -> _Event:
        return next(each for each in reversed(self.life) if isinstance(each.event, kind))

    def _index_of_last(self, kind: type) -> int:
        return max((index for index, each in enumerate(self.life) if isinstance(each.event, kind)), default=0)


_ENDS = (RunSucceeded, RunFailed, RunCancelled)
_REASONS: Mapping[CancelCause | None, Reason] = {
    CancelCause.FLOW_ARCHIVED: Reason.FLOW_ARCHIVED,
    CancelCause.FLOW_DELETED: Reason.FLOW_DELETED,
    CancelCause.PROJECT_DELETED: Reason.PROJECT_DELETED,
    CancelCause.PARENT_CANCELLED: Reason.PARENT_CANCELLED,
    CancelCause.SCHEDULE: Reason.REPLACED,
    CancelCause.BACKFILL_CANCELLED: Reason.BACKFILL_CANCELLED,
}
_TROUBLE = {StateName.FAILED, StateName.TIMED_OUT, StateName.VALIDATION_FAILED}


def nearest(agents: Sequence[AgentRow], labels: Sequence[str]) -> str:
    """Return in words which of the agents come near to taking runs with these labels."""
    if not agents:
        return "No agent is online."
    said = []
    for agent in sorted(agents, key=lambda agent: (len(set(agent.labels) ^ set(labels)), agent.name))[:NAMED_MAX]:
        missing = sorted(set(labels) - set(agent.labels))
        said.append(f"Agent {agent.name!r} lacks {_listed(missing)}." if missing else f"Agent {agent.name!r} takes labelled runs only.")
    return " ".join(said)


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - NAMED_MAX} more" if len(shown) > NAMED_MAX else ""
    return ", ".join(shown[:NAMED_MAX]) + more
