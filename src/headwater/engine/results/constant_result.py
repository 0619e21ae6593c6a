"""The public path of what is in `headwater.sdk.results.constant_result`."""

from __future__ import annotations

from headwater.sdk.results.constant_result import ConstantResult

__all__ = ["ConstantResult"]
