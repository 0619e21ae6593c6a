"""What a task can do about its time-out: nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from headwater import Flow, task
from headwater.sdk.executors.timeouts import STATUS_STUCK

FOREVER_SECONDS = 3600.0


def wait() -> None:
    time.sleep(FOREVER_SECONDS)


def compute() -> None:
    while True:
        sum(range(1000))


def catches_everything() -> None:
    try:
        wait()
    except Exception:  # noqa: BLE001 - the point
        wait()


def turns_timers_off() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.alarm(0)
    wait()


def computes_with_another_handler() -> None:
    signal.signal(signal.SIGALRM, lambda *_: None)
    compute()


def waits_with_another_handler() -> None:
    signal.signal(signal.SIGALRM, lambda *_: None)
    wait()


def waits_with_no_handler() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    wait()


def ignores_the_alarm() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    threading.Event().wait()


def blocks_the_alarm() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    wait()


# An interruption may hit a callback of the garbage collector, Hypothesis's for one, where Python drops it: the task is interrupted again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "function",
    [
        wait,
        compute,
        catches_everything,
        turns_timers_off,
        computes_with_another_handler,
        waits_with_another_handler,
        waits_with_no_handler,
        ignores_the_alarm,
        blocks_the_alarm,
    ],
)
def test_a_task_is_interrupted_whatever_it_did_to_the_alarm(function: Callable[[], Any]) -> None:
    before = signal.getsignal(signal.SIGALRM), signal.pthread_sigmask(signal.SIG_BLOCK, ())

    state = Flow("f", tasks=[task(function, timeout=0.05)]).run()

    assert [(type(each).__name__, each.message) for each in state.result.values()] == [("TimedOut", "Task timed out during execution.")]
    assert (signal.getsignal(signal.SIGALRM), signal.pthread_sigmask(signal.SIG_BLOCK, ())) == before


def test_a_task_may_use_timers_of_its_own() -> None:
    rang: list[int] = []

    @task(timeout=60)
    def own_timer() -> None:
        signal.signal(signal.SIGALRM, lambda number, _: rang.append(number))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not rang:
            signal.pause()

    assert Flow("f", tasks=[own_timer]).run().is_successful()


PROGRAM = """
import signal, threading, time
from headwater import Flow, task

@task(timeout=0.05)
def stuck():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGINT})
    time.sleep(3600)

Flow("f", tasks=[stuck]).run()
"""


def test_the_process_of_a_task_that_nothing_interrupts_is_ended_with_a_sentence() -> None:
    ended = subprocess.run([sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode == STATUS_STUCK
    assert "A task with a time-out of 0.05 s cannot be interrupted: its process is ended" in ended.stderr
