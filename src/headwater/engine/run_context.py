"""The public path of what is in `headwater.sdk.engine.run_context`."""

from __future__ import annotations

from headwater.sdk.engine.run_context import run_context

__all__ = ["run_context"]
