"""What a task returned, and where it is kept: `Result` and its kinds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from headwater.core.errors import InvalidArgument
from headwater.core.json_values import json_problem
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
        """Return what may be told about the result outside of the process: kind, location and form, never the value."""
        told: dict[str, Any] = {"type": type(self).__name__, "location": self.location}
        if self.serializer is not None and not isinstance(self.serializer, PickleSerializer):
            told["serializer"] = self.serializer.reference()
        return told

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
        if (problem := inline_problem(value)) is not None:
            raise InvalidArgument(f"An InlineResult {problem}.", hint="Keep this value elsewhere, for example with a LocalResult.")
        return self.at(None, value)

    def read(self, location: str) -> Result:
        """Return a result with the value that `location` is the JSON of."""
        return self.at(None, json.loads(location))

    def exists(self, location: str, **context: Any) -> bool:  # noqa: ARG002 - it lies nowhere
        return False

    def reference(self) -> dict[str, Any]:
        return {**super().reference(), "value": self.value}


def inline_problem(value: Any) -> str | None:
    """Return what keeps a value from being kept in an event, as the rest of a sentence on what it holds; None where nothing does."""
    from headwater.core.json_bytes import json_bytes  # brings what most flows do not need

    if (problem := json_problem(value)) is not None:
        return f"holds JSON values only: {problem}"
    size = len(json_bytes(value))
    return None if size <= INLINE_BYTES_MAX else f"holds at most {INLINE_BYTES_MAX} bytes; this value has {size}"


class ChildRunResult(InlineResult):
    """The id of a run that a task created: who cancels the task's run finds it in the run's events, and cancels that one too."""

    __slots__ = ()


PrefectResult = InlineResult
"""The name under which flows written for Prefect 1 know it."""


class SecretResult(Result):
    """The result of a task that gives a secret. It is never written; `read` has the task ask for it again."""

    def __init__(self, secret_task: Any) -> None:
        super().__init__(location=secret_task.name)
        self.secret_task = secret_task

    def read(self, location: str) -> Result:
        return self.at(location, self.secret_task.run(name=location))

    def exists(self, location: str, **context: Any) -> bool:  # noqa: ARG002 - whether it is there, asking tells
        return True


class LocalResult(Result):
    """Keeps values as files below `dir` (default: `results` in Headwater's home directory).

    Files are written whole or not at all, in folders that are made as needed. The default location is
    `<flow name>/<run id>/<task slug>[-<map index>][-<attempt>][-loop<count>]`.

    Raises:
        InvalidArgument: with `validate_dir`, `dir` is there and is no folder.

    """

    def __init__(
        self,
        dir: str | Path | None = None,  # noqa: A002 - the name people know
        validate_dir: bool = True,
        *,
        location: str | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        super().__init__(location=location, serializer=serializer)
        self.dir = str(Path(dir).expanduser().absolute()) if dir is not None else None
        if validate_dir and self.dir is not None and Path(self.dir).exists() and not Path(self.dir).is_dir():
            raise InvalidArgument(f"A LocalResult keeps values in a folder, and {self.dir} is none.", hint="Give dir the path of a folder.")

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


class CheckpointResult(Result):
    """A value that a run kept by itself for its next attempt: a part of a file, at `<path>#<offset>+<length>`."""

    __slots__ = ()

    @property
    def keeps_values(self) -> bool:
        return True

    def read(self, location: str) -> Result:
        path, _, place = location.rpartition("#")
        offset, _, length = place.partition("+")
        with Path(path).open("rb") as file:
            file.seek(int(offset))
            data = file.read(int(length))
        return self.at(location, PickleSerializer().deserialize(data))

    def exists(self, location: str, **context: Any) -> bool:  # noqa: ARG002 - where it is does not depend on it
        return Path(location.rpartition("#")[0]).exists()


def default_location(context: dict[str, Any]) -> str:
    """Return a location that no other task run, no other attempt, and no other round of a loop uses."""
    last = [file_name(str(context.get("task_slug", "value")))]
    if context.get("map_index") is not None:
        last.append(str(context["map_index"]))
    if "attempt" in context:
        last.append(str(context["attempt"]))
    if "task_loop_count" in context:
        last.append(f"loop{context['task_loop_count']}")
    folders = (file_name(str(context.get(key, "unnamed"))) for key in ("flow_name", "flow_run_id"))
    return "/".join([*folders, "-".join(last)])


class _RemoteResult(Result):
    """Keeps values as objects in a bucket, through `fsspec`. Locations are templates of keys; results hold whole addresses."""

    protocol: ClassVar[str]
    extra: ClassVar[str]

    def __init__(
        self, bucket: str | None = None, *, location: str | None = None, serializer: Serializer | None = None, **options: Any
    ) -> None:
        super().__init__(location=location, serializer=serializer)
        self.bucket = bucket
        self.options = options

    def write(self, value: Any, **context: Any) -> Result:
        address = self._address(self.location.format(**context) if self.location else default_location(context))
        self._files().pipe_file(address, (self.serializer or PickleSerializer()).serialize(value))
        return self.at(address, value)

    def read(self, location: str) -> Result:
        address = self._address(location)
        return self.at(address, (self.serializer or PickleSerializer()).deserialize(self._files().cat_file(address)))

    def exists(self, location: str, **context: Any) -> bool:
        return bool(self._files().exists(self._address(location.format(**context))))

    def _address(self, location: str) -> str:
        if "://" in location:
            return location
        if not self.bucket:
            raise InvalidArgument(f"{type(self).__name__}: {location!r} lies in no bucket.", hint="Name one.")
        return f"{self.protocol}://{self.bucket}/{location.lstrip('/')}"

    def _files(self) -> Any:
        try:
            import fsspec

            return fsspec.filesystem(self.protocol, use_listings_cache=False, **self.options)
        except ImportError as error:
            raise InvalidArgument(
                f"{type(self).__name__} needs a library that is not installed: {error}.", hint=f"pip install 'headwater[{self.extra}]'"
            ) from error


class S3Result(_RemoteResult):
    """Keeps values in a bucket of S3, or of what speaks its language.

    Keys and region come from where AWS's own tools find them. `boto3_kwargs` are those of a boto3 client (`endpoint_url`,
    `region_name`, `aws_access_key_id`, ...); other arguments are those of `s3fs.S3FileSystem`. Needs `headwater[s3]`.
    """

    protocol = "s3"
    extra = "s3"

    def __init__(
        self,
        bucket: str | None = None,
        boto3_kwargs: Mapping[str, Any] | None = None,
        *,
        location: str | None = None,
        serializer: Serializer | None = None,
        **options: Any,
    ) -> None:
        if boto3_kwargs:
            options = {**options, "client_kwargs": {**boto3_kwargs, **options.get("client_kwargs", {})}}
        super().__init__(bucket, location=location, serializer=serializer, **options)


class GCSResult(_RemoteResult):
    """Keeps values in a bucket of Google Cloud Storage; further arguments are those of `gcsfs.GCSFileSystem`. Needs `headwater[gcs]`."""

    protocol = "gs"
    extra = "gcs"


class AzureResult(_RemoteResult):
    """Keeps values in a container of Azure Blob Storage; further arguments are those of `adlfs`. Needs `headwater[azure]`.

    The connection string is `connection_string`, the secret that `connection_string_secret` names, or what the variable
    `AZURE_STORAGE_CONNECTION_STRING` says.
    """

    protocol = "abfs"
    extra = "azure"

    def __init__(
        self,
        container: str | None = None,
        connection_string: str | None = None,
        *,
        connection_string_secret: str | None = None,
        location: str | None = None,
        serializer: Serializer | None = None,
        **options: Any,
    ) -> None:
        if connection_string is not None:
            options = {**options, "connection_string": connection_string}
        self.connection_string_secret = connection_string_secret
        super().__init__(container, location=location, serializer=serializer, **options)

    def _files(self) -> Any:
        if self.connection_string_secret is not None and "connection_string" not in self.options:
            from headwater.utilities.secrets import Secret

            self.options = {**self.options, "connection_string": Secret(self.connection_string_secret).get()}
            try:
                return super()._files()
            finally:
                self.options = {name: value for name, value in self.options.items() if name != "connection_string"}
        return super()._files()
