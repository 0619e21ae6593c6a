"""Values that lie in the events of the run."""

from __future__ import annotations

from typing import Any

from headwater.core.errors import InvalidArgument, WrongType
from headwater.core.values.bounds import INLINE_RESULT_BYTES_MAX
from headwater.core.values.json_values import json_problem
from headwater.sdk.results.result import Result
from headwater.sdk.results.serializers import DateTimeSerializer, JSONSerializer, Serializer

INLINE_BYTES_MAX = INLINE_RESULT_BYTES_MAX


class InlineResult(Result):
    """Keeps the value itself, as JSON, in the run's events: at most 64 KB, visible to everyone who may see the run.

    Its location is the text that is kept. With a `DateTimeSerializer` the value is a moment.

    Raises:
        InvalidArgument: on writing what is not JSON, or too large.
        WrongType: another serializer than these two was given.

    """

    __slots__ = ()

    def __init__(self, value: Any = None, location: str | None = None, serializer: Serializer | None = None, **settings: Any) -> None:
        super().__init__(value, location, **settings)
        self.serializer = serializer or JSONSerializer()

    @property
    def serializer(self) -> Serializer:
        return self._serializer or JSONSerializer()

    @serializer.setter
    def serializer(self, chosen: Serializer | None) -> None:
        if chosen is not None and not isinstance(chosen, JSONSerializer | DateTimeSerializer):
            raise WrongType(
                f"A PrefectResult is kept as JSON, and {type(chosen).__name__} writes something else.",
                hint="Leave serializer out, or keep the value elsewhere, for example with a LocalResult.",
            )
        self._serializer = chosen

    def write(self, value_: Any, **kwargs: Any) -> Result:  # noqa: ARG002 - it lies nowhere
        if not self._holds_moments and (problem := inline_problem(value_)) is not None:
            raise InvalidArgument(f"An InlineResult {problem}.", hint="Keep this value elsewhere, for example with a LocalResult.")
        return self.at(self.serializer.serialize(value_).decode(), value_)

    def read(self, location: str) -> Result:
        """Return a result with the value that the text `location` is made of."""
        return self.at(location, self.serializer.deserialize(location.encode()))

    def exists(self, location: Any, **kwargs: Any) -> bool:  # noqa: ARG002 - it lies nowhere
        """Tell whether `location` is the text of a value."""
        try:
            self.read(location)
        except (AttributeError, TypeError, ValueError, RecursionError):
            return False
        return True

    def reference(self) -> dict[str, Any]:
        told: dict[str, Any] = {"type": type(self).__name__, "location": None, "value": self.value}
        if self._holds_moments and self.value is not None:
            told |= {"value": self.serializer.serialize(self.value).decode(), "serializer": self.serializer.reference()}
        return told

    @property
    def _holds_moments(self) -> bool:
        return isinstance(self.serializer, DateTimeSerializer)


def inline_problem(value: Any) -> str | None:
    """Return what keeps a value from being kept in an event, as the rest of a sentence on what it holds; None where nothing does."""
    from headwater.core.values.json_bytes import json_bytes  # brings what most flows do not need

    if (problem := json_problem(value)) is not None:
        return f"holds JSON values only: {problem}"
    size = len(json_bytes(value))
    return None if size <= INLINE_BYTES_MAX else f"holds at most {INLINE_BYTES_MAX} bytes; this value has {size}"


class ChildRunResult(InlineResult):
    """The id of a run that a task created: who cancels the task's run finds it in the run's events, and cancels that one too."""

    __slots__ = ()


PrefectResult = InlineResult
"""The name under which flows written for Prefect 1 know it."""
