"""The states of runs and task runs.

    State
    ├── Pending
    │   └── Scheduled           may start at `start_time`
    │       ├── Paused          waits for somebody, or for `start_time`
    │       ├── Resume          somebody let it go on
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
from typing import Any, ClassVar

from headwater.core import moments
from headwater.core.errors import InvalidArgument
from headwater.engine.results import NoResult, Result

aware = moments.aware


class State:
    """Base of all states.

    Equal states have the same class, result and extra fields; the message and the context may differ.
    """

    __slots__ = ("_result", "cached_inputs", "context", "message")

    color: ClassVar[str] = "#000000"
    extra_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        message: str | None = None,
        result: Any = NoResult,
        context: dict[str, Any] | None = None,
        cached_inputs: dict[str, Result] | None = None,
    ) -> None:
        self.message = message
        self._result: Result = result if isinstance(result, Result) else Result(result)
        self.context: dict[str, Any] = {} if context is None else context
        self.cached_inputs = cached_inputs

    @property
    def result(self) -> Any:
        """The value this state holds: what a task returned, the exception it raised, a dict of task states for a flow."""
        return self._result.value

    @result.setter
    def result(self, value: Any) -> None:
        self._result = value if isinstance(value, Result) else Result(value)

    def load_result(self, kind: Result | None = None) -> State:
        """Read the value from where it is kept, if it is not here; `kind` says how where the state does not."""
        known = self._result
        if known.value is None and known.location is not None:
            reader = known if known.keeps_values else kind
            if reader is None:
                raise InvalidArgument(f"Nothing says how to read the result at {known.location!r}.")
            self._result = reader.read(known.location)
        return self

    def unwrapped(self) -> State:
        """Return the state inside a Submitted, Queued or ClientFailed; any other state is its own."""
        return self

    def is_pending(self) -> bool:
        return isinstance(self, Pending)

    def is_scheduled(self) -> bool:
        return isinstance(self, Scheduled | Queued)

    def is_queued(self) -> bool:
        return isinstance(self, Queued)

    def is_submitted(self) -> bool:
        return isinstance(self, Submitted)

    def is_meta_state(self) -> bool:
        return isinstance(self, _MetaState)

    def is_retrying(self) -> bool:
        return isinstance(self, Retrying)

    def is_running(self) -> bool:
        return isinstance(self, Running)

    def is_finished(self) -> bool:
        return isinstance(self, Finished)

    def is_successful(self) -> bool:
        return isinstance(self, Success)

    def is_failed(self) -> bool:
        return isinstance(self, Failed)

    def is_cached(self) -> bool:
        return isinstance(self, Cached)

    def is_mapped(self) -> bool:
        return isinstance(self, Mapped)

    def is_skipped(self) -> bool:
        return isinstance(self, Skipped)

    def is_looped(self) -> bool:
        return isinstance(self, Looped)

    @classmethod
    def children(cls, include_self: bool = False) -> list[type[State]]:
        """Return the kinds of states below this one."""
        below = [kind for child in cls.__subclasses__() for kind in child.children(include_self=True)]
        return [kind for kind in ([cls, *below] if include_self else below) if not kind.__name__.startswith("_")]

    @classmethod
    def parents(cls, include_self: bool = False) -> list[type[State]]:
        """Return the kinds of states above this one, the nearest first."""
        return [kind for kind in cls.__mro__[0 if include_self else 1 :] if issubclass(kind, State)]

    def serialize(self) -> dict[str, Any]:
        """Return the state as JSON values. Results are told by kind and location, never by value (but inline ones)."""
        from headwater.engine.state_serialization import serialize_state

        return serialize_state(self)

    @staticmethod
    def deserialize(data: dict[str, Any]) -> State:
        """Return the state that `serialize` wrote.

        Raises:
            InvalidArgument: no state is called so.

        """
        from headwater.engine.state_serialization import deserialize_state

        return deserialize_state(data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return (
            type(self) is type(other)
            and bool(self.result == other.result)
            and all(getattr(self, name) == getattr(other, name) for name in self.extra_fields)
        )

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        words = f': "{self.message}"' if self.message else ""
        return f"<{type(self).__name__}{words}>"


class Pending(State):
    """Nothing has happened yet."""

    __slots__ = ()
    color = "#7ebdff"


class Scheduled(Pending):
    """May start at `start_time`; now, if none is given."""

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
        self.start_time: datetime | None = aware(start_time) if start_time is not None else datetime.now(UTC)


class Paused(Scheduled):
    """Waits until `start_time`, or until somebody resumes it where that is None."""

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
    """Somebody let it go on."""

    __slots__ = ()
    color = "#f58c0c"


class Retrying(Scheduled):
    """Failed after `run_count` executions; the next is due at `start_time`."""

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
        run_count: int = 1,
    ) -> None:
        super().__init__(message, result, start_time, context, cached_inputs)
        self.run_count = run_count


class _MetaState(State):
    """Around another state, which tells what is so apart from it."""

    __slots__ = ("state",)
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

    def unwrapped(self) -> State:
        return self if self.state is None else self.state.unwrapped()


class Submitted(_MetaState):
    """Handed to an agent, which has not started it yet."""

    __slots__ = ()
    color = "#ffdf5d"


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
        self.start_time = aware(start_time) if start_time is not None else datetime.now(UTC)


class ClientFailed(_MetaState):
    """Failed where it could not be recorded."""

    __slots__ = ()
    color = "#eb0000"


class Running(State):
    """Being executed."""

    __slots__ = ()
    color = "#3d67ff"


class Cancelling(Running):
    """Being stopped by request."""

    __slots__ = ()
    color = "#E8E8E8"


class Finished(State):
    """Over, one way or the other."""

    __slots__ = ()
    color = "#003ccb"


class Success(Finished):
    """Ended well."""

    __slots__ = ()
    color = "#28a745"


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
        self.cached_result_expiration = None if cached_result_expiration is None else aware(cached_result_expiration)
        self.hashed_inputs = hashed_inputs
        self.cache_key: str | None = None
        """Under which key the result is remembered for others; None where it was remembered already."""


class Mapped(Success):
    """Became `n_map_states` task runs, whose states are `map_states`."""

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
        self.n_map_states = len(self.map_states) if n_map_states is None else n_map_states


class Skipped(Success):
    """Did not run, and that is no failure."""

    __slots__ = ()
    color = "#62757f"


class Failed(Finished):
    """Ended badly; `result` is the exception where there was one."""

    __slots__ = ()
    color = "#eb0000"


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
    """Ran for the `loop_count`-th time and asked to run again."""

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
        self.loop_count = loop_count
