"""The public path of what is in `headwater.sdk.storage.local`."""

from __future__ import annotations

from headwater.sdk.storage.local import Local

__all__ = ["Local"]
