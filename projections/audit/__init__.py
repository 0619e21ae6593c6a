"""Questions about the past, answered from the log alone: no database takes part, so anyone who can read the log can check."""

from __future__ import annotations

from headwater.projections.audit.check import Checked, Violation, check, check_facts
from headwater.projections.audit.diff import Change, diff
from headwater.projections.audit.explain import Explanation, Reason, Surroundings, explain
from headwater.projections.audit.moment import Moment, parse_moment
from headwater.projections.audit.replay import Replayed, replay, replay_project, replay_run
from headwater.projections.audit.surroundings import explain_run

__all__ = [
    "Change",
    "Checked",
    "Explanation",
    "Moment",
    "Reason",
    "Replayed",
    "Surroundings",
    "Violation",
    "check",
    "check_facts",
    "diff",
    "explain",
    "explain_run",
    "parse_moment",
    "replay",
    "replay_project",
    "replay_run",
]
