"""The widths of a table: every cell padded to its column, and columns narrowed until all of them fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.cells import cell_len, set_cell_size

GAP = 2
_NARROWEST = 6


class Fits(Protocol):
    """What a column says of its width."""

    @property
    def whole(self) -> bool: ...

    @property
    def right(self) -> bool: ...


def natural_widths(rows: Sequence[Sequence[str]], at_least: Sequence[int]) -> list[int]:
    """Return how wide each column of these rows is on a terminal, where an emoji takes two; and at least so wide."""
    return [max(least, *(cell_len(row[index]) for row in rows)) for index, least in enumerate(at_least)]


def fitted(rows: Sequence[Sequence[str]], columns: Sequence[Fits], natural: Sequence[int], limit: int | None) -> list[list[str]]:
    """Return the cells padded to their columns' widths, cut with an ellipsis where the table would exceed `limit` (None: never).

    A column that is whole is not cut, even where the table does not fit then.
    """
    widths = natural if limit is None else narrowed(natural, columns, limit)
    return [[_cell(text, width, column.right) for text, width, column in zip(row, widths, columns, strict=True)] for row in rows]


def narrowed(natural: Sequence[int], columns: Sequence[Fits], limit: int) -> list[int]:
    """Return the widths with the widest columns taken back until the table fits, as far as that can be."""
    widths = list(natural)
    excess = sum(widths) + GAP * (len(widths) - 1) - limit
    while excess > 0:
        reducible = [index for index, column in enumerate(columns) if not column.whole and widths[index] > _NARROWEST]
        if not reducible:
            break
        widest = max(reducible, key=widths.__getitem__)
        widths[widest] -= 1
        excess -= 1
    return widths


def _cell(text: str, width: int, right: bool) -> str:
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding
