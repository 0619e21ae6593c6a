"""No history of random commands reaches an illegal transition, and `evolve` never fails on what `decide` gave.

The machine keeps what is true of every run in a small model of its own, apart from the rules, and compares after each step.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from headwater.core.errors import CommandRejected
from headwater.core.events import (
    AnyEvent,
    EdgeSpec,
    RunAttemptLost,
    RunCancelled,
    RunCreated,
    RunDeleted,
    RunFailed,
    RunPaused,
    RunRenamed,
    RunRestarted,
    RunScheduled,
    RunStateSet,
    RunSubmitted,
    RunSucceeded,
    StorageReference,
    TaskRunEvent,
    TaskRunPaused,
    TaskRunStateSet,
    TaskRunSucceeded,
)
from headwater.core.log.codec import decode, encode
from headwater.core.log.commit import new_commit
from headwater.core.runs import set_state
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    ConfirmCancelled,
    CreateRun,
    DeleteRun,
    FailUnstartedRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RenameRun,
    RescheduleRun,
    RestartRun,
    ResumeTaskRuns,
    RunCommand,
    SetRunState,
    SetTaskRunState,
    StartRun,
    SuspendRun,
)
from headwater.core.runs.rules import RULES
from headwater.core.runs.task_run import STATE_AFTER
from headwater.core.states import FINAL, SUCCESSFUL, StateName
from headwater.core.values.identifiers import new_id

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CREATE = CreateRun(
    RunCreated(
        run_id=new_id(),
        flow_id=new_id(),
        flow_group_id=new_id(),
        project_id=new_id(),
        project_name="t",
        flow_name="flow",
        flow_version=1,
        name="n",
        queue_id="q",
        storage=StorageReference(type="Local"),
    ),
    NOON,
)
ENDS = (RunSucceeded, RunFailed, RunCancelled)
TASKS = ("a-1", "b-1")
EDGES = (EdgeSpec("a-1", "b-1", key="x", mapped=True),)
EXTRA = {"due_at": NOON, "run_count": 2, "child_count": 3, "loop_count": 1}

attempts = st.integers(0, 4)
keys = st.tuples(st.sampled_from([*TASKS, "no-such-task"]), st.sampled_from([-1, 0]))
task_events = st.builds(
    lambda kind, slug, index: kind(
        slug=slug,
        at=NOON,
        map_index=index,
        **{key: value for key, value in EXTRA.items() if key in kind.__struct_fields__},
    ),
    st.sampled_from(sorted(STATE_AFTER, key=lambda kind: kind.__name__)),
    st.sampled_from(["a-1", "b-1"]),
    st.sampled_from([-1, 0]),
)
commands: st.SearchStrategy[RunCommand] = st.one_of(
    st.just(CREATE),
    st.builds(ClaimRun, st.integers(0, 3), st.sampled_from(["agent-1", "agent-2"])),
    st.builds(MarkAttemptLost, attempts, st.just("gone"), st.just(NOON), st.integers(1, 3), released=st.booleans()),
    st.builds(StartRun, attempts, st.just(NOON)),
    st.builds(RecordTaskRuns, attempts, st.lists(task_events, max_size=4).map(tuple)),
    st.builds(FinishRun, attempts, st.just(NOON), st.booleans(), st.just("done")),
    st.builds(FailUnstartedRun, st.just(NOON), st.just("no storage"), attempts),
    st.builds(CancelRun, st.just(NOON)),
    st.builds(ConfirmCancelled, attempts, st.just(NOON)),
    st.builds(RescheduleRun, st.just(NOON + timedelta(hours=1))),
    st.builds(RestartRun, st.just(NOON), st.just(TASKS), st.just(EDGES), st.sampled_from(["", *TASKS, "no-such-task"]), st.just("again")),
    st.builds(SuspendRun, attempts, st.just(NOON), st.sampled_from([None, NOON + timedelta(hours=1)]), st.just("later")),
    st.builds(ResumeTaskRuns, st.just(NOON), st.lists(keys, max_size=2).map(tuple), st.just("go on")),
    st.builds(
        lambda state, start: SetRunState(NOON, state, "by hand", start, TASKS, EDGES),
        st.sampled_from(set_state.RUN_STATES),
        st.sampled_from([None, NOON + timedelta(hours=1)]),
    ),
    st.builds(
        lambda key, state: SetTaskRunState(NOON, key[0], key[1], state, "by hand", TASKS), keys, st.sampled_from(set_state.TASK_RUN_STATES)
    ),
    st.builds(RenameRun, st.sampled_from(["n", "m"])),
    st.builds(DeleteRun, st.just("a trial")),
)


class RunMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[AnyEvent] = []
        self.run = RULES.initial

    def perform(self, command: RunCommand) -> None:
        try:
            events = RULES.decide(self.run, command)
        except CommandRejected:
            return
        self.events.extend(events)
        self.run = RULES.fold(events, self.run)

    @rule(command=commands)
    def anybody_asks_anything(self, command: RunCommand) -> None:
        self.perform(command)

    @precondition(lambda self: not self.run.exists)
    @rule()
    def a_client_creates_the_run(self) -> None:
        self.perform(CREATE)

    @precondition(lambda self: self.run.state is StateName.SCHEDULED)
    @rule()
    def an_agent_takes_it(self) -> None:
        self.perform(ClaimRun(self.run.generation, "agent-1"))

    @precondition(lambda self: self.run.held)
    @rule(events=st.lists(task_events, max_size=3).map(tuple))
    def its_attempt_goes_on(self, events: tuple[TaskRunEvent, ...]) -> None:
        self.perform(StartRun(self.run.attempt, NOON))
        self.perform(RecordTaskRuns(self.run.attempt, events))

    @precondition(lambda self: self.run.state is StateName.RUNNING)
    @rule(slug=st.sampled_from(TASKS), due=st.sampled_from([None, NOON + timedelta(hours=1)]))
    def its_attempt_leaves_it_to_a_later_one(self, slug: str, due: datetime | None) -> None:
        self.perform(RecordTaskRuns(self.run.attempt, (TaskRunPaused(slug=slug, at=NOON, due_at=due),)))
        self.perform(SuspendRun(self.run.attempt, NOON, due, "later"))

    def lives(self) -> list[list[AnyEvent]]:
        """The history, cut where the run was restarted or its state was set manually."""
        lives: list[list[AnyEvent]] = [[]]
        for event in self.events:
            if isinstance(event, RunRestarted | RunStateSet):
                lives.append([])
            lives[-1].append(event)
        return lives

    @invariant()
    def nothing_changes_a_run_that_has_ended_but_its_name_its_deletion_and_people(self) -> None:
        for life in self.lives():
            ends = [index for index, event in enumerate(life) if isinstance(event, ENDS)]
            assert len(ends) <= 1
            assert all(isinstance(event, RunRenamed | RunDeleted | TaskRunStateSet) for end in ends for event in life[end + 1 :])
        assert self.run.ended is bool(ends)

    @invariant()
    def nothing_follows_the_deletion_of_a_run(self) -> None:
        assert not any(isinstance(event, RunDeleted) for event in self.events[:-1])

    @invariant()
    def attempts_grow_by_one_and_each_is_lost_at_most_once(self) -> None:
        claimed = [event.attempt for event in self.events if isinstance(event, RunSubmitted)]
        lost = [event.attempt for event in self.events if isinstance(event, RunAttemptLost)]
        assert claimed == list(range(1, len(claimed) + 1))
        assert len(set(lost)) == len(lost)
        assert set(lost) <= set(claimed)
        for life in self.lives():
            left = sum(isinstance(event, RunAttemptLost | RunPaused | RunScheduled) for event in life[1:])
            assert sum(isinstance(event, RunSubmitted) for event in life) <= left + 1

    @invariant()
    def a_task_run_succeeds_at_most_once_in_a_life(self) -> None:
        succeeded: set[tuple[str, int]] = set()
        for event in self.events:
            if isinstance(event, RunRestarted):
                succeeded.clear()
            elif isinstance(event, TaskRunStateSet):
                succeeded.discard((event.slug, event.map_index))
            elif isinstance(event, TaskRunSucceeded):
                assert (event.slug, event.map_index) not in succeeded
                succeeded.add((event.slug, event.map_index))

    @invariant()
    def a_run_is_paused_only_while_a_task_run_of_it_waits_for_people(self) -> None:
        waiting = [found for found in self.run.task_runs.values() if found.state is StateName.PAUSED and found.due_at is None]
        assert waiting or self.run.state is not StateName.PAUSED

    @invariant()
    def no_state_is_set_under_an_attempt(self) -> None:
        run = RULES.initial
        for event in self.events:
            assert not (run.held and isinstance(event, RunStateSet | TaskRunStateSet))
            run = RULES.evolve(run, event)

    @invariant()
    def a_restarted_run_waits_with_nothing_that_failed_before(self) -> None:
        if len(self.events) > 1 and isinstance(self.events[-2], RunRestarted):
            assert (self.run.state, self.run.cancel_requested, self.run.failure) == (StateName.SCHEDULED, False, None)
            assert {found.state for found in self.run.task_runs.values()} <= SUCCESSFUL | {StateName.PENDING}

    @invariant()
    def a_run_that_is_held_runs_and_an_ended_one_is_not_held(self) -> None:
        held = {StateName.SUBMITTED, StateName.RUNNING, StateName.CANCELLING}
        assert self.run.held is (self.run.state in held)
        assert not (self.run.held and self.run.state in FINAL)

    @invariant()
    def the_stored_history_folds_to_the_same_run(self) -> None:
        commit = new_commit(self.events, at=NOON, actor="test", commit_id="c")
        assert RULES.fold(decode(encode(commit)).events) == self.run


RunMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestRunRules = RunMachine.TestCase
