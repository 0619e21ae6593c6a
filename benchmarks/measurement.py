"""What a benchmark says: a figure, the floor measured in the same run, the budget, and a table of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One figure. `floor` is what the machine does without us, in the same unit and run; `budget` is in words, `met` judges it."""

    what: str
    ours: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    budget: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.floor is None else self.ours / self.floor


def at_most(what: str, ours: float, unit: str, limit: float, *, floor: float | None = None, floor_is: str = "") -> Measurement:
    """A figure that must not exceed a limit, in its own unit."""
    return Measurement(what, ours, unit, floor, floor_is, f"≤ {limit:,g} {unit}", ours <= limit)


def at_least(what: str, ours: float, unit: str, limit: float, *, floor: float | None = None, floor_is: str = "") -> Measurement:
    """A figure that must reach a limit, in its own unit."""
    return Measurement(what, ours, unit, floor, floor_is, f"≥ {limit:,g} {unit}", ours >= limit)


def ratio_at_most(what: str, ours: float, unit: str, limit: float, *, floor: float, floor_is: str) -> Measurement:
    """A figure that must stay below a multiple of its floor."""
    return Measurement(what, ours, unit, floor, floor_is, f"≤ {limit:g} x floor", ours <= limit * floor)


def lines(measurements: Iterable[Measurement]) -> Iterable[str]:
    """Return the table."""
    yield f"{'':52}{'ours':>12}{'floor':>12}{'ratio':>8}  {'unit':<11}{'budget':<26}floor is"
    for each in measurements:
        floor = "" if each.floor is None else _figure(each.floor)
        ratio = "" if each.ratio is None else f"{each.ratio:.3g}"
        verdict = {None: "", True: "met", False: "NOT MET"}[each.met]
        budget = f"{each.budget} {verdict}".strip()
        yield f"{each.what:52}{_figure(each.ours):>12}{floor:>12}{ratio:>8}  {each.unit:<11}{budget:<26}{each.floor_is}".rstrip()


def _figure(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
