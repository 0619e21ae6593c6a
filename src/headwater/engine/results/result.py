"""The public path of what is in `headwater.sdk.results.result`."""

from __future__ import annotations

from headwater.sdk.results.result import NoResult, NoResultType, Result, ResultNotImplementedError

__all__ = ["NoResult", "NoResultType", "Result", "ResultNotImplementedError"]
