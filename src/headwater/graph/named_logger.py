"""The public path of what is in `headwater.sdk.language.named_logger`."""

from __future__ import annotations

from headwater.sdk.language.named_logger import NamedLogger

__all__ = ["NamedLogger"]
