"""The public path of what is in `headwater.sdk.executors.threads`."""

from __future__ import annotations

from headwater.sdk.executors.threads import ThreadExecutor

__all__ = ["ThreadExecutor"]
