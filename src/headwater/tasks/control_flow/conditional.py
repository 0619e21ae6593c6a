"""The public path of what is in `headwater.sdk.language.conditional`."""

from __future__ import annotations

from headwater.sdk.language.conditional import AsBool, Merge, ifelse, merge, switch

__all__ = ["AsBool", "Merge", "ifelse", "merge", "switch"]
