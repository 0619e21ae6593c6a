"""What the run monitor knows, folded from the log: unfinished runs and who holds them, agents, and the slots of limited flows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from msgspec.structs import replace

from headwater.core.agents.state import AgentStatus
from headwater.core.events import (
    AgentLost,
    AgentRegistered,
    AgentStopped,
    AnyEvent,
    RunCancelled,
    RunCreated,
    RunFailed,
    RunRestarted,
    RunSucceeded,
)
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded
from headwater.core.operations.run_lookup import may_tell_of_runs
from headwater.core.runs import run_head
from headwater.core.runs.run_head import RunHead
from headwater.core.slots import rules as slot_rules
from headwater.core.slots.state import Slots


@dataclass(slots=True)
class IndexedAgent:
    """An agent. `registered` is how it last registered, where that is known."""

    agent_id: str
    status: AgentStatus = AgentStatus.UNKNOWN
    registered: AgentRegistered | None = None


@dataclass
class RunIndex:
    """Folds commits of any subject, in order; those that tell nothing here are passed over undecoded."""

    runs: dict[str, RunHead] = field(default_factory=dict)
    agents: dict[str, IndexedAgent] = field(default_factory=dict)
    slots: dict[str, Slots] = field(default_factory=dict)
    unread: dict[str, Position] = field(default_factory=dict)
    """Runs that were restarted after they had been let go of: to be read from the log up to here or later, and given to `watch`."""
    released: set[str] = field(default_factory=set)
    """Runs that waited for another run of their schedule, of which one has ended: whether they still have to wait is to be found out."""
    position: Position = 0
    _read_to: dict[str, Position] = field(default_factory=dict)
    """How far those runs were read: what happened to them before is not to be folded once more, over what came of it."""
    _queued: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The runs that wait for another one of their schedule, by the schedule."""
    _held_by: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _of_group: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def fold(self, recorded: Recorded) -> list[tuple[str, AnyEvent]]:
        """Take a commit in. Returns the events that the run monitor may have to act on, each with the id of what it is about."""
        self.position = recorded.position
        address = subjects.parse(recorded.subject)
        if address is None or address.kind not in {"run", "agent", "slots"}:
            return []
        kind, about = address
        if kind == "run" and not may_tell_of_runs(recorded.data):
            return []
        if recorded.position <= self._read_to.get(about, 0):
            return []
        for event in recorded.events:
            if kind == "run":
                self._fold_run(about, event)
            elif kind == "agent":
                self._fold_agent(about, event)
            else:
                self.slots[about] = slot_rules.RULES.evolve(self.slots.get(about, slot_rules.RULES.initial), event)
        return [(about, event) for event in recorded.events]

    def _fold_run(self, run_id: str, event: AnyEvent) -> None:
        if isinstance(event, RunCreated):
            # What it was given decides nothing here, and may be large.
            event = replace(event, parameters={}, context={}, run_config={})
            self._of_group[event.flow_group_id].add(run_id)
            self._note_queued(event)
        before = RunHead() if isinstance(event, RunCreated) else self.runs.get(run_id)
        if before is None:
            if isinstance(event, RunSucceeded | RunFailed | RunCancelled):
                self.unread.pop(run_id, None)
            elif isinstance(event, RunRestarted) or run_id in self.unread:
                self.unread[run_id] = self.position
            return
        after = self.runs[run_id] = run_head.evolve(before, event)
        if before.held and (not after.held or before.agent_id != after.agent_id):
            self._let_go(run_id, before.agent_id)
        if after.held:
            self._held_by[after.agent_id].add(run_id)
        if after.ended:
            self.forget(run_id)

    def _let_go(self, run_id: str, agent_id: str) -> None:
        held = self._held_by.get(agent_id, set())
        held.discard(run_id)
        if not held:
            self._held_by.pop(agent_id, None)

    def _fold_agent(self, agent_id: str, event: AnyEvent) -> None:
        agent = self.agents.setdefault(agent_id, IndexedAgent(agent_id))
        match event:
            case AgentRegistered():
                agent.status, agent.registered = AgentStatus.ONLINE, event
            case AgentStopped():
                agent.status = AgentStatus.STOPPED
                if agent_id not in self._held_by:
                    del self.agents[agent_id]
            case AgentLost():
                agent.status = AgentStatus.LOST
            case _:
                pass

    def forget(self, run_id: str) -> None:
        """Watch a run no more that has ended."""
        self._read_to.pop(run_id, None)
        run = self.runs.pop(run_id, None)
        if run is None:
            return
        self._release_after(run.created)
        group = self._of_group[run.created.flow_group_id]
        group.discard(run_id)
        if not group:
            del self._of_group[run.created.flow_group_id]

    def _note_queued(self, created: RunCreated) -> None:
        scheduled_by = created.scheduled_by
        if scheduled_by is not None and scheduled_by.after_run_id is not None:
            self._queued[scheduled_by.schedule_id].add(created.run_id)

    def _release_after(self, created: RunCreated) -> None:
        """Note which runs may start now that this one of their schedule has ended."""
        if created.scheduled_by is None or created.scheduled_by.schedule_id not in self._queued:
            return
        queued = self._queued[created.scheduled_by.schedule_id]
        queued.discard(created.run_id)
        self.released |= {run_id for run_id in queued if not self._waits_for_one_that_goes_on(run_id)}
        if not queued:
            del self._queued[created.scheduled_by.schedule_id]

    def _waits_for_one_that_goes_on(self, run_id: str) -> bool:
        run = self.runs.get(run_id)
        return run is not None and run.queued_after in self.runs

    def watch(self, run: RunHead, read_to: Position) -> None:
        """Take in a run as the log has it up to there."""
        run_id = run.created.run_id
        self.unread.pop(run_id, None)
        self._read_to[run_id] = read_to
        self.runs[run_id] = run
        self._of_group[run.created.flow_group_id].add(run_id)
        if run.queued_after is not None:
            self._note_queued(run.created)
        if run.held:
            self._held_by[run.agent_id].add(run_id)

    def held_by(self, agent_id: str) -> list[RunHead]:
        """Return the runs that are the agent's now, by the log."""
        return [self.runs[run_id] for run_id in sorted(self._held_by.get(agent_id, ()))]

    def holders(self) -> list[str]:
        """Return the agents that hold runs."""
        return list(self._held_by)

    def of_group(self, group_id: str) -> list[RunHead]:
        """Return the flow's unfinished runs."""
        return [self.runs[run_id] for run_id in sorted(self._of_group.get(group_id, ()))]

    def waiting(self) -> list[RunHead]:
        """Return the runs that an agent must be woken for."""
        return [run for run in self.runs.values() if run.waits]

    def is_kept_waiting(self, run: RunHead) -> bool:
        """Tell whether the run has no slot and cannot have one now: no agent is to be woken for it before one is free."""
        found = self.slots.get(run.created.flow_group_id)
        return found is not None and found.free == 0 and run.created.run_id not in found.attempts
