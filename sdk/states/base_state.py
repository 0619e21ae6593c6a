"""What all states have in common: a message, a result, a context, and what is asked of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, overload

from headwater.core.errors import InvalidArgument
from headwater.core.text import shown
from headwater.sdk.context.values import current_values
from headwater.sdk.results import NoResult, Result


class State:
    """Base of all states.

    `message` is the words, `result` the value. `context` holds further JSON values; a state that is made inside a task
    has the task's tags there, as `context["tags"]`. `cached_inputs` are inputs as `Result`s, by the argument's name.

    Equal states have the same class, result, inputs and extra fields; the message and the context may differ.
    """

    # Known under this name, in pickles too, since before its kinds had a module of their own.
    __module__ = "headwater.sdk.states.state"
    __slots__ = ("_context", "_inputs", "_result", "_tags", "message")

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
        # A run of many tasks has many states, and few of them are ever asked for these: the dicts are made when they are.
        self._context = context
        self._inputs = cached_inputs
        self._tags: Collection[str] | None = current_values.get().get("task_tags")

    @property
    def context(self) -> dict[str, Any]:
        """JSON values that belong to the state; of a state made inside a task also the task's tags."""
        if self._context is None:
            self._context = {}
        if self._tags is not None:
            self._context.setdefault("tags", list(self._tags))
            self._tags = None
        return self._context

    @context.setter
    def context(self, values: dict[str, Any] | None) -> None:
        self._context, self._tags = values, None

    @property
    def cached_inputs(self) -> dict[str, Result]:
        """The inputs that belong to the state, by the argument's name."""
        if self._inputs is None:
            self._inputs = {}
        return self._inputs

    @cached_inputs.setter
    def cached_inputs(self, inputs: dict[str, Result] | None) -> None:
        self._inputs = inputs

    @property
    def result(self) -> Any:
        """The value this state holds: what a task returned, the exception it raised, a dict of task states for a flow."""
        return self._result.value

    @result.setter
    def result(self, value: Any) -> None:
        self._result = value if isinstance(value, Result) else Result(value)

    def load_result(self, result: Result | None = None) -> State:
        """Read the value from where it is kept, if it is not here, and return this state.

        Args:
            result: how the value is read; by default, the state's own result says so.

        Raises:
            InvalidArgument: the value is kept elsewhere, and nothing says how it is read.

        """
        known = self._result
        if known.value is None and known.location is not None:
            reader = result or known
            if not reader.keeps_values and type(reader).read is Result.read:
                raise InvalidArgument(f"Nothing says how to read the result at {known.location!r}.")
            self._result = reader.read(known.location)
        return self

    def load_cached_results(self, results: Mapping[str, Result | None] | None = None) -> State:
        """Read those `cached_inputs` that are kept elsewhere, and return this state.

        Args:
            results: how inputs are read, by the argument's name; by default, each input's own result says so.

        """
        readers = results or {}
        loaded: dict[str, Result] = {}
        for name, known in self.cached_inputs.items():
            reader = readers.get(name) or known
            location = known.location if known.location is not None else reader.location
            loaded[name] = reader.read(location) if known.value is None and location is not None else known
        self.cached_inputs = loaded
        return self

    def unwrapped(self) -> State:
        """Return the state inside a Submitted, Queued or ClientFailed; any other state is its own."""
        return self

    # What a state is, its kinds say of themselves: they are defined on top of this one.

    def is_pending(self) -> bool:
        return False

    def is_scheduled(self) -> bool:
        return False

    def is_queued(self) -> bool:
        return False

    def is_submitted(self) -> bool:
        return False

    def is_meta_state(self) -> bool:
        return False

    def is_retrying(self) -> bool:
        return False

    def is_running(self) -> bool:
        return False

    def is_finished(self) -> bool:
        return False

    def is_successful(self) -> bool:
        return False

    def is_failed(self) -> bool:
        return False

    def is_cached(self) -> bool:
        return False

    def is_mapped(self) -> bool:
        return False

    def is_skipped(self) -> bool:
        return False

    def is_looped(self) -> bool:
        return False

    @overload
    @classmethod
    def children(cls, include_self: bool = False, names_only: Literal[False] = False) -> list[type[State]]: ...
    @overload
    @classmethod
    def children(cls, include_self: bool = False, *, names_only: Literal[True]) -> list[str]: ...
    @classmethod
    def children(cls, include_self: bool = False, names_only: bool = False) -> list[type[State]] | list[str]:
        """Return the kinds of states below this one, or only their names."""
        below = [kind for child in cls.__subclasses__() for kind in child.children(include_self=True)]
        kinds = [kind for kind in ([cls, *below] if include_self else below) if not kind.__name__.startswith("_")]
        return [kind.__name__ for kind in kinds] if names_only else kinds

    @overload
    @classmethod
    def parents(cls, include_self: bool = False, names_only: Literal[False] = False) -> list[type[State]]: ...
    @overload
    @classmethod
    def parents(cls, include_self: bool = False, *, names_only: Literal[True]) -> list[str]: ...
    @classmethod
    def parents(cls, include_self: bool = False, names_only: bool = False) -> list[type[State]] | list[str]:
        """Return the kinds of states above this one, the nearest first, or only their names."""
        above = [kind for kind in cls.__mro__[1:] if issubclass(kind, State) and not kind.__name__.startswith("_")]
        kinds = [cls, *above] if include_self else above
        return [kind.__name__ for kind in kinds] if names_only else kinds

    def serialize(self) -> dict[str, Any]:
        """Return the state as JSON values. Results are written by kind and location, never by value (but inline ones)."""
        from headwater.sdk.states.serialization import serialize_state

        return serialize_state(self)

    @staticmethod
    def deserialize(json_blob: dict[str, Any]) -> State:
        """Return the state that `serialize` wrote.

        Raises:
            InvalidArgument: no state is called so.

        """
        from headwater.sdk.states.serialization import deserialize_state

        return deserialize_state(json_blob, {kind.__name__: kind for kind in State.children(include_self=True)})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return (
            type(self) is type(other)
            and bool(self.result == other.result)
            and (self._inputs or {}) == (other._inputs or {})
            and all(getattr(self, name) == getattr(other, name) for name in self.extra_fields)
        )

    __hash__ = object.__hash__

    def __getstate__(self) -> object:
        """Return what is pickled. An exception that cannot be, which a user's code may raise, is replaced by its words."""
        known: Any = object.__getstate__(self)
        error = self._result.value
        # A signal holds a state itself, and that perhaps the signal.
        if isinstance(error, Exception) and not hasattr(error, "state") and not _is_picklable(error):
            attributes, slots = known
            known = (attributes, {**slots, "_result": Result(shown(error))})
        return known

    def __repr__(self) -> str:
        words = f': "{self.message}"' if self.message is not None else ""
        return f"<{type(self).__name__}{words}>"


def _is_picklable(error: Exception) -> bool:
    import cloudpickle  # takes longer to import than most runs need

    try:
        cloudpickle.dumps(error)
    except Exception:  # noqa: BLE001 - pickling runs the exception's own code
        return False
    return True
