"""What a task returned, and where it is kept: `Result` and its kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from headwater.core.errors import InvalidArgument
from headwater.engine.serializers import PickleSerializer, Serializer
from headwater.utilities.configuration import home_directory
from headwater.utilities.files import file_name, write_whole

INLINE_BYTES_MAX = 64 * 1024


class Result:
    """A task's value, in memory; kinds that can keep it elsewhere implement `read`, `write` and `exists`.

    `location` says where the value is kept, or is a template for it, filled with the keys of the task's context.
    """

    __slots__ = ("location", "serializer", "value")

    def __init__(self, value: Any = None, location: str | None = None, serializer: Serializer | None = None) -> None:
        self.value = value
        self.location = location
        self.serializer = serializer

    @property
    def keeps_values(self) -> bool:
        """Whether `write` puts values where another process can read them."""
        return type(self).write is not Result.write

    def write(self, value: Any, **context: Any) -> Result:
        """Keep `value` and return a new result that holds it with its location."""
        raise NotImplementedError(f"{type(self).__name__} does not keep values.")

    def read(self, location: str) -> Result:
        """Return a new result with the value kept at `location`."""
        raise NotImplementedError(f"{type(self).__name__} does not keep values.")

    def exists(self, location: str, **context: Any) -> bool:
        """Tell whether a value is kept at `location`, a template filled with `context`."""
        raise NotImplementedError(f"{type(self).__name__} does not keep values.")

    def at(self, location: str | None, value: Any = None) -> Self:
        """Return a copy with another location and value."""
        twin = self.copy()
        twin.location, twin.value = location, value
        return twin

    def copy(self) -> Self:
        twin = object.__new__(type(self))
        # Kinds with fields of their own keep them in a dict; the others have none.
        for name in ("location", "serializer", "value", *getattr(self, "__dict__", ())):
            setattr(twin, name, getattr(self, name))
        return twin

    def reference(self) -> dict[str, Any]:
        """Return what may be told about the result outside of the process: kind and location, never the value."""
        return {"type": type(self).__name__, "location": self.location}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return self.location == other.location and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]

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


class ConstantResult(Result):
    """A value that is part of the flow's code."""

    __slots__ = ()

    def read(self, location: str) -> Result:
        return self.at(location, self.value)

    def exists(self, location: str, **context: Any) -> bool:  # noqa: ARG002 - it is always there
        return True


class InlineResult(Result):
    """Keeps the value itself, as JSON, in the run's events: at most 64 KB, visible to whoever may see the run.

    Raises:
        InvalidArgument: on writing what is not JSON, or too large.

    """

    __slots__ = ()

    def write(self, value: Any, **context: Any) -> Result:  # noqa: ARG002 - it lies nowhere
        try:
            text = json.dumps(value)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"An InlineResult holds JSON values only: {error}.", hint="Use a LocalResult.") from error
        if len(text.encode()) > INLINE_BYTES_MAX:
            raise InvalidArgument(
                f"An InlineResult holds at most {INLINE_BYTES_MAX} bytes; this value has {len(text.encode())}.",
                hint="Keep large values elsewhere, for example with a LocalResult.",
            )
        return self.at(None, value)

    def reference(self) -> dict[str, Any]:
        return {**super().reference(), "value": self.value}


class LocalResult(Result):
    """Keeps values as files below `dir` (default: `results` in Headwater's home directory).

    Files are written whole or not at all. The default location is
    `<flow name>/<run id>/<task slug>[-<map index>][-<attempt>]`.
    """

    def __init__(self, dir: str | Path | None = None, *, location: str | None = None, serializer: Serializer | None = None) -> None:  # noqa: A002 - the name people know
        super().__init__(location=location, serializer=serializer)
        self.dir = str(Path(dir).expanduser().absolute()) if dir is not None else None

    @property
    def folder(self) -> Path:
        return Path(self.dir) if self.dir is not None else home_directory() / "results"

    def _path(self, location: str) -> Path:
        return self.folder / location

    def write(self, value: Any, **context: Any) -> Result:
        location = self.location.format(**context) if self.location else default_location(context)
        path = self._path(location)
        write_whole(path, (self.serializer or PickleSerializer()).serialize(value))
        return self.at(str(path), value)

    def read(self, location: str) -> Result:
        data = self._path(location).read_bytes()
        return self.at(location, (self.serializer or PickleSerializer()).deserialize(data))

    def exists(self, location: str, **context: Any) -> bool:
        return self._path(location.format(**context)).exists()


def default_location(context: dict[str, Any]) -> str:
    """Return a location that no other task run, and no other attempt, uses."""
    last = [file_name(str(context.get("task_slug", "value")))]
    if context.get("map_index", -1) >= 0:
        last.append(str(context["map_index"]))
    if "attempt" in context:
        last.append(str(context["attempt"]))
    folders = (file_name(str(context.get(key, "unnamed"))) for key in ("flow_name", "flow_run_id"))
    return "/".join([*folders, "-".join(last)])
