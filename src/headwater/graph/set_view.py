"""The public path of what is in `headwater.sdk.language.set_view`."""

from __future__ import annotations

from headwater.sdk.language.set_view import Element, SetView

__all__ = ["Element", "SetView"]
