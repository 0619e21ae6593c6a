"""The public path of what is in `headwater.sdk.language.block`."""

from __future__ import annotations

from headwater.sdk.language.block import Block

__all__ = ["Block"]
