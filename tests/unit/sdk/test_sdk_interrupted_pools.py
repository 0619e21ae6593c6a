"""A pool of a task's own that breaks: by an interrupt of the run, which ends its processes too, or by itself."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool

import pytest

from headwater.sdk.context import interrupts
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.states.state import Cancelled, Failed


def flow_whose_pool_breaks() -> Flow:
    @task
    def work() -> None:
        raise BrokenProcessPool("A process in the process pool was terminated abruptly.")

    return Flow("pooled-flow", tasks=[work])


def test_a_pool_that_an_interrupt_ended_is_the_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_came", lambda: True)

    state = flow_whose_pool_breaks().run()

    assert isinstance(state, Cancelled)


@pytest.mark.parametrize("came", [None, lambda: False], ids=["in a script", "in an attempt that goes on"])
def test_a_pool_that_breaks_by_itself_fails_its_task(came: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_came", came)

    state = flow_whose_pool_breaks().run()

    assert isinstance(state, Failed)
