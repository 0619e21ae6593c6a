"""The history of runs as bars: one a run, oldest first, as high as it took long, in the colour of its state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headwater.core.queries import RunRow

HEIGHT = 100
_LEAST = 8


@dataclass(frozen=True)
class HistoryBar:
    """A run's bar; `height` is out of 100. Lengths differ by powers of ten, so the scale is logarithmic."""

    run: RunRow
    height: int


def history(runs: Sequence[RunRow]) -> list[HistoryBar]:
    """Return the bars of these runs, which come newest first."""
    lengths = [_seconds(run) for run in runs]
    top = math.log1p(max((length for length in lengths if length is not None), default=0) * 10)
    return [HistoryBar(run, _height(length, top)) for run, length in reversed(list(zip(runs, lengths, strict=True)))]


def _seconds(run: RunRow) -> float | None:
    if run.start_time is None or run.end_time is None:
        return None
    return max(0.0, (run.end_time - run.start_time).total_seconds())


def _height(length: float | None, top: float) -> int:
    if length is None or top <= 0:
        return _LEAST * 2
    return max(_LEAST, round(HEIGHT * math.log1p(length * 10) / top))
