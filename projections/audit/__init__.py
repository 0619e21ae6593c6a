"""Questions about the past, answered from the log alone: no database takes part, so anyone who can read the log can check."""

from __future__ import annotations

from headwater.projections.audit.check import Checked, Violation, check, check_facts
from headwater.projections.audit.diff import Change, diff
from headwater.projections.audit.moment import Moment, parse_moment
from headwater.projections.audit.replay import Replayed, replay, replay_project, replay_run

__all__ = [
    "Change",
    "Checked",
    "Moment",
    "Replayed",
    "Violation",
    "check",
    "check_facts",
    "diff",
    "parse_moment",
    "replay",
    "replay_project",
    "replay_run",
]
