"""Check: whether the log keeps what Headwater promises. Every run is folded commit by commit, by the rules that were to guard it."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import msgspec

from headwater.audit.inferred_commands import infer_commands
from headwater.audit.kept_states import WEIGHT_MAX, KeptStates
from headwater.audit.moment import OnProgress
from headwater.core.agents import rules as agent_rules
from headwater.core.agents.state import Agent, AgentStatus
from headwater.core.errors import CommandRejected, CommitUnreadable
from headwater.core.events import (
    AnyEvent,
    RunCancelled,
    RunCreated,
    RunDeleted,
    RunFailed,
    RunRenamed,
    RunRestarted,
    RunStateSet,
    RunSubmitted,
    RunSucceeded,
    TaskRunArtifactEvent,
    TaskRunStateSet,
    TaskRunSucceeded,
    UnknownEvent,
    event_type,
)
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, Position
from headwater.core.log.protocol import EventLog, Log, Recorded
from headwater.core.runs import rules as run_rules
from headwater.core.runs.resume import waits_for_approval
from headwater.core.runs.state import Run
from headwater.core.slots import rules as slot_rules
from headwater.core.slots.state import Slots
from headwater.core.states import StateName

WAKE_UP_SECONDS = 8.0
"""A run may be without a wake-up for so long: the run monitor gives it one."""
VIOLATIONS_MAX = 10_000
"""So many violations are reported; the others are counted."""
_LOOK_SECONDS = 0.5
_ENDS = (RunSucceeded, RunFailed, RunCancelled)


class Violation(msgspec.Struct, frozen=True):
    """A promise that the log does not keep: which, of what, in which commits, in words."""

    promise: str
    subject: str
    positions: tuple[Position, ...]
    words: str


class VerificationReport(msgspec.Struct, frozen=True):
    """What was looked at, and what was found: of very many violations the first. `wake_ups`: whether the broker was asked for those."""

    commits: int
    runs: int
    unfinished: int
    wake_ups: bool
    violations: tuple[Violation, ...]
    violation_count: int = 0


@dataclass
class _Watched:
    """A run while its history is read. `ended_at`, `succeeded`: positions in its present life.

    A run's begins again when it is restarted or its state is set manually; so does a task run's.
    """

    state: Run = run_rules.RULES.initial
    position: Position = 0
    attempts: list[tuple[int, Position]] = field(default_factory=list)
    ended_at: Position = 0
    succeeded: dict[tuple[str, int], Position] = field(default_factory=dict)


class History:
    """Takes commits in order, and collects what breaks a promise of the record itself."""

    def __init__(self, *, weight_max: int = WEIGHT_MAX) -> None:
        self.runs: KeptStates[_Watched] = KeptStates(weight_max=weight_max)
        self.unfinished: set[str] = set()
        self.agents: dict[str, Agent] = {}
        self.slots: dict[str, Slots] = {}
        self.violations: list[Violation] = []
        self.violation_count = 0
        self.commits = 0
        self.position: Position = 0

    def take(self, recorded: Recorded) -> None:
        self.commits += 1
        if recorded.position != self.position + 1:
            self.add(gap(self.position + 1, recorded.position - 1))
        self.position = recorded.position
        try:
            commit = recorded.commit
        except CommitUnreadable as error:
            self._found("every commit is readable", recorded, (recorded.position,), str(error))
            return
        match subjects.address(recorded.subject):
            case ("run", run_id):
                run = self.runs.get(run_id) or _Watched()
                self._take_run(recorded, commit, run)
                self.runs.set(run_id, run, grown_bytes=len(recorded.data))
                if run.state.exists and not run.state.ended:
                    self.unfinished.add(run_id)
                else:
                    self.unfinished.discard(run_id)
            case ("agent", agent_id):
                self.agents[agent_id] = agent_rules.RULES.fold(commit.events, self.agents.get(agent_id))
            case ("slots", group_id):
                self.slots[group_id] = slot_rules.RULES.fold(commit.events, self.slots.get(group_id))

    def add(self, violation: Violation) -> None:
        """Note what was found; of very many the first."""
        self.violation_count += 1
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(violation)

    def _take_run(self, recorded: Recorded, commit: Commit, run: _Watched) -> None:
        refused = refusal(run.state, commit)
        if refused is not None:
            self._found("no illegal transition", recorded, (run.position, recorded.position), refused)
        for event in commit.events:
            self._take_event(recorded, event, run)
            run.state = run_rules.evolve(run.state, event)
            if isinstance(event, RunRestarted | TaskRunStateSet):
                found = run.state.task_runs
                run.succeeded = {key: at for key, at in run.succeeded.items() if key in found and found[key].state is StateName.SUCCESS}
        run.position = recorded.position

    def _take_event(self, recorded: Recorded, event: AnyEvent, run: _Watched) -> None:
        match event:
            case RunRestarted() | RunStateSet():
                run.ended_at = 0
            case TaskRunStateSet() | RunRenamed() | RunDeleted() | TaskRunArtifactEvent() | UnknownEvent():
                pass
            case _ if run.ended_at:
                words = f"{event_type(event)} follows the end of the run."
                self._found("nothing happens after the end", recorded, (run.ended_at, recorded.position), words)
        match event:
            case RunSubmitted():
                last, where = run.attempts[-1] if run.attempts else (0, run.position)
                if event.attempt <= last:
                    words = f"Attempt {event.attempt} follows attempt {last}."
                    self._found("attempts strictly increase", recorded, (where, recorded.position), words)
                run.attempts.append((event.attempt, recorded.position))
            case TaskRunStateSet() if event.state == StateName.SUCCESS:
                run.succeeded[event.slug, event.map_index] = recorded.position
            case TaskRunSucceeded():
                key = (event.slug, event.map_index)
                if key in run.succeeded:
                    words = f"Task run {event.slug!r} (index {event.map_index}) succeeded twice."
                    self._found("at most one success per task run", recorded, (run.succeeded[key], recorded.position), words)
                run.succeeded[key] = recorded.position
            case RunSucceeded() | RunFailed() | RunCancelled():
                run.ended_at = recorded.position
            case _:
                pass

    def _found(self, promise: str, recorded: Recorded, positions: tuple[Position, ...], words: str) -> None:
        self.add(Violation(promise, recorded.subject, tuple(each for each in positions if each), words))


def gap(first: Position, last: Position) -> Violation:
    """Return the violation that no commit lies at these positions."""
    where = f"Position {first} holds" if first == last else f"Positions {first} to {last} hold"
    return Violation("positions have no gaps", subjects.EVENTS_ALL, tuple(dict.fromkeys((first, last))), f"{where} no commit: it is lost.")


def refusal(state: Run, commit: Commit) -> str | None:
    """Return why the rules would not have given this commit in this state; None where they would.

    The command is inferred from the commit: its events are all that the rules make of one command.
    """
    events = [event for event in commit.events if not isinstance(event, UnknownEvent)]
    if not events:
        return None
    if not state.exists and not isinstance(events[0], RunCreated):
        return f"{event_type(events[0])} happened to a run that was never created."
    writer = _writing_attempt(commit.actor)
    if writer is not None and (not state.held or writer != state.attempt):
        return f"Attempt {writer} wrote, and did not hold the run: it is {state.state}, and its last attempt is {state.attempt}."
    if isinstance(events[0], RunCreated):
        return "The run was created twice." if state.exists else None
    reason = "No command leads to these events together."
    for command in infer_commands(state, events, commit.at):
        try:
            expected = run_rules.decide(state, command)
        except CommandRejected as refused:
            reason = str(refused)
            continue
        if [type(event) for event in expected] == [type(event) for event in events]:
            return None
        reason = f"The rules would have given {', '.join(event_type(event) for event in expected) or 'nothing'}."
    return f"{', '.join(dict.fromkeys(event_type(event) for event in events))}: {reason}"


def _writing_attempt(actor: str) -> int | None:
    """Return the attempt whose process wrote, None where another program did."""
    number = actor.rpartition("#")[2]
    return int(number) if actor.startswith("run:") and number.isdecimal() else None


async def verify_facts(log: EventLog, *, on_progress: OnProgress = lambda _: None, weight_max: int = WEIGHT_MAX) -> History:
    """Read the whole log and return what was found.

    Raises:
        LogError: the log could not be read.

    """
    history = History(weight_max=weight_max)
    tail = (await log.tail()).position
    async for batch in log.read_all(until=tail):
        for recorded in batch:
            history.take(recorded)
        on_progress(history.position)
    if history.position < tail:
        history.add(gap(history.position + 1, tail))
        history.position = tail
    return history


async def verify(
    log: Log, *, wake_ups: bool = True, patience_seconds: float = WAKE_UP_SECONDS, on_progress: OnProgress = lambda _: None
) -> VerificationReport:
    """Check the whole log; with `wake_ups` also whether every unfinished run has a lease, an item or a timer in the broker.

    A run without one counts only if it has none for `patience_seconds`.

    Raises:
        LogError: the log or the broker could not be read.
        NoRoomToFold: there is neither memory nor disk for what it tells.

    """
    history = await verify_facts(log.events, on_progress=on_progress)
    if wake_ups:
        for violation in await _stuck(log, history, patience_seconds):
            history.add(violation)
    return VerificationReport(
        history.commits, len(history.runs), len(history.unfinished), wake_ups, tuple(history.violations), history.violation_count
    )


async def _stuck(log: Log, history: History, patience_seconds: float) -> list[Violation]:
    """Return the unfinished runs that nothing will wake, for long enough. What happens meanwhile is read."""
    deadline = anyio.current_time() + patience_seconds
    while True:
        waiting = await log.queues.waiting_runs()
        suspects = _suspects(history, waiting)
        if not suspects or anyio.current_time() >= deadline:
            break
        await anyio.sleep(_LOOK_SECONDS)
        async for batch in log.events.read_all(after=history.position):
            for recorded in batch:
                history.take(recorded)
    return suspects


def _suspects(history: History, waiting: set[str]) -> list[Violation]:
    suspects: list[Violation] = []
    for run_id in history.unfinished:
        if run_id in waiting or (run := history.runs.get(run_id)) is None:
            continue
        if (words := why_stuck(run.state, history)) is not None:
            promise = "every unfinished run has a lease, an item or a timer"
            suspects.append(Violation(promise, subjects.run(run_id), (run.position,), words))
    return suspects


def why_stuck(run: Run, history: History) -> str | None:
    """Return why nothing will ever wake an agent for an unfinished run without an item and a timer; None where something will."""
    run_id = run.created.run_id
    if run.held:
        holder = history.agents.get(run.agent_id)
        if holder is not None and holder.status is AgentStatus.ONLINE:
            return None  # guarded by its heartbeats
        return f"Attempt {run.attempt} is held by agent {run.agent_name or run.agent_id!r}, which is not online, and no item is there."
    if run.state is StateName.PAUSED:
        if waits_for_approval(run.task_runs.values()):
            return None  # woken when a user resumes it
        return "The run is Paused, and no task run of it waits for a user."
    slots = history.slots.get(run.created.flow_group_id)
    if slots is not None and slots.free == 0 and run_id not in slots.attempts:
        return None  # woken when a slot is free
    return f"The run is {run.state}, no agent holds it, and neither an item nor a timer is there."
