"""The public path of what is in `headwater.sdk.executors.line_pipe`."""

from __future__ import annotations

from headwater.sdk.executors.line_pipe import LinePipe, send

__all__ = ["LinePipe", "send"]
