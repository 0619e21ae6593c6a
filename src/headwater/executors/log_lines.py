"""The public path of what is in `headwater.sdk.executors.log_lines`."""

from __future__ import annotations

from headwater.sdk.executors.log_lines import LATE_LINES_SECONDS, Lines, Sink, lines_taken_by

__all__ = ["LATE_LINES_SECONDS", "Lines", "Sink", "lines_taken_by"]
