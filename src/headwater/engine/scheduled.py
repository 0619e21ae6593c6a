"""The public path of what is in `headwater.sdk.engine.scheduled`."""

from __future__ import annotations

from headwater.sdk.engine.scheduled import Run, run_on_schedule, wait_until

__all__ = ["Run", "run_on_schedule", "wait_until"]
