"""The public path of what is in `headwater.sdk.executors.processes`."""

from __future__ import annotations

from headwater.sdk.executors.processes import ProcessExecutor

__all__ = ["ProcessExecutor"]
