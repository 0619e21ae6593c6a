"""Retries, pauses, loops and time-outs, on time that jumps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import headwater
from headwater import Flow, task
from headwater.sdk.executors import ThreadExecutor
from headwater.sdk.language.decorators import pause_task
from headwater.sdk.states import signals
from headwater.sdk.states.state import Failed, Retrying, Running, State, Success, TimedOut


def failing_until(attempt: int, **settings: Any) -> Any:
    @task(**settings)
    def flaky() -> int:
        count: int = headwater.context.task_run_count
        if count < attempt:
            raise ConnectionError(f"attempt {count}")
        return count

    return flaky


def test_a_failing_task_is_tried_again_after_its_delay(run: Callable[..., State], clock: Any) -> None:
    flaky = failing_until(3, max_retries=2, retry_delay=timedelta(minutes=5))

    state = run(Flow("f", tasks=[flaky]))

    assert state.result[flaky].result == 3
    assert clock.waits == [300, 300]


def test_after_the_last_retry_it_fails_with_the_last_error(run: Callable[..., State]) -> None:
    flaky = failing_until(9, max_retries=2, retry_delay=0)

    state = run(Flow("f", tasks=[flaky])).result[flaky]

    assert type(state) is Failed
    assert str(state.result) == "attempt 3"


def test_only_the_named_exceptions_are_tried_again(run: Callable[..., State]) -> None:
    other = failing_until(2, max_retries=1, retry_delay=0, retry_on=KeyError)
    same = failing_until(2, max_retries=1, retry_delay=0, retry_on=[OSError])

    assert run(Flow("f", tasks=[other])).is_failed()
    assert run(Flow("f", tasks=[same])).is_successful()


def test_other_tasks_run_while_a_retry_waits(run: Callable[..., State]) -> None:
    order: list[str] = []
    flaky = failing_until(2, max_retries=1, retry_delay=60)
    with Flow("f") as flow:
        first = flaky()
        task(lambda: order.append("after"), name="after")(upstream_tasks=[first])
        task(lambda: order.append("independent"), name="independent")()

    assert run(flow).is_successful()
    assert order == ["independent", "after"]


def test_each_failing_signal_of_a_task_is_tried_again(run: Callable[..., State]) -> None:
    counts: list[int] = []

    @task(max_retries=1, retry_delay=0)
    def refuse(signal: Any) -> None:
        counts.append(headwater.context.task_run_count)
        raise signal("no")

    with Flow("f") as flow:
        refuse(signals.FAIL)
        refuse(signals.VALIDATIONFAIL)
        refuse(signals.TRIGGERFAIL)

    assert run(flow).is_failed()
    assert sorted(counts) == [1, 1, 1, 2, 2, 2]


def test_a_task_can_ask_for_another_try_itself(run: Callable[..., State], clock: Any) -> None:
    @task
    def not_yet() -> str:
        if headwater.context.task_run_count == 1:
            raise signals.RETRY("The file is not there.", start_time=clock.now() + timedelta(seconds=30))
        return "there"

    state = run(Flow("f", tasks=[not_yet]))

    assert state.result[not_yet].result == "there"
    assert clock.waits == [30]


def test_a_wait_longer_than_allowed_leaves_the_run_to_another_process(run: Callable[..., State], clock: Any) -> None:
    flaky = failing_until(2, max_retries=1, retry_delay=3600)
    with Flow("f") as flow:
        first = flaky()
        other = task(lambda: 1, name="other")()

    state = run(flow, longest_wait=timedelta(minutes=10))

    assert type(state) is Running
    assert type(state.result[first]) is Retrying
    assert state.result[first].start_time == clock.now() + timedelta(hours=1)
    assert state.result[other].is_successful()
    assert clock.waits == []


def test_a_loop_runs_again_with_what_it_has_so_far(run: Callable[..., State]) -> None:
    @task
    def count_down(start: int) -> list[int]:
        so_far = headwater.context.get("task_loop_result", [])
        if len(so_far) < start:
            raise signals.LOOP("once more", result=[*so_far, headwater.context.get("task_loop_count", 1)])
        return list(so_far)

    with Flow("f") as flow:
        counted = count_down(3)

    assert run(flow).result[counted].result == [1, 2, 3]


def test_a_pause_for_a_while_ends_by_itself(run: Callable[..., State], clock: Any) -> None:
    calls: list[int] = []

    @task
    def gated() -> str:
        calls.append(1)
        if not headwater.context.get("resume"):
            raise signals.PAUSE("Have a look.", start_time=clock.now() + timedelta(hours=2))
        return "looked"

    state = run(Flow("f", tasks=[gated]))

    assert state.result[gated].result == "looked"
    assert clock.waits == [7200]
    assert len(calls) == 2


def test_a_pause_without_an_end_waits_for_a_user(run: Callable[..., State]) -> None:
    gated = task(lambda: pause_task("Have a look."), name="gated")

    state = run(Flow("f", tasks=[gated]))

    assert type(state) is Running
    assert (state.result[gated].start_time, state.result[gated].message) == (None, "Have a look.")


def test_a_task_that_takes_too_long_is_interrupted(run: Callable[..., State]) -> None:
    never = threading.Event()
    slow = task(lambda: never.wait(60), name="slow", timeout=0.05)

    state = run(Flow("f", tasks=[slow])).result[slow]

    assert type(state) is TimedOut
    assert "was interrupted" in str(state.result)


def test_in_a_thread_python_code_that_takes_too_long_is_interrupted_too(run: Callable[..., State]) -> None:
    ended = threading.Event()

    @task(timeout=0.05)
    def count() -> None:
        try:
            number = 0
            while True:
                number += 1
        finally:
            ended.set()

    state = run(Flow("f", tasks=[count]), executor=ThreadExecutor(1)).result[count]

    assert type(state) is TimedOut
    assert ended.wait(60)


def test_in_a_thread_a_task_that_waits_too_long_is_left_behind(run: Callable[..., State]) -> None:
    release = threading.Event()
    slow = task(lambda: release.wait(60), name="slow", timeout=0.05)

    state = run(Flow("f", tasks=[slow]), executor=ThreadExecutor(1)).result[slow]
    release.set()

    assert type(state) is TimedOut
    assert "goes on unheeded" in str(state.result)


def test_a_task_within_its_time_returns_its_value(run: Callable[..., State]) -> None:
    quick = task(lambda: 5, name="quick", timeout=60)
    failing = task(lambda: 1 / 0, name="failing", timeout=60)

    states = run(Flow("f", tasks=[quick, failing])).result

    assert states[quick].result == 5
    assert isinstance(states[failing].result, ZeroDivisionError)


def test_handlers_see_each_change_and_may_choose_another_state(run: Callable[..., State]) -> None:
    seen: list[tuple[str, str]] = []

    def watch(_: Any, old: State, new: State) -> None:
        seen.append((type(old).__name__, type(new).__name__))

    def forgive(_: Any, __: State, new: State) -> State | None:
        return Success("forgiven") if type(new) is Failed and "attempt 2" in str(new.result) else None

    flaky = failing_until(9, max_retries=1, retry_delay=0, state_handlers=[watch, forgive])

    state = run(Flow("f", tasks=[flaky]))

    assert state.is_successful()
    assert seen == [
        ("Pending", "Running"),
        ("Running", "Failed"),
        ("Failed", "Retrying"),
        ("Retrying", "Running"),
        ("Running", "Failed"),
    ]


def test_on_failure_is_called_for_flow_and_task(run: Callable[..., State]) -> None:
    told: list[str] = []
    broken = task(lambda: 1 / 0, name="broken", on_failure=lambda which, state: told.append(f"{which.name}: {state.message}"))
    flow = Flow("f", tasks=[broken], on_failure=lambda which, state: told.append(f"{which.name}: {state.message}"))

    run(flow)

    assert told == ["broken: Error during execution of task: ZeroDivisionError('division by zero')", "f: Some reference tasks failed."]


def test_a_handler_that_raises_fails_what_it_watches(run: Callable[..., State]) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("handler")

    watched = task(lambda: 1, name="watched", state_handlers=[broken])
    flow = Flow("f", tasks=[watched])

    state = run(flow)

    assert state.is_failed()
    assert "state handlers" in str(state.result[watched].message)


def test_a_terminal_state_handler_has_the_last_word(run: Callable[..., State]) -> None:
    def forgive(flow: Flow, state: State, references: set[State]) -> State:
        return Success(f"{flow.name} forgave {len(references)} after {type(state).__name__}")

    flow = Flow("f", tasks=[task(lambda: 1 / 0, name="broken")], terminal_state_handler=forgive)

    assert run(flow).message == "f forgave 1 after Failed"


@pytest.mark.parametrize("signal", [signals.SUCCESS, signals.SKIP])
def test_a_signal_chooses_the_state(run: Callable[..., State], signal: type[signals.StateSignal]) -> None:
    @task
    def choose() -> None:
        raise signal("chosen", result=3)

    state = run(Flow("f", tasks=[choose])).result[choose]

    assert (type(state), state.message, state.result) == (signal.state_class, "chosen", 3)


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_loop_that_fails_is_tried_again_in_the_same_round_as_often_as_it_may_be(run: Callable[..., State], retries: int) -> None:
    rounds: list[tuple[int, int, Any]] = []

    @task(max_retries=retries, retry_delay=0 if retries else None)
    def count() -> None:
        context = headwater.context
        round_number = context.get("task_loop_count", 1)
        rounds.append((context.task_run_count, round_number, context.get("task_loop_result")))
        if round_number < 3:
            raise signals.LOOP(result=round_number * 10)
        raise ValueError("the third round fails, always")

    state = run(Flow("f", tasks=[count])).result[count]

    assert type(state) is Failed
    assert rounds == [(1, 1, None), (1, 2, 10), *((number, 3, 20) for number in range(1, retries + 2))]
