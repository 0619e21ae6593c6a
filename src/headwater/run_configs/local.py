"""The public path of what is in `headwater.sdk.run_configs.local`."""

from __future__ import annotations

from headwater.sdk.run_configs.local import LocalRun

__all__ = ["LocalRun"]
