"""The public path of what is in `headwater.sdk.run_configs.base`."""

from __future__ import annotations

from headwater.sdk.run_configs.base import RunConfig, UniversalRun

__all__ = ["RunConfig", "UniversalRun"]
