"""What a task started ends with the interrupt of its run, or by itself: the task fails either way, and only the second counts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import pytest

from headwater.sdk.context import interrupts
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.states import signals
from headwater.sdk.states.state import Cancelled, Failed


def a_pool_that_broke() -> None:
    raise BrokenProcessPool("A process in the process pool was terminated abruptly.")


def a_command_that_was_ended() -> None:
    raise subprocess.CalledProcessError(-15, "sleep")


def a_pipe_that_broke() -> None:
    raise BrokenPipeError


def a_signal_that_says_so() -> None:
    raise signals.FAIL("The command failed.")


def an_end_of_the_run() -> None:
    raise signals.ENDRUN(Failed("The command failed."))


FAILURES = (a_pool_that_broke, a_command_that_was_ended, a_pipe_that_broke, a_signal_that_says_so, an_end_of_the_run)
each_failure = pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)


@each_failure
def test_what_fails_while_the_run_is_interrupted_is_interrupted(failure: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_came", lambda: True)

    state = Flow("with-children", tasks=[task(failure)]).run()

    assert isinstance(state, Cancelled)


@each_failure
@pytest.mark.parametrize("came", [None, lambda: False], ids=["in a script", "in an attempt that goes on"])
def test_what_fails_by_itself_has_failed(failure: Callable[[], None], came: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_came", came)

    state = Flow("with-children", tasks=[task(failure)]).run()

    assert isinstance(state, Failed)
