"""Triggers: when a task runs, given the states before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, Task, task, unmapped
from headwater.sdk.language import triggers
from headwater.sdk.language.edge import Edge
from headwater.sdk.states.signals import PAUSE, SKIP, StateSignal
from headwater.sdk.states.state import Failed, Mapped, Paused, Skipped, State, Success, TriggerFailed

S, F, K, T = Success(), Failed(), Skipped(), TriggerFailed()


def verdict(trigger: Any, *states: State) -> str:
    """Return what a trigger says of these states: `runs`, or the name of the state it leads to."""
    after = Task(name="after")
    edges = {Edge(Task(name=str(number)), after): state for number, state in enumerate(states)}
    try:
        return "runs" if trigger(edges) else "does not run"
    except StateSignal as signal:
        return type(signal.state).__name__


@pytest.mark.parametrize(
    ("trigger", "states", "expected"),
    [
        (triggers.all_successful, (S, K), "runs"),
        (triggers.all_successful, (S, F), "TriggerFailed"),
        (triggers.all_successful, (T,), "TriggerFailed"),
        (triggers.all_failed, (F, T), "runs"),
        (triggers.all_failed, (F, S), "TriggerFailed"),
        (triggers.any_successful, (F, K), "runs"),
        (triggers.any_successful, (F, F), "TriggerFailed"),
        (triggers.any_failed, (S, T), "runs"),
        (triggers.any_failed, (S, K), "TriggerFailed"),
        (triggers.all_finished, (S, F, K, T), "runs"),
        (triggers.all_finished, (S, Paused()), "TriggerFailed"),
        (triggers.not_all_skipped, (S, K), "runs"),
        (triggers.not_all_skipped, (K, K), "Skipped"),
        (triggers.not_all_skipped, (K, F), "TriggerFailed"),
        (triggers.manual_only, (S,), "Paused"),
        (triggers.some_failed(at_least=1), (S, F), "runs"),
        (triggers.some_failed(at_least=2), (S, F), "TriggerFailed"),
        (triggers.some_failed(at_most=1), (F, F, S), "TriggerFailed"),
        (triggers.some_failed(at_least=0.5), (F, S), "runs"),
        (triggers.some_failed(at_least=0.5), (F, S, S), "TriggerFailed"),
        (triggers.some_successful(at_least=1.0), (S, F), "runs"),
        (triggers.some_successful(at_least=1.0), (F, F), "TriggerFailed"),
        (triggers.some_successful(at_least=1, at_most=0.5), (S, F), "runs"),
        (triggers.some_successful(at_least=2), (K, S), "runs"),
    ],
)
def test_a_trigger_decides_by_the_states_before(trigger: Any, states: tuple[State, ...], expected: str) -> None:
    assert verdict(trigger, *states) == expected


@pytest.mark.parametrize(
    "trigger",
    [
        triggers.all_successful,
        triggers.all_failed,
        triggers.any_successful,
        triggers.any_failed,
        triggers.all_finished,
        triggers.some_failed(at_least=1),
    ],
)
def test_a_task_with_nothing_before_it_runs(trigger: Any) -> None:
    assert verdict(trigger) == "runs"


@pytest.mark.parametrize("trigger", [triggers.some_failed(at_least=1), triggers.any_failed, triggers.any_successful])
def test_a_mapped_task_without_children_is_not_a_task_that_ended_well_or_badly(trigger: Any) -> None:
    assert verdict(trigger, Mapped(map_states=[])) == "TriggerFailed"
    assert verdict(triggers.some_failed(at_least=0.5), Mapped(map_states=[])) == "runs"


def test_not_all_skipped_skips_a_task_with_nothing_before_it() -> None:
    with Flow("f") as flow:
        alone = task(lambda: 1, name="alone", trigger=triggers.not_all_skipped)()

    state = flow.run().result[alone]

    assert (type(state), state.result) == (Skipped, None)


@pytest.mark.parametrize(
    ("trigger", "ends_as"),
    [
        (triggers.all_failed, TriggerFailed),
        (triggers.any_successful, Success),
        (triggers.any_failed, Success),
        (triggers.some_successful(at_least=1), Success),
        (triggers.some_failed(at_least=0.6), TriggerFailed),
        (triggers.all_successful, TriggerFailed),
    ],
)
@pytest.mark.parametrize("is_mapped", [False, True])
def test_an_argument_that_is_a_value_counts_as_a_task_that_succeeded(trigger: Any, ends_as: type[State], is_mapped: bool) -> None:
    @task(trigger=trigger)
    def tidy_up(folder: str) -> str:
        return folder

    with Flow("f") as flow:
        failed = task(lambda: 1 / 0, name="failed")()
        folder = unmapped("/tmp/x") if is_mapped else "/tmp/x"
        tidied = tidy_up.map(folder, upstream_tasks=[unmapped(failed), [1]]) if is_mapped else tidy_up(folder, upstream_tasks=[failed])

    state = flow.run().result[tidied]

    assert type(state.map_states[0] if is_mapped else state) is ends_as


@pytest.mark.parametrize("bound", [-1, "half", True])
def test_bounds_that_mean_nothing_are_refused(bound: Any) -> None:
    with pytest.raises(ValueError, match="give a count"):
        triggers.some_failed(at_least=bound)


def test_always_run_is_another_name() -> None:
    assert triggers.always_run is triggers.all_finished
    assert triggers.trigger_name(triggers.some_failed(at_least=1)) == "some_failed(at_least=1, at_most=None)"


@pytest.mark.parametrize(
    ("trigger", "final"),
    [
        (lambda states: False, TriggerFailed),
        (lambda states: 1 / 0, TriggerFailed),
        (lambda states: len(states) == 1, Success),
    ],
)
def test_a_trigger_may_be_any_function(run: Callable[..., State], trigger: Any, final: type[State]) -> None:
    with Flow("f") as flow:
        first = task(lambda: 1, name="first")()
        second = task(lambda: 2, name="second", trigger=trigger)(upstream_tasks=[first])

    assert type(run(flow).result[second]) is final


def test_a_failure_can_be_handled_by_its_trigger(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        broken = task(lambda: 1 / 0, name="broken")()
        repaired = task(lambda error: type(error).__name__, name="repaired", trigger=triggers.any_failed)(broken)

    state = run(flow)

    assert state.is_successful()
    assert state.result[repaired].result == "ZeroDivisionError"


def test_triggers_may_raise_signals() -> None:
    assert issubclass(PAUSE, StateSignal)
    assert SKIP("x").state.is_skipped()
