"""Questions about the past, answered from the log alone: no database takes part, so anyone who can read the log can verify."""

from __future__ import annotations

from headwater.audit.diff import Change, diff
from headwater.audit.explain import explain
from headwater.audit.explanation import Explanation, Reason, RunContext
from headwater.audit.moment import Moment, parse_moment
from headwater.audit.replay import Replayed, replay, replay_project, replay_run
from headwater.audit.run_context import explain_run
from headwater.audit.verify import VerificationReport, Violation, verify, verify_facts

__all__ = [
    "Change",
    "Explanation",
    "Moment",
    "Reason",
    "Replayed",
    "RunContext",
    "VerificationReport",
    "Violation",
    "diff",
    "explain",
    "explain_run",
    "parse_moment",
    "replay",
    "replay_project",
    "replay_run",
    "verify",
    "verify_facts",
]
