"""What `flow.run()` does without any server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

import headwater
from headwater import Flow, Parameter, task
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.language.triggers import all_finished
from headwater.sdk.states.signals import ENDRUN, FAIL, SKIP
from headwater.sdk.states.state import Cancelled, Failed, Running, Skipped, State, Success, TimedOut, TriggerFailed


@task
def one() -> int:
    return 1


@task
def fail() -> None:
    raise ValueError("no")


def test_the_first_flow_logs_five_lines(capsys: pytest.CaptureFixture[str]) -> None:
    @task
    def say_hello() -> None:
        headwater.context.get("logger").info("Hello, Cloud!")

    with Flow("hello-flow") as flow:
        said = say_hello()
    state = flow.run()

    lines = capsys.readouterr().out.splitlines()
    assert all(re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4}\] INFO - headwater\.", line) for line in lines)
    assert [line.partition(" - headwater.")[2] for line in lines] == [
        "FlowRunner | Beginning Flow run for 'hello-flow'",
        "TaskRunner | Task 'say_hello': Starting task run...",
        "say_hello | Hello, Cloud!",
        "TaskRunner | Task 'say_hello': Finished task run for task with final state: 'Success'",
        "FlowRunner | Flow run SUCCESS: all reference tasks succeeded",
    ]
    assert repr(state) == '<Success: "All reference tasks succeeded.">'
    assert state.result == {said: Success()}


def test_results_flow_from_task_to_task(run: Callable[..., State]) -> None:
    @task
    def pack(first: int, rest: list[Any], options: dict[str, Any]) -> tuple[Any, ...]:
        return first, rest, options

    with Flow("f") as flow:
        a, b = one(), one()
        packed = pack(a + 1, [a, (b, 5), {"deep": b}], options={"key": a, "set": {a}})

    assert run(flow).result[packed].result == (2, [1, (1, 5), {"deep": 1}], {"key": 1, "set": {1}})


def test_operators_and_indexing_work_on_results(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        row = task(lambda: {"a": 7, "b": 2}, name="row")()
        a, b = row["a"], row["b"]
        results = {
            "sum": a + b,
            "difference": 10 - a,
            "quotient": a // b,
            "power": b**3,
            "greater": a > b,
            "both": (a > b) & (b > a),
            "equal": a.is_equal(7),
            "not": a.is_equal(8).not_(),
        }

    state = run(flow)

    assert {name: state.result[each].result for name, each in results.items()} == {
        "sum": 9, "difference": 3, "quotient": 3, "power": 8, "greater": True, "both": False, "equal": True, "not": True,
    }  # fmt: skip


def test_a_failed_reference_task_fails_the_run(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        failed = fail()
        after = one(upstream_tasks=[failed])

    state = run(flow)

    assert state.is_failed()
    assert state.message == "Some reference tasks failed."
    assert isinstance(state.result[failed].result, ValueError)
    assert type(state.result[after]) is TriggerFailed


def test_chosen_reference_tasks_decide(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        failed = fail()
        after = one()
        after.trigger = all_finished
        after.set_upstream(failed)

    assert run(flow).is_successful()

    flow.set_reference_tasks([failed])
    assert run(flow).is_failed()


@pytest.mark.parametrize(
    ("outcome", "final", "message"),
    [
        (Success(), Success, "All reference tasks succeeded."),
        (Skipped(), Success, "All reference tasks succeeded."),
        (Failed(), Failed, "Some reference tasks failed."),
        (TimedOut(), Failed, "Some reference tasks failed."),
        (Cancelled(), Cancelled, "Some reference tasks were cancelled."),
    ],
)
def test_the_run_ends_by_its_reference_tasks(run: Callable[..., State], outcome: State, final: type[State], message: str) -> None:
    @task
    def end() -> None:
        raise ENDRUN(outcome)

    state = run(Flow("f", tasks=[end]))

    assert (type(state), state.message) == (final, message)


def test_skipping_passes_on_unless_a_task_refuses(run: Callable[..., State]) -> None:
    @task
    def skip() -> None:
        raise SKIP("nothing new")

    with Flow("f") as flow:
        skipped = skip()
        passed_on = one(upstream_tasks=[skipped])
        stubborn = one(upstream_tasks=[passed_on])
        stubborn.skip_on_upstream_skip = False

    states = run(flow).result

    assert [type(states[each]) for each in (skipped, passed_on, stubborn)] == [Skipped, Skipped, Success]
    assert states[skipped].message == "nothing new"


def test_a_task_that_exits_fails_and_the_run_goes_on(run: Callable[..., State]) -> None:
    @task
    def leave() -> None:
        raise SystemExit(3)

    with Flow("f") as flow:
        left, other = leave(), one()

    states = run(flow).result

    assert states[left].is_failed()
    assert states[other].is_successful()


def test_an_async_task_that_is_cancelled_fails_and_the_run_goes_on(run: Callable[..., State]) -> None:
    @task
    async def give_up() -> None:
        raise asyncio.CancelledError

    flow = Flow("f", tasks=[give_up])

    assert run(flow).result[give_up].is_failed()


def test_the_traceback_begins_in_the_users_code(run: Callable[..., State]) -> None:
    flow = Flow("f", tasks=[fail])

    trace = run(flow).result[fail].result.__traceback__

    assert trace.tb_frame.f_code.co_filename == __file__


def test_ctrl_c_cancels_the_run(run: Callable[..., State]) -> None:
    @task
    def interrupted() -> None:
        raise KeyboardInterrupt

    flow = Flow("f", tasks=[interrupted])

    assert type(run(flow)) is Cancelled


def test_an_async_task_is_run_to_its_end(run: Callable[..., State]) -> None:
    @task
    async def answer() -> int:
        return 42

    flow = Flow("f", tasks=[answer])

    assert run(flow).result[answer].result == 42


async def test_an_async_task_runs_where_an_event_loop_runs_already(run: Callable[..., State]) -> None:
    @task
    async def answer() -> str:
        return str(headwater.context.task_slug)

    flow = Flow("f", tasks=[answer])

    assert run(flow).result[answer].result == "answer-1"


def test_states_given_from_before_are_not_run_again(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        failed = fail()
        total = one(upstream_tasks=[failed])

    state = flow.run(task_states={failed: Success(result=1)})

    assert state.is_successful()
    assert state.result[total].result == 1


def test_a_flow_that_cannot_run_says_why_before_it_starts() -> None:
    flow = Flow("f", tasks=[task(lambda x: x, name="needy")])

    with pytest.raises(InvalidFlow, match="'needy-1' lacks 'x'"):
        flow.run()


def test_a_run_with_tasks_that_wait_for_a_user_stays_running(run: Callable[..., State], capsys: pytest.CaptureFixture[str]) -> None:
    with Flow("f") as flow:
        held = task(lambda: 1, name="held", trigger=headwater_trigger("manual_only"))()
        one(upstream_tasks=[held])

    state = run(flow)

    assert type(state) is Running
    assert state.result[held].message == 'Trigger function is "manual_only"'
    assert "Flow run RUNNING: terminal tasks are incomplete." in capsys.readouterr().out


def headwater_trigger(name: str) -> Any:
    from headwater.sdk.language import triggers

    return getattr(triggers, name)


def test_a_failing_signal_is_its_own_result(run: Callable[..., State]) -> None:
    @task
    def refuse() -> None:
        raise FAIL("not today", result=7)

    flow = Flow("f", tasks=[refuse])
    state = run(flow).result[refuse]

    assert (type(state), state.message, state.result) == (Failed, "not today", 7)


def test_parameters_are_tasks_of_the_run(run: Callable[..., State]) -> None:
    with Flow("f") as flow:
        parameter = Parameter("p", default=3)
        double = parameter * 2

    assert run(flow, {"p": 4}).result[double].result == 8
    assert flow.run().result[double].result == 6
    assert flow.run(p=0).result[double].result == 0
