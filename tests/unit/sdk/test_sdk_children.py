"""Runs that a task creates are known from the moment they may be there, also where the task is interrupted meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from headwater.core.errors import NotFound
from headwater.sdk.engine.children import children_of_this_run, created_child


@pytest.fixture(autouse=True)
def none_known() -> Iterator[None]:
    children_of_this_run.clear()
    yield
    children_of_this_run.clear()


class Interrupted(Future[str]):
    """An answer whose first wait is interrupted; it comes (`come`) while the interrupted task ends."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0

    def result(self, timeout: float | None = None) -> str:
        self.waits += 1
        if self.waits == 1:
            threading.Thread(target=self.come).start()
            raise KeyboardInterrupt
        return super().result(timeout)

    def come(self) -> None:
        self.set_result("a-run")


class CommandRejected(Interrupted):
    def come(self) -> None:
        self.set_exception(NotFound("flow", "f"))


class Withdrawn(Interrupted):
    def come(self) -> None:
        self.cancel()
        self.set_running_or_notify_cancel()  # as the runner says that the signal arrived


def test_a_run_that_was_created_is_known() -> None:
    creation = Future[str]()
    creation.set_result("a-run")

    assert created_child(creation) == "a-run"
    assert children_of_this_run == {"a-run"}


def test_what_creating_raises_is_raised() -> None:
    creation = Future[str]()
    creation.set_exception(NotFound("flow", "f"))

    with pytest.raises(NotFound):
        created_child(creation)
    assert children_of_this_run == set()


@pytest.mark.parametrize(("kind", "known"), [(Interrupted, {"a-run"}), (CommandRejected, set()), (Withdrawn, set())])
def test_an_interrupted_task_waits_for_the_answer(kind: type[Interrupted], known: set[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        created_child(kind())

    assert children_of_this_run == known
