"""A run that ended is executed again: what of it, and what it keeps."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import immutables
import pytest

from headwater.core.errors import IllegalTransition, InvalidArgument, NotFound
from headwater.core.events import (
    EdgeSpec,
    ResultReference,
    RunAttemptLost,
    RunCreated,
    RunFailed,
    RunRestarted,
    RunScheduled,
    StorageReference,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunMapped,
    TaskRunStarted,
    TaskRunSucceeded,
    TaskRunTriggerFailed,
)
from headwater.core.runs.commands import (
    CancelRun,
    ClaimRun,
    CreateRun,
    FinishRun,
    MarkAttemptLost,
    RecordTaskRuns,
    RestartRun,
    RunCommand,
    StartRun,
)
from headwater.core.runs.restart import NAMED_TASK_RUNS_MAX, restarted
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.runs.task_run import TaskRun, TaskRunKey
from headwater.core.states import StateName

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TASKS = ("extract", "clean", "load", "other")
EDGES = (EdgeSpec("extract", "clean", key="rows", mapped=True), EdgeSpec("clean", "load", key="rows"))
RESULT = ResultReference("LocalResult", "/r")


def creation(attempts_max: int | None = None) -> CreateRun:
    return CreateRun(
        RunCreated(
            run_id="r",
            flow_id="f",
            flow_group_id="g",
            project_id="p",
            project_name="t",
            flow_name="flow",
            flow_version=1,
            name="n",
            queue_id="q",
            storage=StorageReference(type="Local"),
        ),
        NOON,
        attempts_max,
    )


def after(*commands: RunCommand) -> Run:
    run = RULES.initial
    for command in commands:
        run = RULES.fold(RULES.decide(run, command), run)
    return run


def succeeded(slug: str, index: int = -1) -> list[TaskRunEvent]:
    return [TaskRunStarted(slug=slug, at=NOON, map_index=index), TaskRunSucceeded(slug=slug, at=NOON, map_index=index, result=RESULT)]


def failed_run(*events: TaskRunEvent) -> Run:
    end = FinishRun(1, NOON, failed=True, message="Some reference tasks failed.")
    return after(creation(), ClaimRun(1, "a"), StartRun(1, NOON), RecordTaskRuns(1, events), end)


def restart(**more: str) -> RestartRun:
    return RestartRun(NOON, TASKS, EDGES, **more)


def states(run: Run) -> dict[tuple[str, int], str]:
    return {key: str(found.state) for key, found in run.task_runs.items()}


def one_child_of_three_failed() -> Run:
    return failed_run(
        *succeeded("extract"),
        *succeeded("other"),
        TaskRunMapped(slug="clean", at=NOON, child_count=3),
        *succeeded("clean", 0),
        TaskRunStarted(slug="clean", at=NOON, map_index=1),
        TaskRunFailed(slug="clean", at=NOON, map_index=1),
        *succeeded("clean", 2),
        TaskRunTriggerFailed(slug="load", at=NOON),
    )


def test_a_restart_sends_back_what_failed_and_what_follows_it_and_nothing_else() -> None:
    run = one_child_of_three_failed()

    restarted, scheduled = RULES.decide(run, restart(reason="fixed"))

    assert restarted == RunRestarted("fixed", "", ("load",), (("clean", 1),))
    assert isinstance(scheduled, RunScheduled)
    assert scheduled.generation == 2
    again = RULES.fold([restarted, scheduled], run)
    assert (again.state, again.ended, again.failure, again.attempt) == (StateName.SCHEDULED, False, None, 1)
    assert {key for key, state in states(again).items() if state == "Pending"} == {("clean", 1), ("load", -1)}


def test_a_restart_from_a_task_repeats_it_and_all_behind_it() -> None:
    run = one_child_of_three_failed()

    again = RULES.fold(RULES.decide(run, restart(from_task="extract")), run)

    assert {key[0] for key, state in states(again).items() if state == "Pending"} == {"extract", "clean", "load"}
    assert states(again)["other", -1] == "Success"
    assert again.task_runs["extract", -1].result is None


def test_a_run_that_succeeded_is_restarted_only_from_a_task() -> None:
    end = FinishRun(1, NOON, failed=False, message="well")
    run = after(creation(), ClaimRun(1, "a"), StartRun(1, NOON), RecordTaskRuns(1, tuple(succeeded("load"))), end)

    with pytest.raises(IllegalTransition, match="succeeded"):
        RULES.decide(run, restart())
    assert RULES.fold(RULES.decide(run, restart(from_task="load")), run).state is StateName.SCHEDULED


def test_a_cancelled_run_may_be_restarted_and_then_runs() -> None:
    run = after(creation(), CancelRun(NOON), restart())

    assert not run.cancel_requested
    assert RULES.fold(RULES.decide(run, ClaimRun(run.generation, "a")), run).attempt == 1


def test_a_run_that_waits_or_runs_is_not_restarted() -> None:
    with pytest.raises(IllegalTransition, match="Scheduled"):
        RULES.decide(after(creation()), restart())
    with pytest.raises(IllegalTransition, match="Submitted"):
        RULES.decide(after(creation(), ClaimRun(1, "a")), restart())


def test_a_task_that_the_flow_has_not_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match="lod"):
        RULES.decide(one_child_of_three_failed(), restart(from_task="lod"))


def test_a_restarted_run_goes_on_counting_attempts_and_counts_losses_from_zero() -> None:
    run = after(
        creation(), ClaimRun(1, "a"), MarkAttemptLost(1, "gone", NOON), ClaimRun(1, "a"), CancelRun(NOON), MarkAttemptLost(2, "gone", NOON)
    )
    again = RULES.fold(RULES.decide(run, restart()), run)

    assert (again.attempt, again.attempts_lost) == (2, 0)
    assert RULES.fold(RULES.decide(again, ClaimRun(2, "b")), again).attempt == 3


def test_an_attempt_that_its_agent_hands_back_counts_for_nothing() -> None:
    released = [step for number in (1, 2, 3) for step in (ClaimRun(1, "a"), MarkAttemptLost(number, "stopped", NOON, released=True))]
    run = after(creation(attempts_max=1), *released, ClaimRun(1, "a"))

    assert (run.attempt, run.attempts_lost) == (4, 0)
    assert [type(event) for event in RULES.decide(run, MarkAttemptLost(4, "exit code 9", NOON))] == [RunAttemptLost, RunFailed]


def test_a_run_fails_after_as_many_lost_attempts_as_it_was_given() -> None:
    run = after(creation(attempts_max=2), ClaimRun(1, "a"), MarkAttemptLost(1, "exit code 9", NOON), ClaimRun(1, "a"))

    _, failed = RULES.decide(run, MarkAttemptLost(2, "exit code 9", NOON))

    assert isinstance(failed, RunFailed)
    assert failed.message == "Attempt 2 was lost (exit code 9); no more than 2 attempts are made."
    with pytest.raises(InvalidArgument):
        RULES.decide(RULES.initial, creation(attempts_max=0))


def sent_back(edges: tuple[EdgeSpec, ...], failed: list[TaskRunKey], from_task: str = "") -> tuple[tuple[str, ...], tuple[TaskRunKey, ...]]:
    """What a restart sends back of a flow with these edges, whose task runs `failed` did: whole tasks, and single task runs."""
    tasks = tuple(sorted({slug for edge in edges for slug in (edge.upstream, edge.downstream)}))
    task_runs = immutables.Map([(key, TaskRun(state=StateName.FAILED)) for key in failed])
    event = restarted(task_runs, RestartRun(NOON, tasks, edges, from_task))
    return event.tasks, event.task_runs


MAPPED = EdgeSpec("a", "b", key="x", mapped=True)


@pytest.mark.parametrize(
    ("edges", "failed", "tasks", "task_runs"),
    [
        pytest.param((MAPPED,), [("a", 0)], (), (("a", 0), ("b", 0)), id="a mapped child follows one child"),
        pytest.param((MAPPED,), [("a", 2), ("a", 1)], (), (("a", 1), ("a", 2), ("b", 1), ("b", 2)), id="each follows its own"),
        pytest.param((MAPPED, EdgeSpec("b", "c", mapped=True)), [("a", 1)], (), (("a", 1), ("b", 1), ("c", 1)), id="and so on"),
        pytest.param((MAPPED,), [("a", -1)], ("b",), (("a", -1),), id="all children follow a task that is none"),
        pytest.param((EdgeSpec("a", "b", mapped=True, flattened=True),), [("a", 0)], ("b",), (("a", 0),), id="flattened: of any child"),
        pytest.param((EdgeSpec("a", "b"),), [("a", 0)], ("b",), (("a", 0),), id="reduced: of all children"),
        pytest.param((MAPPED, EdgeSpec("c", "b")), [("a", 0), ("c", -1)], ("b",), (("a", 0), ("c", -1)), id="a whole task needs no names"),
    ],
)
def test_a_mapped_child_goes_back_with_the_one_child_that_it_follows_and_else_with_all(
    edges: tuple[EdgeSpec, ...], failed: list[TaskRunKey], tasks: tuple[str, ...], task_runs: tuple[TaskRunKey, ...]
) -> None:
    assert sent_back(edges, failed) == (tasks, task_runs)


def test_a_restart_from_a_task_sends_back_the_task_as_a_whole_whichever_of_its_children_failed() -> None:
    assert sent_back((MAPPED,), [("a", 1)], from_task="a") == (("a", "b"), ())


def test_a_task_that_several_paths_lead_to_keeps_no_other_from_being_sent_back() -> None:
    edges = (EdgeSpec("a", "b"), EdgeSpec("c", "d", key="x"), EdgeSpec("c", "d", key="y"))

    assert sent_back(edges, [("c", -1)], from_task="a") == (("a", "b", "d"), (("c", -1),))


def test_what_more_paths_lead_to_than_can_be_walked_is_sent_back_all_the_same() -> None:
    chain = [f"task-{n:02}" for n in range(64)]
    whole = tuple(EdgeSpec(before, after, key) for before, after in itertools.pairwise(chain) for key in "xy")
    mapped = tuple(EdgeSpec(before, after, key, mapped=True) for before, after in itertools.pairwise(chain) for key in "xy")

    assert sent_back(whole, [], from_task="task-00") == (tuple(chain), ())
    assert sent_back(mapped, [("task-00", 3)]) == ((), tuple((slug, 3) for slug in chain))


def test_more_single_task_runs_than_an_event_has_room_for_go_back_as_whole_tasks() -> None:
    edges = (EdgeSpec("a", "b", mapped=True), EdgeSpec("c", "d"))
    single = [("a", index) for index in range(NAMED_TASK_RUNS_MAX // 2)]

    tasks, task_runs = sent_back(edges, single)
    assert (tasks, len(task_runs)) == ((), NAMED_TASK_RUNS_MAX)
    assert sent_back(edges, [*single, ("c", -1)]) == (("a", "b", "c", "d"), ())
