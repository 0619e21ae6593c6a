"""The public path of what is in `headwater.sdk.language.constants`."""

from __future__ import annotations

from headwater.sdk.language.constants import Constant

__all__ = ["Constant"]
