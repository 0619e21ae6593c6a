"""Values that a run kept by itself for its next attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.sdk.results.result import Result
from headwater.sdk.results.serializers import PickleSerializer


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

    def exists(self, location: str, **kwargs: Any) -> bool:  # noqa: ARG002 - where it is does not depend on it
        return Path(location.rpartition("#")[0]).exists()
