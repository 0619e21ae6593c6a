"""The public path of what is in `headwater.sdk.storage.module`."""

from __future__ import annotations

from headwater.sdk.storage.module import Module

__all__ = ["Module"]
