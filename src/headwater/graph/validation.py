"""The public path of what is in `headwater.sdk.language.validation`."""

from __future__ import annotations

from headwater.sdk.language.validation import problems_of

__all__ = ["problems_of"]
