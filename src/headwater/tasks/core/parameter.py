"""The public path of what is in `headwater.sdk.language.parameter`."""

from __future__ import annotations

from headwater.sdk.language.parameter import DateTimeParameter, Parameter

__all__ = ["DateTimeParameter", "Parameter"]
