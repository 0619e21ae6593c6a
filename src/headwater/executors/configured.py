"""The public path of what is in `headwater.sdk.executors.configured`."""

from __future__ import annotations

from headwater.sdk.executors.configured import configured_executor

__all__ = ["configured_executor"]
