"""What a schedule's policies may be."""

from __future__ import annotations

import math

from headwater.core.errors import InvalidArgument
from headwater.core.events import SchedulePolicies

SECONDS_MAX = 10 * 366 * 86_400.0
"""Ten years: no gap between two times that people mean is longer."""


def check_policies(policies: SchedulePolicies) -> None:
    """Refuse policies that mean nothing.

    Raises:
        InvalidArgument: a duration is negative or longer than ten years, or a number is below 1.

    """
    for name, seconds in (("window", policies.window_seconds), ("jitter", policies.jitter_seconds)):
        if not math.isfinite(seconds) or not 0 <= seconds <= SECONDS_MAX:
            raise InvalidArgument(f"The {name} of a schedule must be between 0 seconds and ten years, not {seconds:g} seconds.")
    for name, number in (("pause_on_failure", policies.pause_on_failure), ("max_runs", policies.max_runs)):
        if number is not None and number < 1:
            raise InvalidArgument(f"The {name} of a schedule must be at least 1, not {number}.", hint="Leave it out for no limit.")
