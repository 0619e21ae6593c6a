"""A task's value, in memory: what all kinds of results have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from logging import Logger
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from headwater.sdk.results.serializers import PickleSerializer, Serializer

if TYPE_CHECKING:
    Location = str | Callable[..., str] | None


class ResultNotImplementedError(NotImplementedError):
    """This kind of result does not keep values."""


class Result:
    """A task's value, in memory; kinds that can keep it elsewhere implement `read`, `write` and `exists`.

    A kind of your own looks like this:

        class Folder(Result):
            def write(self, value_, **kwargs):
                new = self.format(**kwargs)
                new.value = value_
                Path(new.location).write_bytes(self.serializer.serialize(value_))
                return new

            def read(self, location):
                new = self.copy()
                new.location, new.value = location, self.serializer.deserialize(Path(location).read_bytes())
                return new

            def exists(self, location, **kwargs):
                return Path(location.format(**kwargs)).exists()

    Args:
        value: the value.
        location: where the value is kept, or a template for it, filled with the keys of the task's context; or a function that is
            given these and returns the location.
        serializer: how the value becomes bytes; a `PickleSerializer` by default.
        validators: functions of a result, which `validate` calls.
        run_validators: accepted for flows written for other versions; `validate` is called by the flow's own code.

    """

    __slots__ = ("_formatter", "_serializer", "_validators", "location", "value")

    def __init__(
        self,
        value: Any = None,
        location: Location = None,
        serializer: Serializer | None = None,
        *,
        validators: Iterable[Callable[[Result], bool]] | None = None,
        run_validators: bool = True,
    ) -> None:
        self.value = value
        self.location: str | None = None
        if location is not None:
            if isinstance(location, str):
                self.location = location
            else:
                self._formatter = location
        self._serializer = serializer
        if validators is not None or not run_validators:
            self._validators = tuple(validators or ())

    @property
    def serializer(self) -> Serializer:
        """How the value becomes bytes."""
        return self._serializer or PickleSerializer()

    @serializer.setter
    def serializer(self, chosen: Serializer | None) -> None:
        self._serializer = chosen

    @property
    def validators(self) -> tuple[Callable[[Result], bool], ...]:
        """Functions of a result that tell whether its value is good."""
        return getattr(self, "_validators", ())

    @property
    def template(self) -> str | Callable[..., str] | None:
        """What a location is made of: the location, or the function that makes one; None where nothing says."""
        return self.location if self.location is not None else getattr(self, "_formatter", None)

    @property
    def logger(self) -> Logger:
        """The logger of this kind of result."""
        from headwater.sdk.context.logging import get_logger

        return get_logger(type(self).__name__)

    @property
    def keeps_values(self) -> bool:
        """Whether `write` puts values where another process can read them."""
        return type(self).write is not Result.write

    @property
    def default_location(self) -> str:
        """A location that no other value has: where a value is kept if nothing says where."""
        today = datetime.now(UTC)
        return f"{today.year}/{today.month}/{today.day}/{uuid4()}.result"

    def format(self, **kwargs: Any) -> Self:
        """Return a copy whose location is filled with these values; without a location, `default_location`."""
        twin = self.copy()
        filled = self._filled(kwargs)
        twin.location = self.default_location if filled is None else filled
        return twin

    def _filled(self, values: dict[str, Any]) -> str | None:
        """Return the location filled with these values; None where nothing says one."""
        template = self.template
        if template is None:
            return None
        return template.format(**values) if isinstance(template, str) else template(**values)

    def from_value(self, value: Any) -> Self:
        """Return a copy with another value, and without a location."""
        return self.at(None, value)

    def validate(self) -> bool:
        """Tell whether all `validators` return true for this result; what they raise is raised."""
        return all([validator(self) for validator in self.validators])  # noqa: C419 - each is called

    def write(self, value_: Any, **kwargs: Any) -> Result:  # noqa: ARG002 - what each kind is given
        """Keep the value and return a new result that holds it with its location."""
        raise ResultNotImplementedError(f"{type(self).__name__} does not keep values.")

    def read(self, location: str) -> Result:  # noqa: ARG002 - what each kind is given
        """Return a new result with the value kept at `location`."""
        raise ResultNotImplementedError(f"{type(self).__name__} does not keep values.")

    def exists(self, location: str, **kwargs: Any) -> bool:  # noqa: ARG002 - what each kind is given
        """Tell whether a value is kept at `location`, a template filled with `kwargs`."""
        raise ResultNotImplementedError(f"{type(self).__name__} does not keep values.")

    def at(self, location: str | None, value: Any = None) -> Self:
        """Return a copy with another location and value."""
        twin = self.copy()
        twin.location, twin.value = location, value
        return twin

    def copy(self) -> Self:
        """Return another result with the same fields."""
        twin = object.__new__(type(self))
        for name in Result.__slots__:
            if hasattr(self, name):
                setattr(twin, name, getattr(self, name))
        if (own := getattr(self, "__dict__", None)) is not None:  # of kinds with fields of their own; the others have none
            vars(twin).update(own)
        return twin

    def reference(self) -> dict[str, Any]:
        """Return what may be told about the result outside of the process: kind, location and form, never the value."""
        told: dict[str, Any] = {"type": type(self).__name__, "location": self.location}
        if self._serializer is not None and not isinstance(self._serializer, PickleSerializer):
            told["serializer"] = self._serializer.reference()
        return told

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return (
            type(self) is type(other)
            and self.location == other.location
            and bool(self.value == other.value)
            and self.serializer == other.serializer
            and getattr(self, "__dict__", None) == getattr(other, "__dict__", None)
        )

    __hash__ = None  # type: ignore[assignment]

    def __setstate__(self, state: Any) -> None:
        # Results that were pickled when the serializer was a field of its own are read as well.
        own, fields = state if isinstance(state, tuple) else (state, None)
        if own:
            vars(self).update(own)
        for name, value in (fields or {}).items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        if self.location:
            return f"<{type(self).__name__}: {self.location!r}>"
        return f"<{type(self).__name__}: {self.value!r}>"


class NoResultType(Result):
    """The absence of a result; its value is None."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "NoResult"

    def __repr__(self) -> str:
        return "<No result>"


NoResult = NoResultType()
