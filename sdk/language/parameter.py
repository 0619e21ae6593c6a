"""A parameter: an input of a whole flow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from headwater.core.text import shown
from headwater.core.values.json_values import json_problem
from headwater.core.values.moments import assume_utc, parsed_moment
from headwater.sdk.context.context import context
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.no_default import no_default
from headwater.sdk.language.task import Task
from headwater.sdk.states import signals

_SHOWN_CHARACTERS = 100


if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class Parameter(Task):
    """A named input that each run of the flow may be given; `default` serves where it is not.

    Required unless it has a default (`None`, `0` and `""` are defaults), or where `required` says so: then the default only shows what
    a value may be. Its slug is its name, so that a flow has one of each name. `tags` are those of every task.

    Raises:
        InvalidTask: the default is not JSON.

    """

    belongs_to_blocks: ClassVar[bool] = False
    is_parameter: ClassVar[bool] = True

    def __init__(self, name: str, default: Any = no_default, required: bool | None = None, tags: Iterable[str] | None = None) -> None:
        if not isinstance(name, str) or not name.strip():
            raise InvalidTask(f"A parameter needs a name, and {name!r} is none.")
        has_default = default is not no_default
        if has_default:
            self._check_default(name, default)
        self.required = not has_default if required is None else required
        self.default = default if has_default else None
        super().__init__(name=name, slug=name, tags=tags, checkpoint=False)

    def _check_default(self, name: str, default: Any) -> None:
        if (problem := json_problem(default)) is not None:
            raise InvalidTask(
                f"Parameter {name!r}: the default {shown(default)[:_SHOWN_CHARACTERS]} is not JSON: {problem}.",
                hint="Use text, numbers, booleans, None, and lists or dicts of them; convert to other types inside a task.",
            )

    def __call__(self, flow: Flow | None = None) -> Self:  # type: ignore[override]  # it takes nothing: runs do
        """Add the parameter to the flow being built, and return it."""
        return self.bind(flow=flow)

    def copy(self, name: str, **task_args: Any) -> Self:  # type: ignore[override]  # without another name it would be the same
        """Return a parameter of another name with the same default, and these settings changed."""
        return super().copy(name=name, slug=name, **task_args)

    __copy__ = None  # type: ignore[assignment]  # `copy.copy` has no name to give it

    def run(self) -> Any:
        values = context.get("parameters") or {}
        if self.name in values:
            return values[self.name]
        if self.required:
            raise signals.FAIL(f'Parameter "{self.name}" was required but not provided.')
        return self.default

    def metadata_of_its_own(self) -> dict[str, Any]:
        return {"required": self.required, "default": self.default}

    def __repr__(self) -> str:
        return f"<Parameter: {self.name}>"


class DateTimeParameter(Parameter):
    """A parameter that takes a moment as ISO 8601 text and gives tasks a `datetime`; None stays None.

    It is required, also where it has a default, unless `required=False` is given.
    """

    def __init__(self, name: str, default: str | datetime | None = None, required: bool = True, tags: Iterable[str] | None = None) -> None:
        text = default.isoformat() if isinstance(default, datetime) else default
        super().__init__(name, default=text, required=required, tags=tags)

    def run(self) -> datetime | None:
        value = super().run()
        if value is None:
            return None
        if isinstance(value, datetime):
            return assume_utc(value)
        try:
            return parsed_moment(value)
        except (TypeError, ValueError) as error:
            raise signals.FAIL(f'Parameter "{self.name}" is not a moment in ISO 8601: {value!r}.') from error
