"""The public path of what is in `headwater.sdk.executors.timeouts`."""

from __future__ import annotations

from headwater.sdk.executors.timeouts import (
    END_SECONDS,
    INSIST_SECONDS,
    STATUS_STUCK,
    TaskTimedOut,
    end_process,
    on_stuck,
    run_with_timeout,
    when_stuck,
)

__all__ = ["END_SECONDS", "INSIST_SECONDS", "STATUS_STUCK", "TaskTimedOut", "end_process", "on_stuck", "run_with_timeout", "when_stuck"]
