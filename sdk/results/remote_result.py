"""Values as objects in buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from headwater.core.errors import InvalidArgument
from headwater.sdk.results.local_result import default_location
from headwater.sdk.results.result import Result

_OF_EVERY_RESULT = frozenset({"value", "location", "serializer", "validators", "run_validators"})


class RemoteResult(Result):
    """Keeps values as objects in a bucket, through `fsspec`. Locations are templates of keys; results hold whole addresses."""

    protocol: ClassVar[str]
    extra: ClassVar[str]
    upload_options: Mapping[str, Any] = {}
    """Further arguments for what writes an object."""

    def __init__(self, bucket: str | None = None, **options: Any) -> None:
        settings = {name: options.pop(name) for name in _OF_EVERY_RESULT & options.keys()}
        super().__init__(**settings)
        self.bucket = bucket
        self.options = options

    def write(self, value_: Any, **kwargs: Any) -> Result:
        filled = self._filled(kwargs)
        address = self._address(default_location(kwargs) if filled is None else filled)
        self._files().pipe_file(address, self.serializer.serialize(value_), **self.upload_options)
        return self.at(address, value_)

    def read(self, location: str) -> Result:
        address = self._address(location)
        return self.at(address, self.serializer.deserialize(self._files().cat_file(address)))

    def exists(self, location: str, **kwargs: Any) -> bool:
        return bool(self._files().exists(self._address(location.format(**kwargs))))

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
