"""The public path of what is in `headwater.sdk.storage.git`."""

from __future__ import annotations

from headwater.sdk.storage.git import Git

__all__ = ["Git"]
