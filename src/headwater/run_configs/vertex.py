"""The public path of what is in `headwater.sdk.run_configs.vertex`."""

from __future__ import annotations

from headwater.sdk.run_configs.vertex import VertexRun

__all__ = ["VertexRun"]
