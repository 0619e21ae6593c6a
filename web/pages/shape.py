"""Small calculations that several pages share: counts as bars, addresses of things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headwater.core.states import StateName
from headwater.web.state_styles import Group, group_of

_ORDER = list(StateName)
_GROUPS = list(Group)


@dataclass(frozen=True)
class Slice:
    """A state's part of a stacked bar: where it begins and how wide it is, in thousandths."""

    state: str
    count: int
    start: int
    width: int


def stacked(counts: Mapping[str, int]) -> list[Slice]:
    """Return the counts as slices of one bar, in the order in which people ask: good, bad, stopped, active, waiting."""
    total = sum(counts.values())
    slices: list[Slice] = []
    done = 0
    for state, count in sorted(counts.items(), key=lambda item: (_GROUPS.index(group_of(item[0])), _rank(item[0]))):
        if not count:
            continue
        start, done = done, done + count
        begin, end = start * 1000 // total, done * 1000 // total
        slices.append(Slice(state, count, begin, max(1, end - begin)))
    return slices


def _rank(state: str) -> int:
    return _ORDER.index(StateName(state)) if state in StateName.__members__.values() else len(_ORDER)


def success_percent(counts: Mapping[str, int]) -> int | None:
    """Return how many of the ended runs succeeded, in percent rounded down; None where none ended."""
    good = sum(count for state, count in counts.items() if group_of(state) is Group.SUCCESSFUL)
    bad = sum(count for state, count in counts.items() if group_of(state) is Group.FAILED)
    return good * 100 // (good + bad) if good + bad else None
