"""What state handlers are called for, and what follows from what they answer. The values are those of Prefect 1.4.1."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import headwater
from headwater import Flow, task
from headwater.sdk.states.signals import ENDRUN, FAIL, PAUSE, SKIP, SUCCESS, VALIDATIONFAIL
from headwater.sdk.states.state import Failed, Skipped, State, Success

STARTED = ("Pending", "Running")
FAILED = ("Running", "Failed")
RETRIED = [("Failed", "Retrying"), ("Retrying", "Running")]


def raising(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def told_of(run: Callable[..., State], work: Callable[[], Any], answer: Callable[[State], Any], **settings: Any) -> tuple[str, list[Any]]:
    """How the task ended, and the changes that its handler was told of."""
    changes: list[tuple[str, str]] = []

    def handler(_: Any, old: State, new: State) -> Any:
        changes.append((type(old).__name__, type(new).__name__))
        return answer(new)

    handled = task(work, name="handled", state_handlers=[handler], **settings)
    return type(run(Flow("f", tasks=[handled])).result[handled]).__name__, changes


@pytest.mark.parametrize(
    ("work", "changes"),
    [
        (lambda: 1, [STARTED, ("Running", "Success")]),
        (raising(SKIP("s")), [STARTED, ("Running", "Skipped")]),
        (raising(ValueError()), [STARTED, FAILED, *RETRIED, FAILED]),
        (raising(FAIL("f")), [STARTED, FAILED, *RETRIED, FAILED]),
        (
            raising(VALIDATIONFAIL("v")),
            [
                STARTED,
                ("Running", "ValidationFailed"),
                ("ValidationFailed", "Retrying"),
                ("Retrying", "Running"),
                ("Running", "ValidationFailed"),
            ],
        ),
    ],
)
def test_a_retry_follows_from_the_failure(run: Callable[..., State], work: Callable[[], Any], changes: list[Any]) -> None:
    assert told_of(run, work, lambda _: None, max_retries=1, retry_delay=0)[1] == changes


def test_a_cached_result_follows_from_the_success(run: Callable[..., State]) -> None:
    ended, changes = told_of(run, lambda: 1, lambda _: None, cache_for=timedelta(minutes=1))

    assert (ended, changes) == ("Cached", [STARTED, ("Running", "Success"), ("Success", "Cached")])


@pytest.mark.parametrize(
    ("answer", "ended", "changes"),
    [
        (lambda new: Success(result=9) if new.is_failed() else None, "Success", [STARTED, FAILED]),
        (lambda new: Skipped() if new.is_failed() else None, "Skipped", [STARTED, FAILED]),
        (lambda new: Failed("other") if new.is_failed() else None, "Failed", [STARTED, FAILED, *RETRIED, FAILED]),
        (lambda new: raising(FAIL("other"))() if new.is_failed() else None, "Failed", [STARTED, FAILED, *RETRIED, FAILED]),
        (lambda new: raising(SUCCESS("fine"))() if new.is_failed() else None, "Success", [STARTED, FAILED]),
        (lambda new: raising(ENDRUN(Failed("over")))() if new.is_failed() else None, "Failed", [STARTED, FAILED]),
        (lambda new: raising(ZeroDivisionError())() if new.is_failed() else None, "Failed", [STARTED, FAILED]),
        (lambda new: 5 if new.is_failed() else None, "Failed", [STARTED, FAILED]),
        (lambda new: Failed("no retry") if new.is_retrying() else None, "Failed", [STARTED, FAILED, ("Failed", "Retrying")]),
        (lambda new: Failed("no") if new.is_running() else None, "Failed", [STARTED]),
        (lambda new: raising(SKIP("no"))() if new.is_running() else None, "Skipped", [STARTED]),
        (lambda new: raising(PAUSE("wait"))() if new.is_running() else None, "Paused", [STARTED]),
    ],
)
def test_a_handler_decides_what_becomes_of_a_failure(
    run: Callable[..., State], answer: Callable[[State], Any], ended: str, changes: list[Any]
) -> None:
    assert told_of(run, raising(ValueError()), answer, max_retries=1, retry_delay=0) == (ended, changes)


def test_a_success_that_a_handler_makes_a_failure_is_tried_again(run: Callable[..., State]) -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(headwater.context.task_run_count)

    ended, _ = told_of(run, work, lambda new: Failed() if new.is_successful() else None, max_retries=1, retry_delay=0)

    assert (ended, runs) == ("Failed", [1, 2])


def test_a_failure_that_a_handler_makes_is_not_remembered_for_later_runs(run: Callable[..., State]) -> None:
    runs: list[int] = []
    cached = task(
        lambda: runs.append(1),
        name="cached",
        cache_for=timedelta(minutes=1),
        state_handlers=[lambda _, __, new: Failed() if new.is_cached() else None],
    )
    flow = Flow("whose handler fails what was to be cached", tasks=[cached])

    assert [run(flow).is_failed(), run(flow).is_failed()] == [True, True]
    assert len(runs) == 2


@pytest.mark.parametrize("signal", [SUCCESS, FAIL, SKIP])
def test_a_terminal_state_handler_may_raise_a_signal(signal: type[Any]) -> None:
    def handler(flow: Flow, state: State, reference_states: set[State]) -> None:
        raise signal("decided")

    state = Flow("f", tasks=[task(lambda: 1, name="one")], terminal_state_handler=handler).run()

    assert (type(state), state.message) == (signal.state_class, "decided")


def test_the_handlers_of_a_flow_see_it_begin_as_scheduled() -> None:
    changes: list[tuple[str, str]] = []

    def handler(_: Any, old: State, new: State) -> None:
        changes.append((type(old).__name__, type(new).__name__))

    Flow("f", tasks=[task(lambda: 1, name="one")], state_handlers=[handler]).run()

    assert changes == [("Scheduled", "Running"), ("Running", "Success")]
