"""The tasks and edges of a flow as sets that follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, KeysView, Mapping
from typing import Any, TypeVar

Element = TypeVar("Element")


class SetView(KeysView[Element]):
    """The keys of a dict, with the methods of sets. What the ones that change nothing return is a set of its own.

    `take_out` removes an element, with all that depends on it.
    """

    __slots__ = ("_take_out",)

    def __init__(self, elements: Mapping[Element, Any], take_out: Callable[[Element], None]) -> None:
        super().__init__(elements)
        self._take_out = take_out

    def remove(self, element: Element) -> None:
        if element not in self:
            raise KeyError(element)
        self._take_out(element)

    def discard(self, element: Element) -> None:
        if element in self:
            self._take_out(element)

    def pop(self) -> Element:
        element = next(iter(self), None)
        if element is None:
            raise KeyError("There is none.")
        self._take_out(element)
        return element

    def copy(self) -> set[Element]:
        return set(self)

    def union(self, *others: Iterable[Any]) -> set[Any]:
        return self.copy().union(*others)

    def intersection(self, *others: Iterable[Any]) -> set[Element]:
        return self.copy().intersection(*others)

    def difference(self, *others: Iterable[Any]) -> set[Element]:
        return self.copy().difference(*others)

    def symmetric_difference(self, other: Iterable[Any]) -> set[Any]:
        return self.copy().symmetric_difference(other)

    def issubset(self, other: Iterable[Any]) -> bool:
        return self.copy().issubset(other)

    def issuperset(self, other: Iterable[Any]) -> bool:
        return self.copy().issuperset(other)

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # like sets, whose elements may change

    def __contains__(self, element: object) -> bool:
        return element in self._mapping  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return repr(set(self))
