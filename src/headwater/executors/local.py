"""The public path of what is in `headwater.sdk.executors.local`."""

from __future__ import annotations

from headwater.sdk.executors.local import LocalExecutor

__all__ = ["LocalExecutor"]
