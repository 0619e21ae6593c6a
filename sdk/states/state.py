"""The states of runs and task runs.

    State
    ├── Pending
    │   └── Scheduled           may start at `start_time`
    │       ├── Paused          waits for a user, or for `start_time`
    │       ├── Resume          a user let it go on
    │       └── Retrying        failed, and is tried again
    ├── Submitted, Queued, ClientFailed     around another state, which `unwrapped()` returns
    ├── Running
    │   └── Cancelling
    └── Finished
        ├── Success
        │   ├── Cached, Mapped, Skipped
        ├── Failed
        │   ├── TimedOut, TriggerFailed, ValidationFailed
        ├── Cancelled           neither successful nor failed
        └── Looped              neither; the task runs again

A state says what is so; it is never changed into another. `state.result` is the value, `state.message` the words.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from headwater.core.values.moments import assume_utc
from headwater.sdk.context.values import current_values
from headwater.sdk.results import NoResult, Result
from headwater.sdk.states.base_state import State

__all__ = [
    "Cached",
    "Cancelled",
    "Cancelling",
    "ClientFailed",
    "Failed",
    "Finished",
    "Looped",
    "Mapped",
    "Paused",
    "Pending",
    "Queued",
    "Resume",
    "Retrying",
    "Running",
    "Scheduled",
    "Skipped",
    "State",
    "Submitted",
    "Success",
    "TimedOut",
    "TriggerFailed",
    "ValidationFailed",
]


class Pending(State):
    """Nothing has happened yet."""

    __slots__ = ()
    color = "#7ebdff"

    def is_pending(self) -> Literal[True]:
        return True


class Scheduled(Pending):
    """May start at `start_time`, in UTC where it names no time zone; now, if none is given."""

    __slots__ = ("start_time",)
    color = "#ffab00"
    extra_fields: ClassVar[tuple[str, ...]] = ("start_time",)

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        start_time: datetime | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
    ) -> None:
        super().__init__(message, result, context, cached_inputs)
        self.start_time: datetime | None = assume_utc(start_time) if start_time is not None else datetime.now(UTC)
        run_count = current_values.get().get("task_run_count")
        if run_count is not None:
            self.context["task_run_count"] = run_count

    def is_scheduled(self) -> Literal[True]:
        return True


class Paused(Scheduled):
    """Waits until `start_time`, or until a user resumes it where that is None."""

    __slots__ = ()
    color = "#99a8e8"

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        start_time: datetime | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
    ) -> None:
        super().__init__(message, result, start_time, context, cached_inputs)
        if start_time is None:
            self.start_time = None


class Resume(Scheduled):
    """A user let it go on."""

    __slots__ = ()
    color = "#f58c0c"


class Retrying(Scheduled):
    """Failed after `run_count` executions; the next is due at `start_time`.

    Made inside a task, it takes its `run_count` from `context.task_run_count`.
    """

    __slots__ = ("run_count",)
    color = "#f66a0a"
    extra_fields: ClassVar[tuple[str, ...]] = ("start_time", "run_count")

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        message: str | None = None,
        result: Any = NoResult,
        start_time: datetime | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
        run_count: int | None = None,
    ) -> None:
        super().__init__(message, result, start_time, context, cached_inputs)
        self.run_count: int = current_values.get().get("task_run_count") or 1 if run_count is None else run_count

    def is_retrying(self) -> Literal[True]:
        return True


class _MetaState(State):
    """Around another state, which tells what is so apart from it; one around such a state is around the innermost."""

    __slots__ = ("_state",)
    extra_fields: ClassVar[tuple[str, ...]] = ("state",)

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        state: State | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
    ) -> None:
        super().__init__(message, result, context, cached_inputs)
        self.state = state

    @property
    def state(self) -> State | None:
        return self._state

    @state.setter
    def state(self, state: State | None) -> None:
        while isinstance(state, _MetaState):
            state = state.state
        self._state = state

    def unwrapped(self) -> State:
        return self if self.state is None else self.state.unwrapped()

    def is_meta_state(self) -> Literal[True]:
        return True


class Submitted(_MetaState):
    """Handed to an agent, which has not started it yet."""

    __slots__ = ()
    color = "#ffdf5d"

    def is_submitted(self) -> Literal[True]:
        return True


class Queued(_MetaState):
    """Waits for a free slot."""

    __slots__ = ("start_time",)
    color = "#ffea7f"
    extra_fields: ClassVar[tuple[str, ...]] = ("state", "start_time")

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        message: str | None = None,
        result: Any = NoResult,
        state: State | None = None,
        start_time: datetime | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
    ) -> None:
        super().__init__(message, result, state, context, cached_inputs)
        self.start_time = assume_utc(start_time) if start_time is not None else datetime.now(UTC)

    def is_queued(self) -> Literal[True]:
        return True

    def is_scheduled(self) -> Literal[True]:
        return True


class ClientFailed(_MetaState):
    """Failed where it could not be recorded."""

    __slots__ = ()
    color = "#eb0000"


class Running(State):
    """Being executed."""

    __slots__ = ()
    color = "#3d67ff"

    def is_running(self) -> Literal[True]:
        return True


class Cancelling(Running):
    """Being stopped by request."""

    __slots__ = ()
    color = "#E8E8E8"


class Finished(State):
    """Over, one way or the other."""

    __slots__ = ()
    color = "#003ccb"

    def is_finished(self) -> Literal[True]:
        return True


class Success(Finished):
    """Ended well."""

    __slots__ = ()
    color = "#28a745"

    def is_successful(self) -> Literal[True]:
        return True


class Cached(Success):
    """An earlier result served, or this one will serve later runs."""

    __slots__ = ("cache_key", "cached_parameters", "cached_result_expiration", "hashed_inputs")
    color = "#34d058"
    extra_fields: ClassVar[tuple[str, ...]] = ("cached_parameters", "cached_result_expiration", "hashed_inputs")

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        message: str | None = None,
        result: Any = NoResult,
        cached_inputs: dict[str, Result] | None = None,
        cached_parameters: dict[str, Any] | None = None,
        cached_result_expiration: datetime | None = None,
        context: dict[str, Any] | None = None,
        hashed_inputs: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, result, context, cached_inputs)
        self.cached_parameters = cached_parameters
        self.cached_result_expiration = None if cached_result_expiration is None else assume_utc(cached_result_expiration)
        self.hashed_inputs = hashed_inputs
        self.cache_key: str | None = None
        """Under which key the result is remembered for others; None where it was remembered already."""

    def is_cached(self) -> Literal[True]:
        return True


class Mapped(Success):
    """Became `n_map_states` task runs, whose states are `map_states`. Its result is the list of theirs."""

    __slots__ = ("map_states", "n_map_states")
    color = "#003ccb"
    extra_fields: ClassVar[tuple[str, ...]] = ("n_map_states",)

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        message: str | None = None,
        result: Any = NoResult,
        map_states: list[State] | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
        n_map_states: int | None = None,
    ) -> None:
        super().__init__(message, result, context, cached_inputs)
        self.map_states: list[State] = [] if map_states is None else map_states
        self.n_map_states = n_map_states or len(self.map_states)

    def load_result(self, result: Result | None = None) -> State:
        """Read the values of the children that are kept elsewhere, and return this state."""
        for child in self.map_states:
            if child is not None:
                child.load_result(result)
        if self.map_states:
            self.result = [None if child is None else child.result for child in self.map_states]
        return self

    def is_mapped(self) -> Literal[True]:
        return True


class Skipped(Success):
    """Did not run, and that is not a failure."""

    __slots__ = ()
    color = "#62757f"

    def is_skipped(self) -> Literal[True]:
        return True


class Failed(Finished):
    """Ended badly; `result` is the exception where there was one."""

    __slots__ = ()
    color = "#eb0000"

    def is_failed(self) -> Literal[True]:
        return True


class TimedOut(Failed):
    """Took longer than allowed."""

    __slots__ = ()
    color = "#ff4e33"


class TriggerFailed(Failed):
    """Did not run, since its trigger did not allow the states of the tasks before it."""

    __slots__ = ()
    color = "#ff5131"


class ValidationFailed(Failed):
    """Its result was found invalid."""

    __slots__ = ()
    color = "#ff5131"


class Cancelled(Finished):
    """Stopped by request: neither successful nor failed."""

    __slots__ = ()
    color = "#bdbdbd"


class Looped(Finished):
    """Ran for the `loop_count`-th time and asked to run again. Made inside a task, it takes the count from `context.task_loop_count`."""

    __slots__ = ("loop_count",)
    color = "#003ccb"
    extra_fields: ClassVar[tuple[str, ...]] = ("loop_count",)

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        loop_count: int | None = None,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
    ) -> None:
        super().__init__(message, result, context, cached_inputs)
        self.loop_count: int = current_values.get().get("task_loop_count") or 1 if loop_count is None else loop_count

    def is_looped(self) -> Literal[True]:
        return True
