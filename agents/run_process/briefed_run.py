"""The run as the supervisor tells it to the run's process."""

from __future__ import annotations

from headwater.agents.attempt_protocol import Briefing
from headwater.core.log import codec
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run


def run_in(briefing: Briefing) -> Run:
    """Return the run, folded from what the log has of it."""
    if briefing.known is not None:
        return briefing.known.fold()
    run = RULES.initial
    for data in briefing.commits:
        run = RULES.fold(codec.decode(data).events, run)
    return run
