"""What an executor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from headwater.core.errors import InvalidArgument
from headwater.engine.state import State
from headwater.engine.task_call import TaskCall


class Executor(ABC):
    """Where the code of tasks is executed.

    The engine hands over calls, `capacity` of them at a time at most, and takes back the state in which each ended.
    Everything else about a run happens in the thread that runs the flow.
    """

    capacity: int = 1

    @contextmanager
    def start(self) -> Iterator[None]:
        """Make ready for one run of a flow, and clean up after it."""
        yield

    @abstractmethod
    def submit(self, key: Hashable, call: TaskCall) -> None:
        """Take a call; its outcome comes with this key."""

    @abstractmethod
    def next_outcome(self, seconds_max: float | None) -> tuple[Hashable, State] | None:
        """Return the key and the outcome of a call that ended, waiting for one; None after `seconds_max`."""


def check_number_of_workers(number: int | None) -> None:
    """Refuse what is no number of workers; None leaves it to the executor.

    Raises:
        InvalidArgument: it is not a whole number of at least 1.

    """
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        raise InvalidArgument(f"num_workers must be a whole number of at least 1, not {number!r}.")
