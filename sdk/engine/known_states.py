"""The states that tasks are in before a run begins, given to it by `task_states`."""

from __future__ import annotations

from collections.abc import Mapping

from headwater.sdk.language.task import Task
from headwater.sdk.states.state import Cached, Mapped, State


class KnownStates:
    """What is known of tasks and of their mapped children. Resources and secrets are made again by each run: they do not outlive one."""

    def __init__(self, task_states: Mapping[Task, State]) -> None:
        self._states = {task: state.unwrapped() for task, state in task_states.items() if not _is_made_again(task, state.unwrapped())}

    def __bool__(self) -> bool:
        return bool(self._states)

    def of(self, task: Task, map_index: int) -> State | None:
        """Return the state of a task, or of its mapped child; None where nothing is known."""
        known = self._states.get(task)
        if map_index < 0 or known is None:
            return known
        children = known.map_states if isinstance(known, Mapped) else []
        return children[map_index].unwrapped() if map_index < len(children) and children[map_index] is not None else None

    def number_of_children(self, task: Task) -> int | None:
        """Return how many mapped children the task had, if it was mapped."""
        known = self._states.get(task)
        return known.n_map_states if isinstance(known, Mapped) else None


def _is_made_again(task: Task, state: State) -> bool:
    return state.is_finished() and not isinstance(state, Cached) and (task.cleans_up or task.made_by_each_run)
