"""What an executor is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from logging import Logger
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.executors.task_call import TaskCall, execute
from headwater.sdk.states.state import Failed, State

IN_FLIGHT_MAX = 100
"""How many calls an executor of the user's own is given at once; `capacity` says another number."""


class Executor:
    """Where the code of tasks is executed.

    An executor of your own says how a function is executed, and how its value is had:

        class InPool(Executor):
            @contextmanager
            def start(self):
                with ThreadPoolExecutor() as self.pool:
                    yield

            def submit(self, fn, *args, extra_context=None, **kwargs):
                return self.pool.submit(fn, *args, **kwargs)

            def wait(self, futures):
                return {key: future.result() for key, future in futures.items()}

    The engine hands over calls of tasks, `capacity` of them at a time at most, and waits for the oldest. Everything else about a run
    happens in the thread that runs the flow.
    """

    capacity: int = IN_FLIGHT_MAX
    """How many calls the engine hands over at a time, at most."""

    @property
    def logger(self) -> Logger:
        """The logger of this kind of executor."""
        from headwater.sdk.context.logging import get_logger

        return get_logger(type(self).__name__)

    @contextmanager
    def start(self) -> Iterator[None]:
        """Make ready for one run of a flow, and clean up after it: a context manager around the run."""
        yield

    def submit(self, fn: Callable[..., Any], *args: Any, extra_context: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """Begin to execute a function, and return what stands for its value.

        Args:
            fn: the function.
            args: its arguments.
            extra_context: the names of the task: `task_name`, `task_slug`, `task_index`.
            kwargs: its named arguments.

        Raises:
            NotImplementedError: the class does not define it.

        """
        raise NotImplementedError(f"{type(self).__name__} has no method submit(fn, *args, extra_context=None, **kwargs).")

    def wait(self, futures: Any) -> Any:
        """Return the values that futures stand for, in the dict or list in which these are.

        Raises:
            NotImplementedError: the class does not define it.

        """
        raise NotImplementedError(f"{type(self).__name__} has no method wait(futures).")

    def map(self, fn: Callable[..., Any], *args: Iterable[Any], extra_context: dict[str, Any] | None = None) -> list[Any]:
        """Submit a function for each element of the iterables, and return what stands for the values."""
        return [self.submit(fn, *each, extra_context=extra_context) for each in zip(*args, strict=False)]

    def begin(self, key: Hashable, call: TaskCall) -> None:
        """Take a call of a task; its outcome comes with this key."""
        names = {"task_name": call.context.get("task_name"), "task_slug": call.context.get("task_slug")}
        index = call.context.get("map_index")
        future = self.submit(execute, call, extra_context={**names, "task_index": index if index is not None and index >= 0 else None})
        self._submitted().append((key, call, future))

    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:  # noqa: ARG002 - `wait` knows no bound
        """Return the key and the outcome of a call that ended, waiting for one; None after `seconds_max`."""
        submitted = self._submitted()
        if not submitted:
            return None
        key, call, future = submitted.popleft()
        try:
            outcome = self.wait({call.task: future})[call.task]
        except BaseException as error:
            if is_interrupt(error):
                raise
            return key, Failed(f"{type(self).__name__} lost the task: {shown(error)}", result=error)
        if not isinstance(outcome, State):
            return key, Failed(f"{type(self).__name__} gave no state for the task: `submit` must return what the function returns.")
        return key, outcome

    def _submitted(self) -> deque[tuple[Hashable, TaskCall, Any]]:
        # Not made by `__init__`, which a user's own class may not call.
        submitted: deque[tuple[Hashable, TaskCall, Any]] = vars(self).setdefault("_in_flight", deque())
        return submitted

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_in_flight"}

    def __repr__(self) -> str:
        return f"<Executor: {type(self).__name__}>"


def values_of(futures: Any) -> Any:
    """Return the values of futures of `concurrent.futures`, in the dicts, lists, tuples and sets in which these are."""
    if isinstance(futures, dict):
        return {key: values_of(future) for key, future in futures.items()}
    if isinstance(futures, list | tuple | set):
        return type(futures)(values_of(future) for future in futures)
    return futures.result() if callable(getattr(futures, "result", None)) and callable(getattr(futures, "done", None)) else futures


def check_number_of_workers(number: int | None) -> None:
    """Refuse what is not a number of workers; None leaves it to the executor.

    Raises:
        InvalidArgument: it is not a whole number of at least 1.

    """
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        raise InvalidArgument(f"num_workers must be a whole number of at least 1, not {number!r}.")
