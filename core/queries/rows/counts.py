"""Rows that count."""

from __future__ import annotations

from headwater.core.queries.rows.row import Row


class RunCountRow(Row, frozen=True, kw_only=True):
    """How many runs are in a state."""

    state: str
    """The name of the state, such as `Running`."""
    count: int
    """How many runs are in it."""


class CountRow(Row, frozen=True, kw_only=True):
    """How many there are."""

    count: int
    """How many there are."""
