"""Annotations of inputs: `add.map(numbers, unmapped(1))`, `count.map(flatten(pages))`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headwater.core.text import shown, type_name
from headwater.sdk.language.errors import WrongArguments


class EdgeAnnotation:
    """An input together with how it is to be fed to a task."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class mapped(EdgeAnnotation):  # noqa: N801 - read as a word, as in add(mapped(numbers), 1)
    """This input is mapped over: the task runs once for each of its elements."""


class unmapped(EdgeAnnotation):  # noqa: N801 - see mapped
    """This input is given whole to each of the runs of a mapped task."""


class flatten(EdgeAnnotation):  # noqa: N801 - see mapped
    """This input, a list of lists, is given as one list of their elements."""


def unwrapped(value: Any, *, is_mapped: bool) -> tuple[Any, bool, bool]:
    """Return the input without its annotations, whether it is mapped over, and whether it is flattened."""
    is_flattened = False
    while isinstance(value, EdgeAnnotation):
        if isinstance(value, flatten):
            is_flattened = True
        else:
            is_mapped = isinstance(value, mapped)
        value = value.value
    return value, is_mapped, is_flattened


def check_elements(value: Any, *, purpose: str) -> None:
    """Check that a value that is not a task can be mapped over.

    Raises:
        WrongArguments: it has no elements.

    """
    if not issubclass(type(value), Iterable) and not hasattr(type(value), "__getitem__"):
        what = shown(value)[:_SHOWN_CHARACTERS]
        raise WrongArguments(
            f"{purpose} cannot be mapped over {what}: a value of type {type_name(type(value))} has no elements.",
            hint="Wrap inputs that are the same for all in unmapped(...).",
        )


_SHOWN_CHARACTERS = 100
