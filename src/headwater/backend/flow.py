"""The public path of what is in `headwater.sdk.backend.flow`."""

from __future__ import annotations

from headwater.sdk.backend.flow import FlowView

__all__ = ["FlowView"]
