"""What a state made by a signal holds, and what the tasks after it are given. The values are those of Prefect 1.4.1."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from headwater import Flow, task
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.executors import LocalDaskExecutor
from headwater.sdk.language.triggers import all_finished
from headwater.sdk.results import LocalResult
from headwater.sdk.results.serializers import JSONSerializer
from headwater.sdk.states import signals
from headwater.sdk.states.signals import ENDRUN, FAIL, SKIP, SUCCESS
from headwater.sdk.states.state import Failed, State, Success

SIGNALS = [signals.FAIL, signals.TRIGGERFAIL, signals.VALIDATIONFAIL, signals.SUCCESS, signals.SKIP, signals.RETRY, signals.PAUSE]


def end(how: str) -> Any:
    match how:
        case "SKIP":
            raise SKIP("m")
        case "SKIP(result=4)":
            raise SKIP("m", result=4)
        case "SUCCESS":
            raise SUCCESS("m")
        case "SUCCESS(result=4)":
            raise SUCCESS("m", result=4)
        case "FAIL":
            raise FAIL("m")
        case "FAIL(result=4)":
            raise FAIL("m", result=4)
        case "ENDRUN":
            raise ENDRUN(Success("m", result=4))
        case "return a state":
            return Failed("m", result=4)
        case "return a signal":
            return SKIP("m")
    return how


def shown(value: Any) -> str:
    return repr(value)


ENDS = [
    ("SKIP", "SKIP('m')"),
    ("SKIP(result=4)", "4"),
    ("SUCCESS", "SUCCESS('m')"),
    ("SUCCESS(result=4)", "4"),
    ("FAIL", "FAIL('m')"),
    ("FAIL(result=4)", "4"),
    ("ENDRUN", "4"),
    ("return a state", '<Failed: "m">'),
    ("return a signal", "SKIP('m')"),
]


@pytest.mark.parametrize("executor", [None, LocalDaskExecutor(scheduler="processes", num_workers=1)], ids=["here", "in a process"])
@pytest.mark.parametrize(("how", "value"), ENDS)
def test_the_next_task_is_given_what_the_state_holds(run: Callable[..., State], how: str, value: str, executor: Any) -> None:
    before = task(end)
    take = task(shown, skip_on_upstream_skip=False, trigger=all_finished)
    with Flow("f") as flow:
        ended = before(how)
        single = take(ended)
        listed = take(task(end).map(["a", how]))

    state = run(flow, executor=executor)

    assert repr(state.result[ended].result) == value
    assert state.result[single].result == value
    assert state.result[listed].result == f"['a', {value}]"


@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_is_the_result_of_its_state_unless_another_is_given(signal: type[signals.StateSignal]) -> None:
    bare = signal("m")

    assert bare.state.result is bare
    assert signal("m", result=5).state.result == 5
    assert bare.state.message == "m"


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
@pytest.mark.parametrize("signal", SIGNALS)
def test_a_signal_and_its_state_can_be_pickled(signal: type[signals.StateSignal], dumps: Callable[[Any], bytes]) -> None:
    again = pickle.loads(dumps(signal("m")))

    assert (type(again), str(again), type(again.state)) == (signal, "m", signal.state_class)
    assert again.state.result is again


def test_endrun_ends_a_task_for_good(run: Callable[..., State]) -> None:
    runs: list[int] = []

    @task(max_retries=3, retry_delay=0)
    def give_up() -> None:
        runs.append(1)
        raise ENDRUN(Failed("no use"))

    state = run(Flow("f", tasks=[give_up])).result[give_up]

    assert (type(state), state.message, len(runs)) == (Failed, "no use", 1)


def keeping(result: LocalResult, how: str) -> State:
    source = task(end, name="source", result=result)
    with Flow("f") as flow:
        made = source(how)
        task(shown, name="reader", skip_on_upstream_skip=False)(made)
    state: State = FlowRunner(flow).run(context={"checkpointing": True}).result[made]
    return state


def test_the_result_of_success_is_kept_as_a_returned_one_is(tmp_path: Path) -> None:
    state = keeping(LocalResult(tmp_path, location="value"), "SUCCESS(result=4)")

    assert LocalResult(tmp_path).read("value").value == 4
    assert state._result.location == str(tmp_path / "value")


def test_a_signal_that_cannot_be_kept_does_not_fail_its_task(tmp_path: Path) -> None:
    state = keeping(LocalResult(tmp_path, location="value", serializer=JSONSerializer()), "SUCCESS")

    assert type(state) is Success
    assert isinstance(state.result, SUCCESS)


def test_what_success_gives_and_cannot_be_kept_fails_the_task(tmp_path: Path) -> None:
    @task(result=LocalResult(tmp_path, serializer=JSONSerializer()))
    def give() -> None:
        raise SUCCESS(result=object())

    state = FlowRunner(Flow("f", tasks=[give])).run(context={"checkpointing": True})

    assert state.is_failed()


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_signal_that_leads_to_a_state_is_found(signal: type[signals.StateSignal]) -> None:
    assert signals.signal_from_state(signal("m").state) is signal


@pytest.mark.parametrize("state", [State(), Success.parents()[0]()])
def test_no_signal_leads_to_a_state_that_is_not_a_kind_of_its_own(state: State) -> None:
    with pytest.raises(ValueError, match="No signal leads to"):
        signals.signal_from_state(state)
