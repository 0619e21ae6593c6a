"""The public path of what is in `headwater.sdk.language.triggers`."""

from __future__ import annotations

from headwater.sdk.language.triggers import (
    Trigger,
    UpstreamStates,
    all_failed,
    all_finished,
    all_successful,
    always_run,
    any_failed,
    any_successful,
    manual_only,
    not_all_skipped,
    some_failed,
    some_successful,
    trigger_name,
)

__all__ = [
    "Trigger",
    "UpstreamStates",
    "all_failed",
    "all_finished",
    "all_successful",
    "always_run",
    "any_failed",
    "any_successful",
    "manual_only",
    "not_all_skipped",
    "some_failed",
    "some_successful",
    "trigger_name",
]
