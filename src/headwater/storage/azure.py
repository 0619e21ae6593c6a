"""The public path of what is in `headwater.sdk.storage.azure`."""

from __future__ import annotations

from headwater.sdk.storage.azure import Azure

__all__ = ["Azure"]
