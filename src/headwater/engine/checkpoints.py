"""The public path of what is in `headwater.sdk.results.checkpoints`."""

from __future__ import annotations

from headwater.sdk.results.checkpoints import CONTEXT_KEY, Checkpoints

__all__ = ["CONTEXT_KEY", "Checkpoints"]
