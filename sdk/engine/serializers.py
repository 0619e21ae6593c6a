"""How the values of results become bytes."""

from __future__ import annotations

import bz2
import json
import lzma
import pickle
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.moments import standard_moment


class Serializer(ABC):
    """Turns a value into bytes and back."""

    @abstractmethod
    def serialize(self, value: Any) -> bytes: ...

    @abstractmethod
    def deserialize(self, value: bytes) -> Any: ...

    def reference(self) -> dict[str, Any]:
        """Return what tells another process how to read the bytes, as JSON values; `serializer_from` reads it."""
        return {"type": type(self).__name__}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))


_PLAIN = frozenset({bool, bytes, float, int, str})


class PickleSerializer(Serializer):
    """Any value that cloudpickle can write. Read only what you trust: loading a pickle runs code."""

    def serialize(self, value: Any) -> bytes:
        if type(value) in _PLAIN:  # the same bytes, in a seventh of the time
            return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        from headwater.utilities.pickling import dumps

        return dumps(value)

    def deserialize(self, value: bytes) -> Any:
        import cloudpickle

        return cloudpickle.loads(value)


class JSONSerializer(Serializer):
    """JSON values, as UTF-8."""

    def serialize(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def deserialize(self, value: bytes) -> Any:
        return json.loads(value)


class DateTimeSerializer(Serializer):
    """A `datetime`, as ISO 8601."""

    def serialize(self, value: Any) -> bytes:
        if not isinstance(value, datetime):
            raise InvalidArgument(f"A DateTimeSerializer takes a datetime, not {value!r}.")
        return standard_moment(value).isoformat().encode()

    def deserialize(self, value: bytes) -> Any:
        return datetime.fromisoformat(value.decode())


class PandasSerializer(Serializer):
    """A pandas data frame, in one of pandas' own formats: `csv`, `parquet`, `feather`, `json`, ... Needs pandas.

    Args:
        file_type: the format: `pandas.read_<file_type>` and `DataFrame.to_<file_type>` are used.
        deserialize_kwargs: arguments for the former.
        serialize_kwargs: arguments for the latter.

    Raises:
        InvalidArgument: pandas is not installed, or has no such format.

    """

    def __init__(
        self, file_type: str, deserialize_kwargs: Mapping[str, Any] | None = None, serialize_kwargs: Mapping[str, Any] | None = None
    ) -> None:
        self.file_type = file_type
        self.deserialize_kwargs = dict(deserialize_kwargs or {})
        self.serialize_kwargs = dict(serialize_kwargs or {})
        pandas = _pandas()
        if not hasattr(pandas, f"read_{file_type}") or not hasattr(pandas.DataFrame, f"to_{file_type}"):
            raise InvalidArgument(
                f"Pandas cannot read and write {file_type!r}.", hint="Choose csv, parquet, json, or another of its formats."
            )

    def serialize(self, value: Any) -> bytes:
        buffer = BytesIO()
        getattr(value, f"to_{self.file_type}")(buffer, **self.serialize_kwargs)
        return buffer.getvalue()

    def deserialize(self, value: bytes) -> Any:
        return getattr(_pandas(), f"read_{self.file_type}")(BytesIO(value), **self.deserialize_kwargs)

    def reference(self) -> dict[str, Any]:
        return {**super().reference(), "file_type": self.file_type, "deserialize_kwargs": self.deserialize_kwargs}


def _pandas() -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise InvalidArgument("A PandasSerializer needs pandas.", hint="pip install 'headwater[pandas]'") from error
    return pd


_COMPRESSIONS: dict[str, tuple[Callable[..., bytes], Callable[..., bytes]]] = {
    "zlib": (zlib.compress, zlib.decompress),
    "bz2": (bz2.compress, bz2.decompress),
    "lzma": (lzma.compress, lzma.decompress),
}


class CompressedSerializer(Serializer):
    """What another serializer writes, compressed by `format`: "zlib", "bz2" or "lzma".

    Raises:
        InvalidArgument: there is no such format.

    """

    def __init__(
        self,
        serializer: Serializer,
        format: str = "zlib",  # noqa: A002 - the name people know
        compress_kwargs: Mapping[str, Any] | None = None,
        decompress_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        if format not in _COMPRESSIONS:
            raise InvalidArgument(f"There is no compression {format!r}.", hint=f"Choose {', '.join(_COMPRESSIONS)}.")
        self.serializer = serializer
        self.format = format
        self.compress_kwargs = dict(compress_kwargs or {})
        self.decompress_kwargs = dict(decompress_kwargs or {})

    def serialize(self, value: Any) -> bytes:
        return _COMPRESSIONS[self.format][0](self.serializer.serialize(value), **self.compress_kwargs)

    def deserialize(self, value: bytes) -> Any:
        return self.serializer.deserialize(_COMPRESSIONS[self.format][1](value, **self.decompress_kwargs))

    def reference(self) -> dict[str, Any]:
        return {**super().reference(), "format": self.format, "serializer": self.serializer.reference()}


def serializer_from(data: Mapping[str, Any] | None) -> Serializer | None:
    """Return the serializer that `reference` told of; None for nothing, and for a kind of the user's own."""
    match data:
        case {"type": "CompressedSerializer", "serializer": inner, "format": kind}:
            within = serializer_from(inner)
            return None if within is None else CompressedSerializer(within, kind)
        case {"type": "PandasSerializer", "file_type": file_type, **more}:
            arguments: Any = more.get("deserialize_kwargs")
            return PandasSerializer(file_type, arguments)
        case {"type": str(name)}:
            plain = {each.__name__: each for each in (PickleSerializer, JSONSerializer, DateTimeSerializer)}.get(name)
            return None if plain is None else plain()
    return None
