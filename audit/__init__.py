"""Questions about the past, answered from the log alone: no database takes part, so anyone who can read the log can verify."""

from __future__ import annotations

from headwater.audit.diff import Change, diff
from headwater.audit.explain import explain
from headwater.audit.explanation import Explanation, Reason, RunContext
from headwater.audit.moment import Moment, parse_moment
from headwater.audit.replay import Replayed, replay, replay_project, replay_run
from headwater.audit.run_context import explain_run
from headwater.audit.schedule_check import check_schedules
from headwater.audit.schedule_context import explain_schedule
from headwater.audit.schedule_explain import explain_moment
from headwater.audit.schedule_explanation import TimeContext, TimeExplanation, TimeReason
from headwater.audit.schedule_findings import Fault, Finding, ScheduleReport
from headwater.audit.verify import VerificationReport, Violation, verify, verify_facts

__all__ = [
    "Change",
    "Explanation",
    "Fault",
    "Finding",
    "Moment",
    "Reason",
    "Replayed",
    "RunContext",
    "ScheduleReport",
    "TimeContext",
    "TimeExplanation",
    "TimeReason",
    "VerificationReport",
    "Violation",
    "check_schedules",
    "diff",
    "explain",
    "explain_moment",
    "explain_run",
    "explain_schedule",
    "parse_moment",
    "replay",
    "replay_project",
    "replay_run",
    "verify",
    "verify_facts",
]
