"""The interface between the engine and what keeps the record of a run."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

from headwater.sdk.states.state import Looped, State


class PriorAttempt(NamedTuple):
    """What earlier attempts did with a task run: how often they executed it, and whether it had gone on after a pause.

    `loop` is the last round of its loop that ended, where one did, with what it handed to the next, or where that is kept; without a
    result where it is not, and then the loop begins again. `run_count` counts the executions since that round.
    """

    run_count: int = 0
    resumed: bool = False
    loop: Looped | None = None


class Recorder(Protocol):
    """Told of each change of state, in order, by the thread that runs the flow.

    Calls must be cheap: the run waits for them. An exception from any of them ends the run and reaches the caller of
    `FlowRunner.run`. `map_index` is -1 for a task run that is not a mapped child.
    """

    def flow_run_changed(self, old: State, new: State) -> None:
        """The run itself went from `old` to `new`."""

    def task_run_changed(self, task_slug: str, map_index: int, old: State, new: State, run_count: int) -> None:
        """A task run went from `old` to `new`. `run_count` counts its executions so far, the current one included.

        A failure that is tried again comes as one change from Running to Retrying, whose result is the exception.
        """

    def task_run_named(self, task_slug: str, map_index: int, name: str) -> None:
        """A task run got a name of its own, by its task's `task_run_name`."""

    def already_finished(self, task_slug: str, map_index: int) -> State | None:
        """Return how an earlier attempt left a task run that this one takes up, or None. Asked once, before it starts.

        A final state: it is not executed again. A result that is kept elsewhere may be given by its location; it is read
        when a task needs it. Retrying or Paused: it goes on at its time, counting on. Resume: it goes on at once. Looped: the
        next round of its loop begins. Of a mapped task's parent Mapped means nothing: it is mapped again, and its children are
        asked for.
        """

    def prior_attempt(self, task_slug: str, map_index: int) -> PriorAttempt:
        """Return what earlier attempts did with a task run that is executed again, or goes on. Asked only for those."""

    def resumed(self) -> Collection[tuple[str, int]]:
        """Return which paused task runs a user resumed since the last call: slugs and map indexes. Asked while some are paused."""

    def should_stop(self) -> bool:
        """Tell whether no further task may start. Asked before each start, and about once a second during waits."""
