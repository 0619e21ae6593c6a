"""`flow.run()` of a flow with a schedule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from headwater import Flow, Parameter, task
from headwater.core.calendar import CronSchedule, IntervalSchedule, Schedule
from headwater.core.calendar.clocks import DatesClock
from headwater.sdk.context.configuration import set_temporary_config
from headwater.sdk.context.context import context
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.engine.scheduled import run_on_schedule
from headwater.sdk.language.errors import InvalidFlow, WrongParameters
from headwater.sdk.states.state import Cancelled, State

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
seen: list[Any] = []


@task
def see(x: int) -> None:
    seen.append((x, context.scheduled_start_time))


def flow_with(schedule: Schedule, default: int | None = None) -> Flow:
    seen.clear()
    with Flow("f", schedule=schedule) as flow:
        see(Parameter("x", default=default) if default is not None else Parameter("x"))
    return flow


def runner_on(flow: Flow, clock: Any) -> Callable[[dict[str, Any], dict[str, Any]], State]:
    return lambda values, scheduled: FlowRunner(flow, clock=clock).run(values, context=scheduled)


def test_it_runs_at_each_moment_with_the_clocks_parameters(clock: Any) -> None:
    first, second = NOON + timedelta(hours=1), NOON + timedelta(hours=2)
    flow = flow_with(Schedule([DatesClock([NOON, first], {"x": 1}), DatesClock([second], {"x": 2})]))

    state = run_on_schedule(flow, runner_on(flow, clock), {}, clock)

    assert state.is_successful()
    assert seen == [(1, first), (2, second)]
    assert clock.waits == [3600, 3600]


def test_moments_that_pass_during_a_run_are_left_out(clock: Any) -> None:
    flow = flow_with(IntervalSchedule(interval=timedelta(minutes=10), end_date=NOON + timedelta(hours=1)), default=1)

    def slow(values: dict[str, Any], scheduled: dict[str, Any]) -> State:
        state = runner_on(flow, clock)(values, scheduled)
        clock.time += timedelta(minutes=25)
        return state

    run_on_schedule(flow, slow, {"x": 7}, clock)

    assert seen == [(7, NOON + timedelta(minutes=10)), (7, NOON + timedelta(minutes=40))]


def test_a_flow_waits_for_its_schedule_by_itself_and_returns_at_its_end() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.05)
    flow = flow_with(Schedule([DatesClock([soon, soon + timedelta(seconds=0.05)])]), default=3)

    assert flow.run().is_successful()
    assert [x for x, _ in seen] == [3, 3]


def test_it_runs_once_if_that_is_what_is_asked_for() -> None:
    flow = flow_with(CronSchedule("0 0 1 1 *"), default=4)

    flow.run(run_on_schedule=False)
    with set_temporary_config({"flows.run_on_schedule": False}):
        flow.run(x=5)

    assert [x for x, _ in seen] == [4, 5]


def test_ctrl_c_while_it_waits_ends_it(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flow_with(IntervalSchedule(timedelta(hours=1)), default=1)
    run = runner_on(flow, clock)

    def run_and_be_interrupted(values: dict[str, Any], scheduled: dict[str, Any]) -> State:
        state = run(values, scheduled)
        monkeypatch.setattr(clock, "wait", interrupt)
        return state

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    assert run_on_schedule(flow, run_and_be_interrupted, {}, clock).is_successful()
    assert len(seen) == 1
    with pytest.raises(KeyboardInterrupt):
        run_on_schedule(flow, run, {}, clock)


def test_a_cancelled_run_ends_it(clock: Any) -> None:
    flow = flow_with(IntervalSchedule(timedelta(hours=1)), default=1)

    assert isinstance(run_on_schedule(flow, lambda *_: Cancelled("Interrupted."), {}, clock), Cancelled)


def test_a_schedule_that_is_over_or_leaves_parameters_open_is_refused(clock: Any) -> None:
    over = flow_with(Schedule([DatesClock([NOON - timedelta(days=1)])]), default=1)
    with pytest.raises(InvalidFlow, match="is over"):
        run_on_schedule(over, runner_on(over, clock), {}, clock)
    with pytest.raises(InvalidFlow, match="required parameters 'x'"):
        flow_with(CronSchedule("@daily")).run()
    with pytest.raises(WrongParameters, match="no parameter 'y'"):
        flow_with(CronSchedule("@daily"), default=1).run(y=1)
    with pytest.raises(InvalidFlow, match="is not a schedule"):
        Flow("f", schedule="0 0 * * *")  # type: ignore[arg-type]
