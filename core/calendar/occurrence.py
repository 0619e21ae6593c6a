"""What a schedule gives those who create runs: each moment, with what tells it from others and what its run is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headwater.core.values.identifiers import digest
from headwater.core.values.moments import instant

_DIGITS = 12


@dataclass(frozen=True)
class Occurrence:
    """A moment of a schedule. Its `nominal` moment and its `clock` name it: no other of the schedule has both.

    Attributes:
        nominal: when the clock has it, before adjustments; in UTC. One that follows is asked for with `occurrences(after=nominal)`.
        due: when the run is due, after adjustments; in UTC.
        parameters: values of parameters for the run.
        labels: labels of the run, instead of the flow's; None: the flow's.
        clock: what tells apart clocks that have one moment: a digest of parameters and labels; empty where there are neither.

    """

    nominal: datetime
    due: datetime
    parameters: Mapping[str, Any]
    labels: Sequence[str] | None
    clock: str


def clock_digest(parameters: Mapping[str, Any], labels: Sequence[str] | None) -> str:
    """Return 12 hexadecimal digits that these parameters and labels, in any order, always give; an empty text where there are neither."""
    if not parameters and labels is None:
        return ""
    told = [dict(parameters), None if labels is None else sorted(set(labels))]
    try:
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=_as_text)
    except (TypeError, ValueError):  # parameters that no registered schedule has, such as a dict with keys of several types
        text = repr(told)
    return digest(text, length=_DIGITS)


def _as_text(value: Any) -> str:
    """Return a value that JSON lacks: a moment as the log writes it, others as Python shows them."""
    return instant(value).isoformat() if isinstance(value, datetime) else repr(value)
