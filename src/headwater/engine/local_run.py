"""The public path of what is in `headwater.sdk.engine.local_run`."""

from __future__ import annotations

from headwater.sdk.engine.local_run import run_locally

__all__ = ["run_locally"]
