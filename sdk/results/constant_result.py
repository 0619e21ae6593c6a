"""Values that are part of the flow's code."""

from __future__ import annotations

from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.results.result import Result


class ConstantResult(Result):
    """A value that is part of the flow's code.

    Raises:
        InvalidArgument: on writing, since there is nothing to write, and for a serializer.

    """

    __slots__ = ()

    def __init__(self, value: Any = None, location: str | None = None, **settings: Any) -> None:
        if "serializer" in settings:
            raise InvalidArgument("A ConstantResult takes no serializer: its value is never written.")
        super().__init__(value, location, **settings)

    @property
    def keeps_values(self) -> bool:
        return False

    def write(self, value_: Any, **kwargs: Any) -> Result:  # noqa: ARG002 - what each kind is given
        raise InvalidArgument("A ConstantResult cannot be written: its value is part of the flow's code.")

    def read(self, location: str) -> Result:  # noqa: ARG002 - the value is here
        return self

    def exists(self, location: str, **kwargs: Any) -> bool:  # noqa: ARG002 - it is always there
        return True
