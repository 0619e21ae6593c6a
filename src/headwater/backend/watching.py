"""The public path of what is in `headwater.sdk.backend.watching`."""

from __future__ import annotations

from headwater.sdk.backend.watching import LONGEST_WATCH, FlowRunLog, RunNotEnded, watch_flow_run

__all__ = ["LONGEST_WATCH", "FlowRunLog", "RunNotEnded", "watch_flow_run"]
