"""The public path of what is in `headwater.sdk.results.checkpoint_result`."""

from __future__ import annotations

from headwater.sdk.results.checkpoint_result import CheckpointResult

__all__ = ["CheckpointResult"]
