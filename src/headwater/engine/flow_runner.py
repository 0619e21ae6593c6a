"""The public path of what is in `headwater.sdk.engine.flow_runner`."""

from __future__ import annotations

from headwater.sdk.engine.flow_runner import FlowRunner

__all__ = ["FlowRunner"]
