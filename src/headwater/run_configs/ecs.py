"""The public path of what is in `headwater.sdk.run_configs.ecs`."""

from __future__ import annotations

from headwater.sdk.run_configs.ecs import ECSRun

__all__ = ["ECSRun"]
