"""Objects and functions of users that raise whatever is asked of them: their task fails, and the run goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from harness.hostile import BAD, ENDS, GOOD, HARMFUL, TASKS, Hostile, HostileError, InterruptingError, Quitting, QuittingError

from headwater import Flow, case, switch, task
from headwater.sdk.context import interrupts
from headwater.sdk.executors import DaskExecutor, Executor, LocalExecutor, ProcessExecutor, ThreadExecutor
from headwater.sdk.language.cache_validators import all_inputs
from headwater.sdk.language.conditional import merge
from headwater.sdk.language.filter import FilterTask
from headwater.sdk.language.triggers import all_finished
from headwater.sdk.results import Result
from headwater.sdk.states import signals
from headwater.sdk.states.state import Failed, Retrying, State, Success


@pytest.fixture(autouse=True)
def no_user_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the process of a run: an interrupt that did not come from outside is the task's own."""
    monkeypatch.setattr(interrupts, "_came", lambda: False)


@task(trigger=all_finished, skip_on_upstream_skip=False)
def clean_up() -> str:
    return "clean"


EXECUTORS = [LocalExecutor(), ThreadExecutor(4), ProcessExecutor(2), DaskExecutor(cluster_kwargs={"n_workers": 1})]


@pytest.mark.parametrize("executor", EXECUTORS, ids=lambda it: type(it).__name__)
def test_hostile_tasks_end_as_they_must_wherever_they_are_executed(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    names = sorted(TASKS.keys() - HARMFUL - {"goes_without_end_of_calls"})
    with Flow("hostile", executor=executor) as flow:
        for name in names:
            hostile = TASKS[name].copy(max_retries=1, retry_delay=0) if ENDS[name] == BAD else TASKS[name].copy()
            flow.add_task(hostile)
            clean_up(upstream_tasks=[hostile], task_args={"name": f"after {name}"})

    # Handlers of the tests themselves raise what a line raises, and cannot carry all text from process to process.
    monkeypatch.setattr(logging.getLogger("headwater"), "propagate", False)
    states = {each.name: state for each, state in flow.run().result.items()}

    after = {name: type(states[f"after {name}"]).__name__ for name in names}
    assert after == dict.fromkeys(names, "Success")
    # What cannot be sent back from another process fails there; without a backend, inline results are not kept.
    may_differ = {name for name in names if name.startswith("returns_") or name == "logs_megabytes"}
    ends = {name: GOOD if states[name].is_successful() else BAD for name in names if name not in may_differ}
    assert ends == {name: ENDS[name] for name in names if name not in may_differ}


class HostileResult(Result):
    def write(self, value_: Any, **_: Any) -> Result:
        raise QuittingError

    def exists(self, location: str, **_: Any) -> bool:
        raise SystemExit

    def read(self, location: str) -> Result:
        raise HostileError


def raises(error: type[BaseException]) -> Callable[..., Any]:
    def function(*_: Any, **__: Any) -> Any:
        raise error

    return function


def returns(value: Callable[[], Any]) -> Callable[..., Any]:
    return lambda *_, **__: value()


class HostileList(list[int]):
    def __iter__(self) -> Any:
        raise QuittingError

    __len__ = __iter__


def signal_without_state() -> None:
    signal = signals.SKIP("no")
    signal.state = 5  # type: ignore[assignment]
    raise signal


class HostileState(Success):
    @property
    def message(self) -> str:
        raise RuntimeError

    @message.setter
    def message(self, _: Any) -> None:
        pass


def mapped(value: Callable[[], Any]) -> Any:
    return task(lambda x: x, name="hostile").map(task(value, name="source")())


def flattened(value: Callable[[], Any]) -> Any:
    from headwater import flatten

    return task(lambda x: x, name="hostile").map(flatten(task(value, name="source")()))


def endless_in_the_end() -> Any:
    yield from range(3)
    raise QuittingError


def made(**settings: Any) -> Callable[[], Any]:
    return task(lambda: 1, name="hostile", **settings)


def with_input(value: Callable[[], Any], **settings: Any) -> Callable[[], Any]:
    return lambda: task(lambda x: None, name="hostile", **settings)(task(value, name="source")())


def decided_by(value: Callable[[], Any]) -> Callable[[], Any]:
    def build() -> Any:
        decision = task(value, name="source")()
        with case(decision, 1):
            one = task(lambda: 1, name="one")()
        with case(decision, Hostile):
            other = task(lambda: 2, name="two")()
        return merge(one, other)

    return build


ERRORS = (HostileError, QuittingError, InterruptingError, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError)
PARTS: dict[str, Callable[[], Any]] = {
    **{f"a trigger raises {error.__name__}": made(trigger=raises(error)) for error in ERRORS},
    "a trigger gives a hostile answer": made(trigger=returns(Hostile)),
    **{f"a handler raises {error.__name__}": made(state_handlers=[raises(error)]) for error in ERRORS},
    "a handler returns no state": made(state_handlers=[returns(lambda: "text")]),
    "a handler returns what is hostile": made(state_handlers=[returns(Hostile)]),
    "a handler retries at no time": made(state_handlers=[lambda _, __, new: Retrying(start_time="soon") if new.is_failed() else new]),  # type: ignore[arg-type]
    **{f"a name raises {error.__name__}": made(task_run_name=raises(error)) for error in ERRORS},
    "a name is hostile": made(task_run_name=returns(Hostile)),
    "a target is hostile": made(target=returns(Quitting)),
    "a result raises": made(result=HostileResult(location="x"), target="x"),
    "elements are hostile": lambda: mapped(lambda: [Hostile(), Quitting()]),
    "a list is hostile": lambda: mapped(lambda: HostileList()),  # noqa: PLW0108 - as a function it takes an argument by position
    "what is mapped is hostile": lambda: mapped(Hostile),
    "a generator raises": lambda: mapped(endless_in_the_end),
    "what is flattened is hostile": lambda: flattened(lambda: [[1], Hostile()]),
    "what is flattened quits": lambda: flattened(lambda: [Quitting()]),
    "an input is hostile": with_input(Hostile),
    "an input of a cached task is hostile": with_input(Hostile, cache_for=timedelta(hours=1), cache_validator=all_inputs),
    "an input of a cached task quits": with_input(Quitting, cache_for=timedelta(hours=1)),
    "a validator raises": with_input(lambda: 1, cache_for=timedelta(hours=1), cache_validator=raises(SystemExit)),
    "a condition is hostile": decided_by(Hostile),
    "a condition quits": decided_by(Quitting),
    "a switch is hostile": lambda: switch(task(Hostile, name="source")(), {1: task(lambda: 1, name="one")(), 2: task(lambda: 2)()}),
    "a filter is hostile": lambda: FilterTask(filter_func=raises(QuittingError))(task(lambda: [1, 2], name="source")()),
    "a list of hostile things": lambda: task(lambda x: x, name="hostile")([task(Hostile, name=f"source {i}")() for i in range(3)]),
    "a state with hostile words": task(HostileState, name="hostile"),
    "a signal with a hostile state": task(signal_without_state, name="hostile"),
    "an operator on what is hostile": lambda: task(Hostile, name="source")() + task(Quitting, name="other")(),
    "an item of what is hostile": lambda: task(Hostile, name="source")()[0],
}


@pytest.mark.parametrize("name", PARTS)
def test_the_run_goes_on_whatever_a_part_of_it_raises(name: str, home: Path) -> None:
    with Flow("hostile") as flow:
        PARTS[name]()
        last = list(flow.tasks)
        cleaned = clean_up(upstream_tasks=last)

    state = flow.run()

    assert state.is_finished()
    assert state.result[cleaned].result == "clean"


@pytest.mark.parametrize("function", [*map(raises, ERRORS), returns(lambda: "no state"), returns(Hostile)])
def test_a_terminal_state_handler_cannot_take_the_end_of_a_run_away(function: Callable[..., Any]) -> None:
    flow = Flow("hostile", tasks=[task(lambda: 1, name="one")], terminal_state_handler=function)

    state: State = flow.run()

    assert type(state) is Failed
    assert state.message == "Exception raised while calling the terminal state handler."
