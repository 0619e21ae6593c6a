"""The tasks and edges of a flow as sets that follow it."""

from __future__ import annotations

from collections.abc import Iterable, KeysView
from typing import Any, TypeVar

Element = TypeVar("Element")


class SetView(KeysView[Element]):
    """The keys of a dict, with the methods of sets that change nothing. What these return is a set of its own."""

    __slots__ = ()

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
