"""What a recorder receives, and what it can answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater import Flow, task, unmapped
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.engine.recorder import PriorAttempt
from headwater.sdk.language.triggers import manual_only
from headwater.sdk.results import LocalResult
from headwater.sdk.states import signals
from headwater.sdk.states.state import Cancelled, Paused, Resume, Retrying, Running, State, Submitted, Success


class Notes:
    """A recorder that writes everything down; `finished` are states from an earlier attempt."""

    def __init__(self, finished: dict[tuple[str, int], State] | None = None, stop_after: int | None = None) -> None:
        self.flow_changes: list[tuple[str, str]] = []
        self.task_changes: list[tuple[str, int, str, str, int]] = []
        self.states: list[State] = []
        self.finished = finished or {}
        self.stop_after = stop_after

    def flow_run_changed(self, old: State, new: State) -> None:
        self.flow_changes.append((type(old).__name__, type(new).__name__))

    def task_run_changed(self, task_slug: str, map_index: int, old: State, new: State, run_count: int) -> None:
        self.task_changes.append((task_slug, map_index, type(old).__name__, type(new).__name__, run_count))
        self.states.append(new)

    def task_run_named(self, task_slug: str, map_index: int, name: str) -> None: ...

    def prior_attempt(self, task_slug: str, map_index: int) -> PriorAttempt:
        return PriorAttempt()

    def resumed(self) -> list[tuple[str, int]]:
        return []

    def already_finished(self, task_slug: str, map_index: int) -> State | None:
        return self.finished.get((task_slug, map_index))

    def should_stop(self) -> bool:
        return self.stop_after is not None and len(self.task_changes) >= self.stop_after


@task
def one() -> int:
    return 1


def test_every_change_is_recorded_in_order(run: Callable[..., State]) -> None:
    notes = Notes()
    with Flow("f") as flow:
        task(lambda x: x, name="same")(one())

    run(flow, recorder=notes)

    assert notes.flow_changes == [("Pending", "Running"), ("Running", "Success")]
    assert notes.task_changes == [
        ("one-1", -1, "Pending", "Running", 1),
        ("one-1", -1, "Running", "Success", 1),
        ("same-1", -1, "Pending", "Running", 1),
        ("same-1", -1, "Running", "Success", 1),
    ]


def test_a_failure_that_is_tried_again_is_one_change_with_the_error(run: Callable[..., State]) -> None:
    notes = Notes()

    @task(max_retries=1, retry_delay=5)
    def flaky() -> None:
        if headwater.context.task_run_count == 1:
            raise ConnectionError("gone")

    run(Flow("f", tasks=[flaky]), recorder=notes)

    assert [change[2:] for change in notes.task_changes] == [
        ("Pending", "Running", 1),
        ("Running", "Retrying", 1),
        ("Retrying", "Running", 2),
        ("Running", "Success", 2),
    ]
    assert isinstance(notes.states[1].result, ConnectionError)


def test_a_mapped_task_is_recorded_before_its_children_and_each_child_by_index(run: Callable[..., State]) -> None:
    notes = Notes()
    with Flow("f") as flow:
        task(lambda x: x, name="same").map([1, 2])

    run(flow, recorder=notes)

    assert [change[:2] + change[3:] for change in notes.task_changes if change[0] == "same-1"] == [
        ("same-1", -1, "Mapped", 0),
        ("same-1", 0, "Running", 1),
        ("same-1", 0, "Success", 1),
        ("same-1", 1, "Running", 1),
        ("same-1", 1, "Success", 1),
    ]
    assert [state.n_map_states for state in notes.states if state.is_mapped()] == [2]  # type: ignore[attr-defined]


def test_a_loop_is_recorded_each_time(run: Callable[..., State]) -> None:
    notes = Notes()

    @task
    def twice() -> None:
        if headwater.context.get("task_loop_count", 1) < 2:
            raise signals.LOOP(result=1)

    run(Flow("f", tasks=[twice]), recorder=notes)

    assert [change[3:] for change in notes.task_changes] == [("Running", 1), ("Looped", 1), ("Running", 1), ("Success", 1)]


def test_what_finished_before_is_not_executed_again(run: Callable[..., State], tmp_path: Path) -> None:
    kept = LocalResult(tmp_path).write(20, flow_name="f", flow_run_id="r", task_slug="source-1")
    by_location = LocalResult(tmp_path, location=kept.location)
    notes = Notes({("source-1", -1): Success(result=by_location), ("child-1", 1): Success(result="from before")})

    with Flow("f") as flow:
        source = task(lambda: pytest.fail("executed again"), name="source")()
        child = task(lambda x, y: (x, y), name="child").map([1, 2], unmapped(source))

    state = run(flow, recorder=notes)

    assert state.is_successful()
    assert state.result[child].result == [(1, 20), "from before"]
    assert not [change for change in notes.task_changes if change[0] == "source-1" or change[:2] == ("child-1", 1)]


def test_a_retry_is_taken_up_where_it_was_left(run: Callable[..., State], clock: Any) -> None:
    later = clock.now() + timedelta(minutes=3)
    notes = Notes({("counted-1", -1): Retrying(start_time=later, run_count=2)})
    counted = task(lambda: headwater.context.task_run_count, name="counted")

    state = run(Flow("f", tasks=[counted]), recorder=notes)

    assert state.result[counted].result == 3
    assert sum(clock.waits) == 180
    assert notes.task_changes[0] == ("counted-1", -1, "Retrying", "Running", 3)


@pytest.mark.parametrize(("left", "ends"), [(Resume(), Success), (Paused("held"), Running)])
def test_a_held_task_goes_on_once_a_user_resumed_it(run: Callable[..., State], left: State, ends: type[State]) -> None:
    held = task(lambda: 1, name="held", trigger=manual_only)

    assert type(run(Flow("f", tasks=[held]), recorder=Notes({("held-1", -1): left}))) is ends


def test_a_task_whose_result_can_no_longer_be_read_runs_again(run: Callable[..., State], tmp_path: Path) -> None:
    notes = Notes({("source-1", -1): Success(result=LocalResult(tmp_path, location="gone"))})
    with Flow("f") as flow:
        last = task(lambda x: x, name="last")(task(lambda: 1, name="source")())

    assert run(flow, recorder=notes).result[last].result == 1


def test_nothing_starts_after_the_recorder_said_stop(run: Callable[..., State]) -> None:
    notes = Notes(stop_after=2)
    with Flow("f") as flow:
        one()
        one()

    state = run(flow, recorder=notes)

    assert type(state) is Cancelled
    assert len(notes.task_changes) == 2
    assert notes.flow_changes == [("Pending", "Running")]


def test_an_error_of_the_recorder_ends_the_run() -> None:
    class Fenced(Notes):
        def task_run_changed(self, *_: Any) -> None:
            raise PermissionError("another attempt has the run")

    with pytest.raises(PermissionError):
        FlowRunner(Flow("f", tasks=[one]), recorder=Fenced()).run()


def test_the_run_begins_in_the_state_and_context_it_is_given(run: Callable[..., State]) -> None:
    notes = Notes()
    known = task(lambda: (headwater.context.flow_run_id, headwater.context.project_name, headwater.context.parameters), name="known")
    runner = FlowRunner(Flow("f", tasks=[known]), recorder=notes)

    state = runner.run({"p": 1}, context={"flow_run_id": "r-1", "project_name": "tutorial"}, state=Submitted())

    assert state.result[known].result == ("r-1", "tutorial", {"p": 1})
    assert notes.flow_changes[0] == ("Submitted", "Running")


def test_results_are_kept_where_the_run_checkpoints(run: Callable[..., State], tmp_path: Path) -> None:
    with Flow("Hello, World!", result=LocalResult(tmp_path)) as flow:
        kept = task(lambda x: x + 1, name="kept").map([1, 2])
        own = task(lambda: 5, name="own", result=LocalResult(tmp_path, location="chosen-{flow_run_id}"))()
        not_kept = task(lambda: 6, name="not kept", checkpoint=False)()
        nothing = task(lambda: None, name="nothing")()

    state = FlowRunner(flow).run(context={"checkpointing": True, "flow_run_id": "r", "attempt": 2})

    first = state.result[kept].map_states[0]._result
    assert (first.value, first.location) == (2, str(tmp_path / "hello-world" / "r" / "kept-1-0-2"))
    assert LocalResult(tmp_path).read(first.location).value == 2
    assert LocalResult(tmp_path).exists("chosen-{flow_run_id}", flow_run_id="r")
    assert state.result[own]._result.location == str(tmp_path / "chosen-r")
    assert [state.result[each]._result.location for each in (not_kept, nothing)] == [None, None]
