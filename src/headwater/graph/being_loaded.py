"""The public path of what is in `headwater.sdk.language.being_loaded`."""

from __future__ import annotations

from headwater.sdk.language.being_loaded import is_being_loaded

__all__ = ["is_being_loaded"]
