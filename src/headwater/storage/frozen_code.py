"""The public path of what is in `headwater.sdk.storage.frozen_code`."""

from __future__ import annotations

from headwater.sdk.storage.frozen_code import FrozenCode

__all__ = ["FrozenCode"]
