"""The public path of what is in `headwater.sdk.language.case`."""

from __future__ import annotations

from headwater.sdk.language.case import CompareValue, case

__all__ = ["CompareValue", "case"]
