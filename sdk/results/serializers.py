"""How the values of results become bytes."""

from __future__ import annotations

import base64
import importlib
import json
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.values.moments import assume_utc, parsed_moment


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
        from headwater.sdk.context.pickling import dumps

        return dumps(value)

    def deserialize(self, value: bytes) -> Any:
        import cloudpickle

        try:
            return cloudpickle.loads(value)
        except Exception:
            # The first versions of Prefect wrote pickles as text.
            try:
                plain = base64.b64decode(value, validate=True)
            except ValueError:
                plain = b""
            if not plain.startswith(b"\x80"):
                raise
            return cloudpickle.loads(plain)


class JSONSerializer(Serializer):
    """JSON values, as UTF-8."""

    def serialize(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def deserialize(self, value: bytes) -> Any:
        return json.loads(value)


class DateTimeSerializer(Serializer):
    """A `datetime`, as ISO 8601; one without a time zone is in UTC, and comes back so."""

    def serialize(self, value: Any) -> bytes:
        if not isinstance(value, datetime):
            raise InvalidArgument(f"A DateTimeSerializer takes a datetime, not {value!r}.")
        return assume_utc(value).isoformat().encode()

    def deserialize(self, value: bytes) -> Any:
        return parsed_moment(value.decode())


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


class CompressionNotInstalled(InvalidArgument, ImportError):
    """No module of this name can be imported here. `format` is its name."""

    def __init__(self, format: str) -> None:  # noqa: A002 - see CompressedSerializer
        self.format = format
        super().__init__(f"The compression {format!r} is not installed.", hint="Choose bz2, gzip, lzma or zlib, or install its package.")


class CompressedSerializer(Serializer):
    """What another serializer writes, compressed.

    Args:
        serializer: the other.
        format: the module that compresses: `bz2`, `gzip`, `lzma`, `zlib`, or another with the two functions.
        compress: in the place of `format`, a function of bytes that returns bytes.
        decompress: the function that makes the former of the latter.
        compress_kwargs: further arguments for `compress`.
        decompress_kwargs: further arguments for `decompress`.

    Raises:
        InvalidArgument: neither a format nor functions were given, or both, or one function; or the module has no such functions.
        CompressionNotInstalled: there is no such module here.

    """

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        serializer: Serializer,
        format: str | None = None,  # noqa: A002 - the name people know
        compress: Callable[..., bytes] | None = None,
        decompress: Callable[..., bytes] | None = None,
        compress_kwargs: Mapping[str, Any] | None = None,
        decompress_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        has_functions = compress is not None or decompress is not None
        if has_functions == (format is not None) or (compress is None) != (decompress is None):
            raise InvalidArgument(
                "A CompressedSerializer takes either a format, or the two functions compress and decompress.",
                hint="Write CompressedSerializer(PickleSerializer(), format='gzip').",
            )
        self.serializer = serializer
        self.format = format
        self.compress, self.decompress = compress, decompress
        self.compress_kwargs = dict(compress_kwargs or {})
        self.decompress_kwargs = dict(decompress_kwargs or {})
        self._functions()

    def _functions(self) -> tuple[Callable[..., bytes], Callable[..., bytes]]:
        if self.format is None:
            assert self.compress is not None
            assert self.decompress is not None
            return self.compress, self.decompress
        try:
            module = importlib.import_module(self.format)
        except ImportError as error:
            raise CompressionNotInstalled(self.format) from error
        if not hasattr(module, "compress") or not hasattr(module, "decompress"):
            raise InvalidArgument(
                f"The {self.format!r} module does not have 'compress' and 'decompress' functions.", hint="Choose bz2, gzip, lzma or zlib."
            )
        return module.compress, module.decompress

    def serialize(self, value: Any) -> bytes:
        return self._functions()[0](self.serializer.serialize(value), **self.compress_kwargs)

    def deserialize(self, value: bytes) -> Any:
        return self.serializer.deserialize(self._functions()[1](value, **self.decompress_kwargs))

    def reference(self) -> dict[str, Any]:
        return {**super().reference(), "format": self.format, "serializer": self.serializer.reference()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CompressedSerializer) and self._parts() == other._parts()

    __hash__ = Serializer.__hash__

    def _parts(self) -> tuple[Any, ...]:
        return self.serializer, self._functions(), self.compress_kwargs, self.decompress_kwargs


_KNOWN_COMPRESSIONS = frozenset({"blosc", "brotli", "bz2", "gzip", "lz4.frame", "lzma", "snappy", "zlib", "zstandard"})
"""Of what events tell, only these are imported: what others wrote must not choose what runs here."""


def serializer_from(data: Mapping[str, Any] | None) -> Serializer | None:
    """Return the serializer that `reference` told of; None for nothing, and for a kind of the user's own."""
    match data:
        case {"type": "CompressedSerializer", "serializer": inner, "format": str(kind)} if kind in _KNOWN_COMPRESSIONS:
            within = serializer_from(inner)
            return None if within is None else CompressedSerializer(within, kind)
        case {"type": "PandasSerializer", "file_type": file_type, **more}:
            arguments: Any = more.get("deserialize_kwargs")
            return PandasSerializer(file_type, arguments)
        case {"type": str(name)}:
            plain = {each.__name__: each for each in (PickleSerializer, JSONSerializer, DateTimeSerializer)}.get(name)
            return None if plain is None else plain()
    return None
